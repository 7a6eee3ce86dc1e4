// Several clients in one tab, which Chrome lets be attached to once.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

class Sharing : public Stage {
 protected:
  void SetUp() override {
    attach_answers();
    for (ClientId client : {1U, 2U}) join(client, {.target = std::string(page_1)});
  }
  void event(std::string_view method, std::string_view params = "{}") {
    gateway.debugger_event({.tab = 1}, "", method, params);
  }
};

TEST_F(Sharing, both_may_use_the_same_ids_and_each_gets_its_own_answer) {
  say(1, 7, "Runtime.evaluate", R"({"expression":"one"})");
  say(2, 7, "Runtime.evaluate", R"({"expression":"two"})");
  auto const first = transport.take("Runtime.evaluate"), second = transport.take("Runtime.evaluate");
  second.done(std::string_view(R"({"of":2})"));
  first.done(std::string_view(R"({"of":1})"));
  EXPECT_EQ(told(1), std::vector<std::string>{R"(id 7: {"of":1})"});
  EXPECT_EQ(told(2), std::vector<std::string>{R"(id 7: {"of":2})"});
}

TEST_F(Sharing, events_go_to_whoever_has_enabled_the_domain) {
  say(1, 1, "Network.enable");
  say(2, 1, "Page.enable");
  told(1);
  told(2);
  event("Network.requestWillBeSent");
  event("Page.loadEventFired");
  EXPECT_EQ(told(1), std::vector<std::string>{"Network.requestWillBeSent"});
  EXPECT_EQ(told(2), std::vector<std::string>{"Page.loadEventFired"});
}

TEST_F(Sharing, a_domain_is_disabled_in_chrome_only_by_the_last) {
  say(1, 1, "Network.enable");
  say(2, 1, "Network.enable");
  transport.all.clear();
  say(1, 2, "Network.disable");
  EXPECT_THAT(transport.all, ::testing::Not(::testing::Contains("Network.disable {}")));
  say(2, 2, "Network.disable");
  EXPECT_THAT(transport.all, ::testing::Contains("Network.disable {}"));
}

TEST_F(Sharing, contexts_are_told_to_a_client_that_enables_later) {
  transport.usual.erase("Runtime.enable");
  say(1, 1, "Runtime.enable");
  event(
      "Runtime.executionContextCreated",
      R"({"context":{"id":3,"origin":"o","name":"","uniqueId":"u3","auxData":{"isDefault":true,"type":"default","frameId":"f"}}})");
  transport.answer("Runtime.enable", "{}");
  say(2, 1, "Runtime.enable");
  transport.answer("Runtime.enable", "{}");
  EXPECT_EQ(told(1), (std::vector<std::string>{"Runtime.executionContextCreated", "id 1: {}"}));
  EXPECT_EQ(told(2), (std::vector<std::string>{"Runtime.executionContextCreated", "id 1: {}"}));
}

TEST_F(Sharing, a_binding_calls_only_whoever_added_it) {
  say(1, 1, "Runtime.enable");
  say(2, 1, "Runtime.enable");
  say(1, 2, "Runtime.addBinding", R"({"name":"mine"})");
  told(1);
  told(2);
  event("Runtime.bindingCalled", R"({"name":"mine","payload":"","executionContextId":1})");
  EXPECT_EQ(told(1), std::vector<std::string>{"Runtime.bindingCalled"});
  EXPECT_TRUE(told(2).empty());
}

TEST_F(Sharing, an_init_script_can_be_removed_only_by_its_client) {
  transport.always("Page.addScriptToEvaluateOnNewDocument", R"({"identifier":"41"})");
  say(1, 1, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"1"})");
  EXPECT_EQ(told(1), std::vector<std::string>{R"(id 1: {"identifier":"1"})"});
  say(2, 1, "Page.removeScriptToEvaluateOnNewDocument", R"({"identifier":"1"})");
  EXPECT_EQ(told(2), std::vector<std::string>{"id 1: error Script not found"});
  transport.all.clear();
  say(1, 2, "Page.removeScriptToEvaluateOnNewDocument", R"({"identifier":"1"})");
  EXPECT_EQ(transport.all, std::vector<std::string>{R"(Page.removeScriptToEvaluateOnNewDocument {"identifier":"41"})"});
}

TEST_F(Sharing, what_a_client_alone_had_switched_on_is_switched_off_when_it_leaves) {
  say(1, 1, "Network.enable");
  say(1, 2, "Emulation.setLocaleOverride", R"({"locale":"de"})");
  say(2, 1, "Page.enable");
  transport.all.clear();
  gateway.gone(1);
  EXPECT_THAT(transport.all, ::testing::UnorderedElementsAre("Network.disable {}", "Emulation.setLocaleOverride {}"));
  EXPECT_EQ(gateway.counts().attached, 1U);
}

TEST_F(Sharing, no_session_of_one_client_answers_another) {
  join(3);
  auto const session = attach_all(3).at(std::string(page_1));
  join(4);
  say(4, 1, "Runtime.evaluate", R"({"expression":"1"})", session);
  EXPECT_EQ(told(4), std::vector<std::string>{"id 1: error Session with given id not found."});
}

TEST_F(Sharing, a_crash_answers_what_chrome_never_will) {
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  event("Inspector.targetCrashed");
  EXPECT_EQ(told(1), (std::vector<std::string>{"Inspector.targetCrashed", "id 1: error Target crashed"}));
}

TEST_F(Sharing, a_crash_is_told_at_the_browsers_level_to_whoever_discovers_targets) {
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  join(3);
  say(3, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  told(3);
  event("Inspector.targetCrashed");
  EXPECT_EQ(told(3), std::vector<std::string>{"Target.targetCrashed"});
}

TEST_F(Sharing, a_closed_tab_answers_what_was_asked_and_closes_its_sockets) {
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  gateway.chrome_event("tabs.onRemoved", R"([1,{"windowId":9}])");
  EXPECT_EQ(told(1).front(), "id 1: error Inspected target navigated or closed");
  EXPECT_EQ(sockets.closed.size(), 2U);
}

TEST_F(Sharing, a_session_that_comes_to_a_worker_later_is_told_that_its_script_has_run) {
  join(3);
  auto const page = attach_all(3).at(std::string(page_1));
  say(3, 1, "Target.setAutoAttach", R"({"autoAttach":true,"waitForDebuggerOnStart":false,"flatten":true})", page);
  say(3, 2, "Runtime.evaluate", R"({"expression":"1"})", page);
  event("Target.attachedToTarget",
        R"({"sessionId":"up","targetInfo":{"targetId":"W","type":"worker","title":"","url":"http://a.example/w.js"},)"
        R"("waitingForDebugger":false})");
  told(3);
  gateway.debugger_event({.tab = 1}, "up", "Inspector.workerScriptLoaded", "{}");
  EXPECT_EQ(told(3), std::vector<std::string>{"Inspector.workerScriptLoaded"});

  say(3, 3, "Target.attachToTarget", R"({"targetId":"W","flatten":true})");
  auto const said = told(3);
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ(said[0], "Target.attachedToTarget");
  EXPECT_THAT(said[1], ::testing::StartsWith("id 3: ")) << "Puppeteer listens for the next once it has this";
  EXPECT_EQ(said[2], "Inspector.workerScriptLoaded");

  join(4, {.target = "W"});
  EXPECT_EQ(told(4), std::vector<std::string>{"Inspector.workerScriptLoaded"});
}

}  // namespace any::cdp::test
