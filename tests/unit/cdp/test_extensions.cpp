#include "unit/cdp/stage.hpp"

namespace any::cdp::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view manifest =
    R"({"name":"Stagehand Runtime","version":"1.3.0","background":{"service_worker":"service-worker.js"},)"
    R"("content_scripts":[{"matches":["<all_urls>"],"js":["content-script.js"]}]})";
constexpr std::string_view load = R"({"path":"/opt/stagehand/extension/"})";
constexpr std::string_view id = "amabdmmmljhhnknmhbondehgpjpcmajn";  // Chrome's for /opt/stagehand/extension

struct Extensions : Stage {
  Extensions() {
    for (auto const* method : {"sandbox.bind", "sandbox.close", "sandbox.socket", "sandbox.message"})
      transport.always(method, "{}");
    join(1, {.url = "ws://127.0.0.1:8766/devtools/browser/b"});
    file("manifest.json") = manifest;
    file("service-worker.js") = "run()";
    file("content-script.js") = "in(\"page\")";
  }
  std::string& file(std::string const& name) { return files.texts["/opt/stagehand/extension/" + name]; }
  void load_runtime(ClientId client = 1, int number = 100) {
    say(client, number, "Extensions.loadUnpacked", load);
    files.settle();
    opened = object(transport.answer("sandbox.open", "{}"));
    transport.settle();
  }
  /// The worker's target among those that the client is told of; empty where there is none.
  std::string worker(ClientId client = 1) {
    sockets.rest(client);
    say(client, 200, "Target.getTargets");
    auto const answer = object(sockets.next(client));
    for (auto const& target : answer.at("result").at("targetInfos").as_array()) {
      if (target.at("type") == "service_worker") return std::string(target.at("targetId").as_string());
    }
    return {};
  }
  /// A session on the worker, with its binding.
  std::string attach(ClientId client = 1) {
    auto const target = worker(client);
    say(client, 201, "Target.attachToTarget", R"({"flatten":true,"targetId":")" + target + "\"}");
    auto const event = object(sockets.next(client));
    auto session = std::string(event.at("params").at("sessionId").as_string());
    say(client, 202, "Runtime.addBinding", R"({"name":"toHost"})", session);
    sockets.rest(client);
    return session;
  }
  void dial(std::string_view url = "ws://127.0.0.1:8766/devtools/browser/b") {
    gateway.chrome_event("sandbox.dialled", R"([{"sandbox":1,"socket":7,"url":")" + std::string(url) + "\"}]");
  }
  /// What the sandbox's socket was told, oldest first.
  std::vector<std::string> asked(std::string_view method) {
    std::vector<std::string> all;
    for (auto const& call : transport.all) {
      if (call.starts_with(std::string(method) + " ")) all.push_back(call.substr(method.size() + 1));
    }
    return all;
  }
  std::string error(ClientId client = 1) {
    auto const said = told(client);
    return said.size() == 1 ? said.front() : "not one message but " + std::to_string(said.size());
  }

  boost::json::object opened;
};

TEST_F(Extensions, OfThePersonAreNotTold) {
  say(1, 1, "Extensions.getExtensions");
  EXPECT_THAT(told(), ElementsAre(R"(id 1: {"extensions":[]})"));
}

TEST_F(Extensions, ThatIsLoadedRunsInARoomUnderTheIdThatChromeWouldGiveIt) {
  load_runtime();
  EXPECT_EQ(opened.at("sandbox"), 1);
  EXPECT_EQ(opened.at("source"), "run()");
  EXPECT_EQ(opened.at("files").at("content-script.js"), "in(\"page\")");
  EXPECT_THAT(told(), ElementsAre(R"(id 100: {"id":")" + std::string(opened.at("extension").as_string()) + R"("})"));
  say(1, 1, "Extensions.getExtensions");
  EXPECT_THAT(told(), ElementsAre(HasSubstr(R"("name":"Stagehand Runtime","version":"1.3.0",)"
                                            R"("path":"/opt/stagehand/extension","enabled":true)")));
  EXPECT_EQ(opened.at("extension").as_string(), id);
}

TEST_F(Extensions, WorkerIsATargetThatItsClientAloneSees) {
  say(1, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  join(2);
  say(2, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  sockets.rest(1);
  sockets.rest(2);
  load_runtime();
  EXPECT_THAT(told(1), ElementsAre("Target.targetCreated", HasSubstr("id 100")));
  EXPECT_THAT(told(2), IsEmpty());
  EXPECT_THAT(worker(1), Not(IsEmpty()));
  EXPECT_THAT(worker(2), IsEmpty());
  auto const target = worker(1);
  sockets.rest(2);
  say(2, 2, "Target.attachToTarget", R"({"flatten":true,"targetId":")" + target + "\"}");
  EXPECT_EQ(error(2), "id 2: error No target with given id found");
}

TEST_F(Extensions, WorkerEvaluatesAndCallsItsBinding) {
  load_runtime();
  auto const session = attach();
  say(1, 1, "Runtime.enable", "{}", session);
  EXPECT_THAT(told(), ElementsAre("Runtime.executionContextCreated", "id 1: {}"));
  say(1, 2, "Runtime.evaluate", R"x({"expression":"say(\"é\")","awaitPromise":true,"returnByValue":true})x", session);
  EXPECT_EQ(transport.answer("sandbox.evaluate", R"({"result":{"type":"number","value":3}})"),
            R"x({"sandbox":1,"awaitPromise":true,"returnByValue":true,"expression":"say(\"é\")"})x");
  EXPECT_THAT(told(), ElementsAre(R"(id 2: {"result":{"type":"number","value":3}})"));
  gateway.chrome_event("sandbox.called", R"([{"sandbox":1,"name":"toHost","payload":"{\"id\":1}"}])");
  auto const called = object(sockets.next());
  EXPECT_EQ(called.at("method"), "Runtime.bindingCalled");
  EXPECT_EQ(called.at("sessionId").as_string(), session);
  EXPECT_EQ(called.at("params").at("payload"), R"({"id":1})");
  EXPECT_EQ(called.at("params").at("executionContextId"), 1);
}

TEST_F(Extensions, WorkerKnowsNothingButRuntime) {
  load_runtime();
  auto const session = attach();
  say(1, 1, "Network.enable", "{}", session);
  EXPECT_EQ(error(), "id 1: error 'Network.enable' wasn't found");
  say(1, 2, "Runtime.evaluate", "{}", session);
  EXPECT_EQ(error(), "id 2: error Invalid parameters");
  gateway.chrome_event("sandbox.called", R"([{"sandbox":1,"name":"other","payload":""}])");
  gateway.chrome_event("sandbox.called", R"([{"sandbox":9,"name":"toHost","payload":""}])");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Extensions, WorkerIsAClientOfItsOwnOnTheSocketThatItOpens) {
  load_runtime();
  sockets.rest(1);
  dial();
  transport.settle();
  EXPECT_EQ(gateway.counts().clients, 2U);
  gateway.chrome_event("sandbox.sent",
                       R"([{"sandbox":1,"socket":7,"data":"{\"id\":5,\"method\":\"Browser.getVersion\"}"}])");
  transport.settle();
  EXPECT_THAT(asked("sandbox.socket"), ElementsAre(R"({"sandbox":1,"socket":7,"state":"open"})"));
  EXPECT_THAT(asked("sandbox.message"),
              ElementsAre(HasSubstr(R"({"sandbox":1,"socket":7,"data":"{\"id\":5,\"result\":{\"protocolVersion\")")));
  EXPECT_THAT(told(1), IsEmpty());
  gateway.chrome_event("sandbox.hungup", R"([{"sandbox":1,"socket":7}])");
  EXPECT_EQ(gateway.counts().clients, 1U);
}

TEST_F(Extensions, WorkerMayCloseItsOwnSocketAlone) {
  load_runtime();
  dial();
  gateway.chrome_event("sandbox.sent",
                       R"([{"sandbox":1,"socket":7,"data":"{\"id\":5,\"method\":\"Browser.close\"}"}])");
  EXPECT_THAT(asked("sandbox.socket").back(), HasSubstr(R"("state":"closed","code":1000)"));
  EXPECT_THAT(sockets.closed, IsEmpty());
  EXPECT_EQ(gateway.counts().clients, 1U);
}

TEST_F(Extensions, WorkerMayOpenNoOtherAddress) {
  load_runtime();
  for (auto const* url : {"ws://127.0.0.1:9222/devtools/browser/b", "ws://127.0.0.1:8766/devtools/browser/other",
                          "ws://example.org/", ""}) {
    dial(url);
    EXPECT_THAT(asked("sandbox.socket").back(), HasSubstr(R"("state":"closed","code":1008)")) << url;
  }
  EXPECT_EQ(gateway.counts().clients, 1U);
}

TEST_F(Extensions, EndsWithItsClient) {
  load_runtime();
  dial();
  join(2);
  gateway.gone(1);
  EXPECT_THAT(asked("sandbox.close"), ElementsAre(R"({"sandbox":1})"));
  EXPECT_EQ(gateway.counts().clients, 1U);
  gateway.chrome_event("sandbox.sent",
                       R"([{"sandbox":1,"socket":7,"data":"{\"id\":5,\"method\":\"Browser.getVersion\"}"}])");
  EXPECT_THAT(asked("sandbox.message"), IsEmpty());
}

TEST_F(Extensions, OfTwoClientsDoNotMeet) {
  join(2, {.url = "ws://127.0.0.1:8766/devtools/browser/b"});
  load_runtime(1);
  load_runtime(2);
  auto const first = attach(1), second = attach(2);
  gateway.chrome_event("sandbox.called", R"([{"sandbox":2,"name":"toHost","payload":"x"}])");
  EXPECT_THAT(told(1), IsEmpty());
  EXPECT_THAT(told(2), ElementsAre("Runtime.bindingCalled"));
  gateway.gone(1);
  EXPECT_THAT(worker(2), Not(IsEmpty()));
}

TEST_F(Extensions, UninstalledTakesItsWorkerAlong) {
  load_runtime();
  attach();
  say(1, 1, "Extensions.uninstall", R"({"id":"abc"})");
  EXPECT_EQ(error(), "id 1: error Uninstall failed. Reason: could not find extension.");
  say(1, 2, "Extensions.uninstall", R"({"id":")" + std::string(id) + "\"}");
  EXPECT_THAT(told(), ElementsAre("Target.detachedFromTarget", "id 2: {}"));
  EXPECT_THAT(asked("sandbox.close"), ElementsAre(R"({"sandbox":1})"));
  EXPECT_THAT(worker(), IsEmpty());
}

TEST_F(Extensions, LoadedAnewBeginsAnew) {
  load_runtime();
  load_runtime(1, 101);
  EXPECT_EQ(opened.at("sandbox"), 2);
  EXPECT_THAT(asked("sandbox.close"), ElementsAre(R"({"sandbox":1})"));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("id 100"), HasSubstr("id 101")));
}

TEST_F(Extensions, ThatCannotBeReadAreRefusedInChromesWords) {
  auto const refused = [this] {
    say(1, 1, "Extensions.loadUnpacked", load);
    files.settle();
    return error();
  };
  auto const without = [&](std::string_view name) {
    auto const whole = files.texts;
    std::erase_if(files.texts, [name](auto const& row) { return row.first.ends_with(name); });
    auto said = refused();
    files.texts = whole;
    return said;
  };
  EXPECT_EQ(without(""), "id 1: error File path cannot be resolved.");
  EXPECT_EQ(without("manifest.json"), "id 1: error Manifest file is missing or unreadable");
  EXPECT_EQ(without("service-worker.js"), "id 1: error Could not load background script 'service-worker.js'.");
  EXPECT_EQ(without("content-script.js"), "id 1: error Could not load javascript 'content-script.js' for script.");
  say(1, 2, "Extensions.loadUnpacked");
  EXPECT_EQ(error(), "id 2: error Invalid parameters");
}

TEST_F(Extensions, OfOtherMakesAreRefused) {
  auto const refused = [this](std::string_view text) {
    file("manifest.json") = text;
    say(1, 1, "Extensions.loadUnpacked", load);
    files.settle();
    return error();
  };
  EXPECT_THAT(refused("{oops"), HasSubstr("Manifest is not valid JSON."));
  EXPECT_EQ(refused("[1]"), "id 1: error Manifest file is invalid");
  EXPECT_EQ(refused(R"({"version":"1"})"), "id 1: error Required value 'name' is missing or invalid.");
  EXPECT_EQ(refused(R"({"name":"n"})"), "id 1: error Required value 'version' is missing or invalid.");
  auto const by_hand = HasSubstr("Load this one by hand");
  EXPECT_THAT(refused(R"({"name":"n","version":"1","background":{"service_worker":"w.js"}})"), by_hand);
  EXPECT_THAT(refused(R"({"name":"Stagehand Runtime","version":"1"})"), by_hand);
}

TEST_F(Extensions, WhoseWorkerThrowsAreRefusedWithWhatItThrew) {
  say(1, 1, "Extensions.loadUnpacked", load);
  files.settle();
  transport.refuse("sandbox.open", "Service worker registration failed. Status code: 15. Uncaught 1 (line 1)");
  EXPECT_EQ(error(), "id 1: error Service worker registration failed. Status code: 15. Uncaught 1 (line 1)");
  EXPECT_THAT(worker(), IsEmpty());
}

TEST_F(Extensions, OfAClientThatLeavesMeanwhileAreNotOpened) {
  say(1, 1, "Extensions.loadUnpacked", load);
  gateway.gone(1);
  files.settle();
  EXPECT_THAT(files.asked, ElementsAre("read manifest.json"));
  EXPECT_FALSE(transport.waits("sandbox.open"));
}

TEST_F(Extensions, AreLostWithTheLinkAndTheirClientIsTold) {
  load_runtime();
  dial();
  join(2);
  transport.link_down(gateway);
  EXPECT_THAT(sockets.closed[1], HasSubstr("1001 the runtime of Stagehand 4 was lost"));
  EXPECT_FALSE(sockets.closed.contains(2));
  EXPECT_EQ(gateway.counts().clients, 1U);
}

struct HiddenTargets : Extensions {
  std::string create(ClientId client) {
    sockets.rest(client);
    say(client, 1, "Target.createTarget", R"({"url":"about:blank#here","hidden":true})");
    std::string made;
    for (auto const& text : sockets.rest(client)) {
      auto const message = object(text);
      if (message.contains("result")) made = message.at("result").at("targetId").as_string();
    }
    return made;
  }
};

TEST_F(HiddenTargets, AreSeenByEveryClientUntilTheirOwnLeaves) {
  join(2);
  say(2, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  sockets.rest(2);
  auto const made = create(1);
  EXPECT_THAT(told(2), ElementsAre("Target.targetCreated"));
  say(2, 2, "Target.getTargetInfo", R"({"targetId":")" + made + "\"}");
  auto const info = object(sockets.next(2)).at("result").at("targetInfo");
  EXPECT_EQ(info.at("type"), "other");
  EXPECT_EQ(info.at("url"), "about:blank#here");
  EXPECT_TRUE(asked("tabs.create").empty());
  gateway.gone(1);
  EXPECT_THAT(told(2), ElementsAre("Target.targetDestroyed"));
}

TEST_F(HiddenTargets, CanBeAttachedToAndClosed) {
  auto const made = create(1);
  say(1, 2, "Target.attachToTarget", R"({"flatten":true,"targetId":")" + made + "\"}");
  auto const session = std::string(object(sockets.next()).at("params").at("sessionId").as_string());
  sockets.rest();
  say(1, 3, "Runtime.runIfWaitingForDebugger", "{}", session);
  say(1, 4, "Page.enable", "{}", session);
  say(1, 5, "Page.navigate", R"({"url":"about:blank"})", session);
  EXPECT_THAT(told(), ElementsAre("id 3: {}", "id 4: {}", "id 5: error 'Page.navigate' wasn't found"));
  say(1, 6, "Target.closeTarget", R"({"targetId":")" + made + "\"}");
  EXPECT_THAT(told(), ElementsAre("Target.detachedFromTarget", R"(id 6: {"success":true})"));
}

TEST_F(HiddenTargets, HaveNoWindowAndNoTab) {
  say(1, 1, "Target.createTarget", R"({"url":"about:blank","hidden":true,"newWindow":true})");
  EXPECT_EQ(error(), "id 1: error Hidden target cannot be created in a new window");
  say(1, 2, "Target.createTarget", R"({"url":"about:blank","hidden":true,"forTab":true})");
  EXPECT_EQ(error(), "id 2: error Hidden target cannot be created for tab");
}

}  // namespace
}  // namespace any::cdp::test
