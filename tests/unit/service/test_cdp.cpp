// The join between a gateway and its browser: which browser, whose error, where a file goes.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "service/cdp_client.hpp"
#include "service/cdp_service.hpp"
#include "unit/browser/played_socket.hpp"
#include "unit/service/fake_browsers.hpp"
#include "wire/json.hpp"

namespace any::service {
namespace {

namespace fs = std::filesystem;

class CdpServiceTest : public testing::Test {
 protected:
  browser::Info info(std::string id, std::string label, Millis used, bool linked = true) {
    browser::Info out;
    out.id = std::move(id);
    out.label = std::move(label);
    out.used = used;
    out.linked = linked;
    out.product = "Google Chrome 156.0.1.2";
    return out;
  }

  template <class T>
  T run(Async<T> work) {
    std::optional<T> result;
    auto done = [&](std::exception_ptr failed, T value) {
      if (failed) std::rethrow_exception(failed);
      result.emplace(std::move(value));
      io.stop();
    };
    boost::asio::co_spawn(io, std::move(work), std::move(done));
    io.restart();
    io.run_for(std::chrono::seconds(10));
    if (!result) throw std::runtime_error("it has not ended");
    return std::move(*result);
  }

  boost::asio::io_context io{1};
  SystemClock clock;
  FakeBrowsers browsers{io};
  async::Pool pool{io.get_executor()};
  CdpService service{io, clock, browsers, pool};
};

TEST_F(CdpServiceTest, WithoutANameTheOneUsedLastIsTaken) {
  browsers.infos = {info("a", "one", 5), info("b", "two", 9), info("c", "three", 20, false)};
  EXPECT_EQ(run(service.choose("", 0))->id, "b");
  browsers.infos[1].paused = true;
  EXPECT_EQ(run(service.choose("", 0))->id, "a") << "a paused one only where there is no other";
  EXPECT_EQ(run(service.choose("two", 0)).error().name, ErrorName::PausedError);
  browsers.infos[0].prototype = true;
  EXPECT_EQ(run(service.choose("", 0)).error().name, ErrorName::PausedError);
}

TEST_F(CdpServiceTest, AnUnknownNameIsSaidAtOnceAndAnAbsentBrowserIsWaitedFor) {
  browsers.infos = {info("a", "one", 5, false)};
  EXPECT_EQ(run(service.choose("nobody", 60'000)).error().name, ErrorName::NotFoundError);
  EXPECT_EQ(run(service.choose("one", 20)).error().name, ErrorName::NoBrowserError);
  boost::asio::post(io, [this] {
    browsers.infos[0].linked = true;
    service.link_up(browsers.infos[0]);
  });
  EXPECT_EQ(run(service.choose("one", 60'000))->id, "a");
}

TEST_F(CdpServiceTest, WhoWaitsForABrowserIsToldOfTheEnd) {
  boost::asio::post(io, [this] { service.stop(); });
  EXPECT_EQ(run(service.choose("", 60'000)).error().name, ErrorName::NoBrowserError);
}

TEST_F(CdpServiceTest, TabsAreAskedOfTheBrowserAndItsErrorsKeepTheirWords) {
  browsers.infos = {info("a", "one", 5)};
  browsers.answer = [](std::string_view, std::string_view params) -> Result<std::string> {
    if (params.find("debugger.getTargets") != std::string_view::npos) {
      return std::string(R"({"value":[{"id":"T1","type":"page","title":"t","url":"http://x/","tabId":7}]})");
    }
    if (params.find("tabs.query") != std::string_view::npos) {
      return std::string(R"({"value":[{"id":7,"windowId":1,"url":"http://x/","title":"t","incognito":false}]})");
    }
    return std::string("{}");
  };
  auto const rows = run(service.list("a"));
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().id, "T1");
  EXPECT_EQ(browsers.asked.front(), R"(chrome.call {"path":"tabs.query","args":[{}]})");
  EXPECT_EQ(service.counts().clients, 0U);
}

TEST_F(CdpServiceTest, AClientThatWasLetInJustBeforeTheLinkWasLostIsToldThatTheBrowserIsGone) {
  browsers.infos = {info("a", "one", 5)};
  CdpService impatient{io, clock, browsers, pool, {.link_grace = 20}};
  auto const chosen = run(impatient.choose("one", 0));
  ASSERT_TRUE(chosen);
  browsers.lose(impatient, "cut");  // nobody has asked for its gateway yet
  browser::Wire wire{io};
  bool served = false;
  boost::asio::co_spawn(io, impatient.serve(chosen->id, {}, std::make_unique<browser::FakeSocket>(wire), "a program"),
                        [&served](std::exception_ptr) { served = true; });
  auto const rows = run(impatient.list(chosen->id));
  ASSERT_FALSE(rows);
  EXPECT_NE(rows.error().message.find("The browser is not there"), std::string::npos);
  io.restart();
  io.run_for(std::chrono::milliseconds(100));
  EXPECT_EQ(wire.closed, 1001);
  EXPECT_TRUE(served);
}

TEST_F(CdpServiceTest, ABugWhileACommandIsTakenIsTheAnswerToItAndTheClientIsServedOn) {
  browsers.infos = {info("a", "one", 5)};
  bool broken = false;
  browsers.answer = [&](std::string_view, std::string_view) -> Result<std::string> {
    if (broken) throw std::runtime_error("it broke");
    return std::string(R"({"value":[]})");
  };
  browser::Wire wire{io};
  bool served = false;
  boost::asio::co_spawn(io, service.serve("a", {}, std::make_unique<browser::FakeSocket>(wire), "a program"),
                        [&served](std::exception_ptr) { served = true; });
  auto const answers = [&](std::size_t count) {
    for (int i = 0; i < 200 && wire.said.size() < count; ++i) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(50));
    }
    return wire.said.size() >= count;
  };
  wire.say(R"({"id":1,"method":"Browser.getVersion"})");
  ASSERT_TRUE(answers(1));
  broken = true;
  wire.say(R"({"id":2,"method":"Target.createTarget","params":{"url":"about:blank"}})");
  ASSERT_TRUE(answers(2));
  EXPECT_EQ(wire.said[1].at("id").as_int64(), 2);
  EXPECT_EQ(wire.said[1].at("error").at("code").as_int64(), -32603) << boost::json::serialize(wire.said[1]);
  broken = false;
  wire.say(R"({"id":3,"method":"Browser.getVersion"})");
  ASSERT_TRUE(answers(3));
  EXPECT_TRUE(wire.said[2].contains("result"));
  EXPECT_FALSE(served);
  wire.end();
  io.restart();
  while (!served && io.run_one_for(std::chrono::seconds(5)) > 0) {
  }
  EXPECT_EQ(service.counts().clients, 0U);
}

class CdpClientTest : public CdpServiceTest {
 protected:
  CdpClientTest() {
    browsers.infos = {info("a", "one", 5)};
    browsers.answer = [this](std::string_view, std::string_view params) -> Result<std::string> {
      auto const has = [params](std::string_view text) { return params.find(text) != std::string_view::npos; };
      if (has("debugger.getTargets"))
        return std::string(R"({"value":[{"id":"T1","type":"page","title":"t","url":"http://x/","tabId":7}]})");
      if (has("tabs.query")) return std::string(R"({"value":[{"id":7,"windowId":1,"url":"http://x/","title":"t"}]})");
      if (has("DOM.getDocument")) return std::string(R"({"value":{"root":{"nodeId":1}}})");
      if (has("Network.enable")) ++enables;
      if (has("DOM.describeNode")) {
        Error error{ErrorName::BadRequestError, "ours"};
        error.extra["cdp"] = {{"code", -32000}, {"message", "Could not find node with given id"}};
        return error;
      }
      return std::string(R"({"value":{}})");
    };
  }
  std::unique_ptr<CdpClient> client(std::optional<cdp::TabId> tab) {
    auto made = run(service.client("a", tab));
    return made ? std::move(*made) : nullptr;
  }
  int enables = 0;
};

TEST_F(CdpClientTest, ACallIsAnsweredWithTheRawResultOrChromesOwnError) {
  auto const page = client(7);
  ASSERT_TRUE(page);
  EXPECT_EQ(*run(page->call("DOM.getDocument")), R"({"root":{"nodeId":1}})");
  auto const failed = run(page->call("DOM.describeNode", R"({"nodeId":9})"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "Could not find node with given id");
  auto const whole = client(std::nullopt);
  EXPECT_NE(run(whole->call("Browser.getVersion"))->find("Chrome/156"), std::string::npos);
}

TEST_F(CdpClientTest, ATabThatIsNotThereIsSaid) {
  auto const none = run(service.client("a", 99));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "No target with given id found");
}

TEST_F(CdpClientTest, WhatItHasSwitchedOnEndsWithIt) {
  auto page = client(7);
  ASSERT_TRUE(run(page->call("Network.enable")));
  EXPECT_EQ(enables, 1);
  EXPECT_EQ(service.counts().attached, 1U);
  page.reset();
  EXPECT_EQ(service.counts().clients, 0U);
  EXPECT_EQ(service.counts().attached, 0U);
}

TEST_F(CdpClientTest, EventsThatFitComeToItsHandlersAlone) {
  auto const page = client(7);
  ASSERT_TRUE(run(page->call("Network.enable")));
  std::vector<std::string> heard;
  auto const note = [&heard](std::string_view, std::string_view method, std::string_view params) {
    heard.push_back(std::string(method) + " " + std::string(params));
  };
  page->on_event("Network.*", note);
  page->on_event("Networks.dataReceived", note);
  service.debugger_event("a", R"({"tab":7,"method":"Network.dataReceived","params":{"requestId":"1"}})");
  EXPECT_EQ(heard, (std::vector<std::string>{R"(Network.dataReceived {"requestId":"1"})"}));
}

TEST_F(CdpClientTest, ACallThatIsNotAnsweredInTimeSaysSoAndItsAnswerIsDropped) {
  auto const page = client(7);
  ASSERT_TRUE(run(page->call("DOM.getDocument")));
  browsers.answer = nullptr;  // from now on nothing is answered by itself
  auto const late = run(page->call("Page.reload", "{}", 30));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, CdpClient::too_late);
  EXPECT_NE(late.error().message.find("may or may not"), std::string::npos);
  browsers.reply("a", std::string_view(R"({"value":{}})"));
}

TEST_F(CdpClientTest, ATargetThatGoesEndsItsCallsAndTellsWhy) {
  auto const page = client(7);
  ASSERT_TRUE(run(page->call("DOM.getDocument")));
  browsers.answer = nullptr;
  bool told = false;
  page->on_closed([&told] { told = true; });
  boost::asio::post(io, [this] { service.chrome_event("a", R"({"path":"tabs.onRemoved","args":[7,{}]})"); });
  EXPECT_FALSE(run(page->call("Page.reload")));
  EXPECT_TRUE(told);
  EXPECT_EQ(page->closed_because(), "target closed");
  EXPECT_EQ(run(page->call("Page.reload")).error().code, cdp::link_lost);
}

TEST(CdpFailure, ChromesOwnErrorIsPassedOnWhole) {
  Error error{ErrorName::ScriptError, "ours"};
  EXPECT_EQ(cdp_failure(error).message, "ours");
  EXPECT_EQ(cdp_failure(error).code, -32000);
  error.extra["cdp"] = {{"code", -32602}, {"message", "Invalid parameters"}, {"data", "nodeId: integer expected"}};
  auto const failure = cdp_failure(error);
  EXPECT_EQ(failure.code, -32602);
  EXPECT_EQ(failure.message, "Invalid parameters");
  EXPECT_EQ(failure.data, "nodeId: integer expected");
  EXPECT_EQ(cdp_failure({ErrorName::BrowserLostError, "gone"}).code, cdp::link_lost);
}

TEST(CdpFacts, TheProductIsNamedAsARawPortNamesIt) {
  auto const product = [](std::string said) {
    browser::Info info;
    info.product = std::move(said);
    return cdp_facts(info).product;
  };
  EXPECT_EQ(product("Google Chrome 156.0.8078.79"), "Chrome/156.0.8078.79");
  EXPECT_EQ(product("Chromium 156.0.8078.79"), "Chrome/156.0.8078.79");
  EXPECT_EQ(product("Microsoft Edge 156.0.1.2"), "Edg/156.0.1.2");
  EXPECT_EQ(product("Simulated/1"), "Simulated/1");
}

class MoveFile : public testing::Test {
 protected:
  MoveFile() { fs::create_directories(folder); }
  ~MoveFile() override { fs::remove_all(folder); }
  std::string write(std::string const& name, std::string const& text) {
    std::ofstream(folder / name) << text;
    return folder / name;
  }
  static std::string read(fs::path const& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path folder = fs::temp_directory_path() / ("any-move-" + std::to_string(::getpid()));
};

TEST_F(MoveFile, AFileGoesIntoAFolderThatIsMadeForItAndReplacesWhatIsThere) {
  auto const from = write("a", "new");
  EXPECT_EQ(move_file(from, folder / "deep" / "er" / "b"), "");
  EXPECT_EQ(read(folder / "deep" / "er" / "b"), "new");
  EXPECT_FALSE(fs::exists(from));
  EXPECT_EQ(move_file(write("a", "newer"), folder / "deep" / "er" / "b"), "");
  EXPECT_EQ(read(folder / "deep" / "er" / "b"), "newer");
}

TEST_F(MoveFile, AnotherFileSystemIsNoObstacle) {
  fs::path const elsewhere = "/dev/shm/any-move-" + std::to_string(::getpid());
  EXPECT_EQ(move_file(write("a", "text"), elsewhere / "b"), "");
  EXPECT_EQ(read(elsewhere / "b"), "text");
  EXPECT_FALSE(fs::exists(folder / "a"));
  EXPECT_FALSE(fs::exists(elsewhere / "b.part"));
  fs::remove_all(elsewhere);
}

TEST_F(MoveFile, WhatIsWrongIsSaidAndNothingIsLost) {
  EXPECT_NE(move_file(folder / "none", folder / "b").find("it is not there"), std::string::npos);
  auto const from = write("a", "text");
  EXPECT_NE(move_file(from, "b").find("absolute"), std::string::npos);
  write("file", "");
  EXPECT_NE(move_file(from, folder / "file" / "b"), "");
  EXPECT_EQ(read(from), "text");
}

TEST_F(MoveFile, TheMoverAnswersOnTheIoThreadAfterItHasReturned) {
  boost::asio::io_context io{1};
  auto const guard = boost::asio::make_work_guard(io);
  async::Pool pool(io.get_executor());
  FileMover mover(pool);
  bool returned = false;
  std::string said = "nothing";
  mover.move(write("a", "text"), folder / "b", [&](std::string const& problem) {
    EXPECT_TRUE(returned);
    said = problem;
    io.stop();
  });
  returned = true;
  io.run_for(std::chrono::seconds(10));
  EXPECT_EQ(said, "");
  EXPECT_EQ(read(folder / "b"), "text");
}

}  // namespace
}  // namespace any::service
