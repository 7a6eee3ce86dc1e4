#include "browser/link.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "unit/browser/played_socket.hpp"

namespace any::browser {
namespace {

namespace json = boost::json;

struct Heard final : LinkEvents {
  std::vector<std::string> all;
  std::vector<task::Outcome> outcomes;
  std::uint64_t token = 0;
  void up(task::BrowserState, std::string const&, std::vector<task::Hold> const&) override {}
  void down(std::string const&) override {}
  void changed(task::BrowserState) override {}
  void accepted(std::string const&, task::RunKey const& run, task::TabInfo tab) override {
    all.push_back("accepted " + run.task + " in " + std::to_string(tab.id));
  }
  void busy(std::string const&, task::RunKey const& run, std::int64_t tab) override {
    all.push_back("busy " + run.task + " in " + std::to_string(tab));
  }
  void refused(std::string const&, task::RunKey const& run, Error error) override {
    all.push_back("refused " + run.task + ": " + std::string(to_string(error.name)));
  }
  void started(std::string const&, task::RunKey const& run, std::optional<task::TabInfo>, task::Injection) override {
    all.push_back("started " + run.task);
  }
  void progress(std::string const&, task::RunKey const& run, std::string value) override {
    all.push_back("progress " + run.task + " " + value);
  }
  void console(std::string const&, task::RunKey const& run, task::ConsoleLine line) override {
    all.push_back("console " + run.task + " " + line.text);
  }
  void finished(std::string const&, task::RunKey const& run, task::Outcome outcome, std::uint64_t given) override {
    all.push_back("finished " + run.task);
    outcomes.push_back(std::move(outcome));
    token = given;
  }
};

/// What the gateway would hear.
struct HeardCdp final : CdpEvents {
  std::vector<std::string> all;
  void link_up(Info const&) override {}
  void link_down(std::string const&, std::string_view) override {}
  void changed(Info const&) override {}
  void debugger_event(std::string const&, std::string_view params) override {
    all.push_back("debugger " + std::string(params));
  }
  void chrome_event(std::string const&, std::string_view params) override {
    all.push_back("chrome " + std::string(params));
  }
};

struct Host final : LinkHost {
  explicit Host(boost::asio::io_context&) {}
  SystemClock system;
  Heard heard_events;
  HeardCdp heard_cdp;
  std::string why;
  std::string key, id = "the-daemon";
  LinkedBrowser* link = nullptr;
  bool over = false;
  std::vector<task::Hold> holds;
  std::uint64_t tokens = 0;
  std::vector<Update> updates;

  Result<Handshake> begin_handshake(Begin begin, bool) override {
    auto met = Handshake::begin(std::move(begin), key, random_base64(32));
    if (met) key = met->key();
    return met;
  }
  Async<Result<Welcome>> welcome(Handshake const& handshake, Hello const& hello, std::string const&) override {
    co_return Welcome{handshake.said().browser, hello.label};
  }
  void linked(std::string const&, LinkedBrowser& now, Hello const& hello) override {
    link = &now;
    holds = hello.holds;
  }
  void ended(std::string const&, LinkedBrowser&, std::string_view cause) override {
    link = nullptr;
    why = cause;
    heard_cdp.all.push_back("down");
    over = true;
  }
  void updated(std::string const&, Update const& update) override { updates.push_back(update); }
  void heard(std::string const&) override {}
  bool line(std::string const&, std::int64_t, Millis) override { return true; }
  std::uint64_t next_token() override { return ++tokens; }
  LinkEvents& events() override { return heard_events; }
  CdpEvents& cdp_events() override { return heard_cdp; }
  Clock const& clock() const override { return system; }
  std::string const& daemon_id() const override { return id; }
};

class LinkTest : public testing::Test {
 protected:
  void TearDown() override {
    wire.end();
    pump();
  }

  void open(LinkTimes times = {}) {
    link.emplace(host, std::make_unique<FakeSocket>(wire), io.get_executor(), times);
    boost::asio::co_spawn(io, link->serve(), [this](std::exception_ptr) { served = true; });
    pump();
  }
  void pump() {
    io.restart();
    while (io.poll() > 0) {
    }
  }
  /// Runs the loop until `is_so`, for two seconds at most.
  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (!is_so()) {
      io.restart();
      if (std::chrono::steady_clock::now() > end) return false;
      io.run_one_for(std::chrono::milliseconds(50));
    }
    return true;
  }
  void say(std::string text) {
    wire.say(std::move(text));
    pump();
  }
  std::string begin_text(bool has_key = false) const {
    return R"({"jsonrpc":"2.0","id":1,"method":"link.begin","params":{"protocol":1,"version":"0.1.0","browser":")" +
           browser + R"(","nonce":")" + nonce + R"(","has_key":)" + (has_key ? "true" : "false") + "}}";
  }
  void greet(std::string const& more = "") {
    open();
    say(begin_text());
    auto const& answer = wire.said.at(0).at("result").as_object();
    auto const proof =
        hmac_base64(std::string(answer.at("key").as_string()),
                    "browser|" + std::string(answer.at("nonce").as_string()) + "|" + nonce + "|" + browser);
    say(R"({"jsonrpc":"2.0","id":2,"method":"hello","params":{"instance":"i","label":"work","proof":")" + proof + "\"" +
        more + "}}");
    ASSERT_TRUE(host.link);
    wire.said.clear();
  }
  void start(std::string task) {
    task::SendStart sent;
    sent.browser = browser;
    sent.run.task = std::move(task);
    sent.request.script = "return 1";
    host.link->start(sent);
  }
  std::string id_of(std::size_t message) { return json::serialize(wire.said.at(message).at("id")); }

  boost::asio::io_context io;
  Wire wire{io};
  Host host{io};
  std::string browser = make_uuid(), nonce = random_base64(32);
  std::optional<Link> link;
  bool served = false;
};

TEST_F(LinkTest, StandsAfterTheHandshake) {
  greet(R"(,"holds":[{"task":"t","attempt":1,"hop":0,"state":"running"}])");
  ASSERT_EQ(host.holds.size(), 1U);
  EXPECT_EQ(host.holds[0].run.task, "t");
}

TEST_F(LinkTest, AWrongProofIsRefusedAndTheLinkClosed) {
  open();
  say(begin_text());
  say(R"({"jsonrpc":"2.0","id":2,"method":"hello","params":{"instance":"i","proof":"AAAA"}})");
  EXPECT_FALSE(host.link);
  EXPECT_EQ(wire.said.back().at("error").at("data").at("name"), "UnauthorizedError");
  EXPECT_EQ(wire.closed, 1008);
}

TEST_F(LinkTest, NothingIsListenedToBeforeHello) {
  open();
  say(R"({"jsonrpc":"2.0","id":1,"method":"task.finish","params":{"task":"t","attempt":1,"hop":0,"outcome":"value"}})");
  EXPECT_TRUE(host.heard_events.all.empty());
  EXPECT_TRUE(wire.closed);
}

TEST_F(LinkTest, TellsWhatTheBrowserAnswersToAStart) {
  greet();
  start("a");
  start("b");
  start("c");
  EXPECT_EQ(wire.said.at(0).at("method"), "task.start");
  say(R"({"jsonrpc":"2.0","id":)" + id_of(1) + R"(,"result":{"busy":17}})");
  say(R"({"jsonrpc":"2.0","id":)" + id_of(0) + R"(,"result":{"accepted":true,"tab":{"id":4}}})");
  say(R"({"jsonrpc":"2.0","id":)" + id_of(2) +
      R"(,"error":{"code":-32000,"message":"m","data":{"name":"TabNotFoundError","message":"m"}}})");
  EXPECT_EQ(host.heard_events.all,
            (std::vector<std::string>{"busy b in 17", "accepted a in 4", "refused c: TabNotFoundError"}));
}

TEST_F(LinkTest, AFinishIsAnsweredOnlyWhenItIsAcknowledged) {
  greet();
  say(R"({"jsonrpc":"2.0","id":"f1","method":"task.finish","params":{"task":"t","attempt":1,"hop":0,"outcome":"value","value":[1]}})");
  ASSERT_EQ(host.heard_events.all, std::vector<std::string>{"finished t"});
  EXPECT_TRUE(wire.said.empty());
  host.link->acknowledge(host.heard_events.token);
  ASSERT_EQ(wire.said.size(), 1U);
  EXPECT_EQ(wire.said[0].at("id"), "f1");
  host.link->acknowledge(host.heard_events.token);
  EXPECT_EQ(wire.said.size(), 1U);
}

TEST_F(LinkTest, ARequestFailsWhenTheLinkEnds) {
  greet();
  std::optional<Error> failed;
  host.link->request("chrome.call", "{}", std::nullopt, [&](auto const& answer) { failed = answer.error(); });
  start("t");
  wire.end();
  pump();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->name, ErrorName::BrowserLostError);
  EXPECT_TRUE(host.over);
  EXPECT_TRUE(host.heard_events.all.empty()) << "whether the start reached the browser is not known";
}

TEST_F(LinkTest, ARequestFailsWhenItsTimeHasPassed) {
  greet();
  std::optional<Error> failed;
  host.link->request("chrome.call", "{}", 20, [&](auto const& answer) { failed = answer.error(); });
  ASSERT_TRUE(until([&] { return failed.has_value(); }));
  EXPECT_EQ(failed->name, ErrorName::TimeoutError);
  EXPECT_TRUE(host.link) << "the link itself stands";
}

TEST_F(LinkTest, PassesOnWhatTheDebuggerAndChromeSayInTheOrderOfItsSaying) {
  greet();
  auto answered = [&](Result<std::string_view> const& answer) { host.heard_cdp.all.emplace_back(*answer); };
  host.link->request("debugger.send", "{}", std::nullopt, answered);
  say(R"({"jsonrpc":"2.0","method":"debugger.event","params":{"tab":3,"method":"A.b","params":{"x":"\ud83d"}}})");
  say(R"({"jsonrpc":"2.0","id":)" + id_of(0) + R"(,"result":{"value":{}}})");
  say(R"({"jsonrpc":"2.0","method":"chrome.event","params":{"path":"tabs.onCreated","args":[1]}})");
  EXPECT_EQ(host.heard_cdp.all,
            (std::vector<std::string>{R"(debugger {"tab":3,"method":"A.b","params":{"x":"\ud83d"}})", R"({"value":{}})",
                                      R"(chrome {"path":"tabs.onCreated","args":[1]})"}));
}

TEST_F(LinkTest, TheEndIsToldBeforeWhatWasAskedFails) {
  greet();
  auto answered = [&](Result<std::string_view> const& answer) {
    host.heard_cdp.all.emplace_back(to_string(answer.error().name));
  };
  host.link->request("debugger.send", "{}", std::nullopt, answered);
  host.link->request("debugger.send", "{}", std::nullopt, answered);
  wire.end();
  pump();
  EXPECT_EQ(host.heard_cdp.all, (std::vector<std::string>{"down", "BrowserLostError", "BrowserLostError"}));
  EXPECT_EQ(host.why, "The peer has gone.");
}

TEST_F(LinkTest, WhatIsAskedOfAnEndedLinkIsAnsweredAfterTheAsking) {
  greet();
  auto* const same = host.link;
  bool asked = false, again = false;
  auto second = [&](Result<std::string_view> const& answer) {
    EXPECT_TRUE(asked);
    again = answer.has_error();
  };
  auto first = [&](Result<std::string_view> const&) {
    same->request("debugger.send", "{}", std::nullopt, second);
    asked = true;
  };
  same->request("debugger.send", "{}", std::nullopt, first);
  wire.end();
  pump();
  EXPECT_TRUE(again);
}

TEST_F(LinkTest, AnUnknownMethodIsAnsweredWithTheVersions) {
  greet();
  say(R"({"jsonrpc":"2.0","id":5,"method":"tea.make","params":{}})");
  EXPECT_EQ(wire.said.at(0).at("error").at("code"), -32601);
  EXPECT_TRUE(host.link);
  say(R"({"jsonrpc":"2.0","method":"tea.made","params":{}})");
  EXPECT_EQ(wire.said.size(), 1U) << "a notification has no answer";
}

TEST_F(LinkTest, WhatIsNoMessageClosesTheLink) {
  for (std::string const text : {"{", R"({"jsonrpc":"2.0","id":1,"id":2,"method":"link.ping"})", "[]"}) {
    link.reset();
    wire.ended = false;
    wire.closed.reset();
    wire.to_link.clear();
    wire.said.clear();
    host.over = false;
    greet();
    say(text);
    EXPECT_EQ(wire.closed, 1002) << text;
    EXPECT_TRUE(host.over) << text;
    ASSERT_TRUE(until([&] { return served; }));
    served = false;
  }
}

TEST_F(LinkTest, TextsOfPagesWithHalvesOfPairsDoNotCloseIt) {
  greet();
  say(R"({"jsonrpc":"2.0","method":"task.event","params":{"task":"t","attempt":1,"hop":0,"n":1,"kind":"console","level":"log","text":"\ud83d"}})");
  say(R"({"jsonrpc":"2.0","method":"task.event","params":{"task":"t","attempt":1,"hop":0,"n":2,"kind":"progress","value":"\ud83d"}})");
  EXPECT_EQ(host.heard_events.all, (std::vector<std::string>{"console t \xEF\xBF\xBD", R"(progress t "\ud83d")"}));
  EXPECT_FALSE(wire.closed);
}

TEST_F(LinkTest, PingsAndIsLostWhenNothingIsHeard) {
  open({.ping = 30, .lost = 60, .hello = 2'000});
  say(begin_text());
  ASSERT_TRUE(until([&] { return served; }));
  EXPECT_TRUE(wire.ended);
}

TEST_F(LinkTest, WithoutAHelloInTimeItIsClosed) {
  open({.ping = 20'000, .lost = 40'000, .hello = 30});
  ASSERT_TRUE(until([&] { return served; }));
  EXPECT_EQ(wire.closed, 1008);
}

TEST_F(LinkTest, AcknowledgesTheBlackBoxByItsLastLine) {
  greet();
  say(R"({"jsonrpc":"2.0","id":9,"method":"log","params":{"lines":[{"n":4,"time":"2026-01-01T00:00:00.000Z","level":"info","text":"a"},{"n":5,"level":"warn","text":"b"}]}})");
  EXPECT_EQ(wire.said.at(0).at("result").at("n"), 5);
}

TEST_F(LinkTest, TellsWhatTheBrowserSaysOfItself) {
  greet();
  say(R"({"jsonrpc":"2.0","method":"browser.update","params":{"paused":true,"tabs":{"ordinary":3,"total":5}}})");
  ASSERT_EQ(host.updates.size(), 1U);
  EXPECT_EQ(host.updates[0].paused, true);
  EXPECT_EQ(host.updates[0].ordinary_tabs, 3);
  EXPECT_FALSE(host.updates[0].label);
}

}  // namespace
}  // namespace any::browser
