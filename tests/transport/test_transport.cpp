// What every way to a browser keeps (cdp::Transport): the double that the gateway's tests stand on, and the daemon's
// own, over a double of the browsers and over a link whose other end is played by hand.
#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "browser/registry.hpp"
#include "service/cdp_service.hpp"
#include "store/memory_store.hpp"
#include "unit/browser/played_socket.hpp"
#include "unit/cdp/fake_transport.hpp"
#include "unit/service/fake_browsers.hpp"
#include "wire/envelope.hpp"

namespace any::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// One transport, with the browser at its other end played by hand. It begins linked.
class Rig {
 public:
  virtual ~Rig() = default;
  virtual cdp::Transport& transport() = 0;
  /// Lets what is on its way arrive.
  virtual void settle() = 0;
  /// The oldest call that the browser has not answered.
  virtual void answer(std::string value) = 0;
  virtual void refuse(cdp::Failure failure) = 0;
  virtual void lose(std::string why) = 0;
  virtual void come_back() = 0;
  /// Called when the gateway is told of the loss.
  std::function<void(std::string_view why)> on_loss;
};

class DoubleRig final : public Rig {
 public:
  cdp::Transport& transport() override { return transport_; }
  void settle() override { transport_.settle(); }
  void answer(std::string value) override { oldest().done(std::string_view(value)); }
  void refuse(cdp::Failure failure) override { oldest().done(failure); }
  void lose(std::string why) override { transport_.link_down(*this, why); }
  void come_back() override { transport_.link_up(*this, {}); }
  void link_down(std::string_view why) { on_loss(why); }
  void link_up(cdp::Facts const&) {}

 private:
  cdp::test::Asked oldest() {
    auto asked = std::move(transport_.waiting.front());
    transport_.waiting.pop_front();
    return asked;
  }
  cdp::test::FakeTransport transport_;
};

/// The daemon's own transport, told of the link as CdpService tells it.
class BridgeRig : public Rig, public browser::CdpEvents {
 public:
  cdp::Transport& transport() override { return *bridge_; }
  void settle() override {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  void link_up(browser::Info const& info) override { bridge_->link_up(cdp_facts(info)); }
  void link_down(std::string const&, std::string_view why) override {
    on_loss(why);
    bridge_->link_down(why);
  }
  void changed(browser::Info const&) override {}
  void debugger_event(std::string const&, std::string_view) override {}
  void chrome_event(std::string const&, std::string_view) override {}

 protected:
  void make_bridge(browser::Browsers& browsers, std::string const& id) {
    bridge_ = std::make_shared<CdpBridge>(
        id, io_.get_executor(), clock_, browsers, files_, [] {}, cdp::Limits{}, CdpBridge::Times{});
  }
  static Error as_told(cdp::Failure const& failure) {
    Error error{ErrorName::InternalError, "Chrome refused."};
    error.extra["cdp"] = {{"code", failure.code}, {"message", failure.message}, {"data", failure.data}};
    return error;
  }

  boost::asio::io_context io_{1};
  SystemClock clock_;

 private:
  async::Pool pool_{io_.get_executor()};
  FileMover files_{pool_};

 protected:
  std::shared_ptr<CdpBridge> bridge_;
};

class BrowsersRig final : public BridgeRig {
 public:
  BrowsersRig() {
    browsers_.infos.resize(1);
    browsers_.infos[0].id = "b";
    make_bridge(browsers_, "b");
    BrowsersRig::come_back();
  }
  void answer(std::string value) override { oldest()(std::string_view(R"({"value":)" + value + "}")); }
  void refuse(cdp::Failure failure) override { oldest()(as_told(failure)); }
  void lose(std::string why) override { browsers_.lose(*this, why); }
  void come_back() override {
    browsers_.infos[0].linked = true;
    link_up(browsers_.infos[0]);
  }

 private:
  std::function<void(Result<std::string_view>)> oldest() {
    auto done = std::move(browsers_.waiting.front());
    browsers_.waiting.pop_front();
    return done;
  }
  FakeBrowsers browsers_{io_};
};

class NoTasks final : public browser::LinkEvents {
 public:
  void up(task::BrowserState, std::string const&, std::vector<task::Hold> const&) override {}
  void down(std::string const&) override {}
  void changed(task::BrowserState) override {}
  void accepted(std::string const&, task::RunKey const&, task::TabInfo) override {}
  void busy(std::string const&, task::RunKey const&, std::int64_t) override {}
  void refused(std::string const&, task::RunKey const&, Error) override {}
  void started(std::string const&, task::RunKey const&, std::optional<task::TabInfo>, task::Injection) override {}
  void progress(std::string const&, task::RunKey const&, std::string) override {}
  void console(std::string const&, task::RunKey const&, task::ConsoleLine) override {}
  void finished(std::string const&, task::RunKey const&, task::Outcome, std::uint64_t) override {}
};

class LinkRig final : public BridgeRig {
 public:
  LinkRig() {
    registry_.tell(static_cast<browser::LinkEvents&>(tasks_));
    registry_.tell(static_cast<browser::CdpEvents&>(*this));
    make_bridge(registry_, browser_);
    LinkRig::come_back();
  }
  ~LinkRig() override {
    registry_.stop();
    settle();
  }
  void settle() override {
    BridgeRig::settle();
    for (auto& message : std::exchange(wire_->said, {})) {
      if (message.contains("method") && message.at("method") != "link.ping") asked_.push_back(std::move(message));
    }
  }
  void answer(std::string value) override {
    auto const id = oldest();
    wire_->say(wire::result(id, R"({"value":)" + value + "}"));
    settle();
  }
  void refuse(cdp::Failure failure) override {
    auto const id = oldest();
    wire_->say(wire::error(id, as_told(failure)));
    settle();
  }
  void lose(std::string) override {
    wire_->end();
    settle();
  }
  void come_back() override {
    asked_.clear();
    wire_ = std::make_unique<browser::Wire>(io_);
    browser::LinkCaller caller{.origin = "extension"};
    boost::asio::co_spawn(io_, registry_.serve_link(std::make_unique<browser::FakeSocket>(*wire_), std::move(caller)),
                          boost::asio::detached);
    settle();
    wire_->say(R"({"jsonrpc":"2.0","id":1,"method":"link.begin","params":{"protocol":1,"version":"0.1.0","browser":")" +
               browser_ + R"(","nonce":")" + nonce_ + R"(","has_key":false}})");
    BridgeRig::settle();
    auto const& met = wire_->said.at(0).at("result").as_object();
    auto const proof =
        hmac_base64(std::string(met.at("key").as_string()),
                    "browser|" + std::string(met.at("nonce").as_string()) + "|" + nonce_ + "|" + browser_);
    wire_->say(R"({"jsonrpc":"2.0","id":2,"method":"hello","params":{"instance":"i","proof":")" + proof + "\"}}");
    auto const linked = [this] {
      auto const info = registry_.find(browser_);
      return info && info->linked;
    };
    for (int turn = 0; turn < 1000 && !linked(); ++turn) {  // its key is written first
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(10));
    }
    settle();
  }

 private:
  std::string oldest() {
    settle();
    auto id = boost::json::serialize(asked_.at(0).at("id"));
    asked_.pop_front();
    return id;
  }
  store::Journal journal_{std::make_unique<store::MemoryStore>(),
                          [this](std::function<void()> call) { boost::asio::post(io_, std::move(call)); }};
  NoTasks tasks_;
  browser::Registry registry_{io_, clock_, journal_, {.daemon_id = "d"}, {}};
  std::string browser_ = make_uuid(), nonce_ = random_base64(32);
  std::unique_ptr<browser::Wire> wire_;
  std::deque<boost::json::object> asked_;
};

template <class Made>
class Transport : public testing::Test {
 protected:
  Transport() {
    rig.on_loss = [this](std::string_view) { heard.emplace_back("the link is lost"); };
  }
  cdp::Answered note(std::string name) {
    return [this, name = std::move(name)](cdp::Answer const& answer) {
      heard.push_back(name + ": " + (answer ? std::string(*answer) : std::to_string(answer.error().code)));
      if (!answer) failures.push_back(answer.error());
    };
  }
  void ask(std::string name) { rig.transport().send({.tab = 1}, "", "Runtime.evaluate", "{}", note(std::move(name))); }
  void ask_each_kind() {
    rig.transport().attach({.tab = 1}, note("attach"));
    ask("send");
    rig.transport().chrome("tabs.query", "[{}]", note("chrome"));
    rig.transport().sandbox("sandbox.open", "{}", note("sandbox"));
  }

  std::vector<std::string> heard;
  std::vector<cdp::Failure> failures;
  Made rig;
};

using Transports = testing::Types<DoubleRig, BrowsersRig, LinkRig>;
class Name {
 public:
  template <class Made>
  static std::string GetName(int) {
    return std::is_same_v<Made, DoubleRig> ? "double" : std::is_same_v<Made, BrowsersRig> ? "browsers" : "link";
  }
};
TYPED_TEST_SUITE(Transport, Transports, Name);

std::string const lost = std::to_string(cdp::link_lost);

TYPED_TEST(Transport, answers_come_as_the_browser_gave_them) {
  this->ask("a");
  this->ask("b");
  this->rig.settle();
  this->rig.answer(R"({"b":1, "a":1.50})");
  this->rig.answer("null");
  EXPECT_THAT(this->heard, ElementsAre(R"(a: {"b":1, "a":1.50})", "b: null"));
}

TYPED_TEST(Transport, an_error_of_chromes_keeps_its_code_its_words_and_its_data) {
  this->ask("a");
  this->rig.settle();
  this->rig.refuse({-32602, "Invalid parameters", "nodeId: integer expected"});
  ASSERT_EQ(this->failures.size(), 1U);
  EXPECT_EQ(this->failures[0].code, -32602);
  EXPECT_EQ(this->failures[0].message, "Invalid parameters");
  EXPECT_EQ(this->failures[0].data, "nodeId: integer expected");
}

TYPED_TEST(Transport, at_a_loss_the_gateway_hears_of_it_first_then_each_call_under_way_fails_once) {
  this->ask_each_kind();
  this->rig.settle();
  this->rig.lose("cut");
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("the link is lost", "attach: " + lost, "send: " + lost, "chrome: " + lost,
                                       "sandbox: " + lost));
  for (auto const& failure : this->failures)
    EXPECT_THAT(failure.message, HasSubstr("may or may not have been carried out"));
}

TYPED_TEST(Transport, a_call_while_the_link_is_down_fails_after_it_has_returned_and_was_not_carried_out) {
  this->rig.lose("cut");
  this->rig.settle();
  this->heard.clear();
  this->ask_each_kind();
  EXPECT_THAT(this->heard, IsEmpty());
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("attach: " + lost, "send: " + lost, "chrome: " + lost, "sandbox: " + lost));
  for (auto const& failure : this->failures) EXPECT_THAT(failure.message, Not(HasSubstr("may or may not")));
}

TYPED_TEST(Transport, a_call_that_the_loss_gives_rise_to_fails_as_one_while_the_link_is_down) {
  this->rig.on_loss = [this](std::string_view) { this->ask("from the loss"); };
  this->rig.transport().chrome("tabs.query", "[{}]", [this](cdp::Answer const&) { this->ask("from an answer"); });
  this->rig.settle();
  this->rig.lose("cut");
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("from the loss: " + lost, "from an answer: " + lost));
  for (auto const& failure : this->failures) EXPECT_THAT(failure.message, Not(HasSubstr("may or may not")));
}

TYPED_TEST(Transport, once_the_link_is_back_calls_are_answered_and_those_of_before_no_more) {
  this->ask("before");
  this->rig.settle();
  this->rig.lose("cut");
  this->rig.settle();
  this->rig.come_back();
  this->ask("after");
  this->rig.settle();
  this->rig.answer("7");
  EXPECT_THAT(this->heard, ElementsAre("the link is lost", "before: " + lost, "after: 7"));
}

}  // namespace
}  // namespace any::service
