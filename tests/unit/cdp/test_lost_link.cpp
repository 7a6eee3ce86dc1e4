// A CDP client survives a dropped link.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

class LostLink : public Stage {
 protected:
  void back() {
    transport.link_up(gateway, {.browser_id = "b", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
    transport.settle();
  }
};

TEST_F(LostLink, commands_wait_and_what_was_enabled_is_enabled_again) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Network.enable");
  told();
  transport.all.clear();
  transport.link_down(gateway);
  say(1, 2, "Runtime.evaluate", R"({"expression":"1"})");
  EXPECT_TRUE(told().empty());
  back();
  EXPECT_THAT(transport.all, ::testing::IsSupersetOf({"attach 1", "Network.enable {}"}));
  transport.answer("Runtime.evaluate", R"({"back":1})");
  EXPECT_EQ(told().back(), R"(id 2: {"back":1})");
}

TEST_F(LostLink, what_was_under_way_is_answered_with_what_is_known_of_it) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  transport.link_down(gateway);
  auto const said = told();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("may or may not have been carried out"));
}

TEST_F(LostLink, what_waits_for_a_tab_to_be_restored_goes_on_waiting) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Network.enable");
  transport.link_down(gateway);
  transport.usual.erase("Network.enable");
  back();
  say(1, 2, "Runtime.evaluate", R"({"expression":"1"})");
  told();
  transport.link_down(gateway);  // while what it had is being restored
  EXPECT_TRUE(told().empty());
  attach_answers();
  back();
  transport.answer("Runtime.evaluate", R"({"back":1})");
  EXPECT_EQ(told().back(), R"(id 2: {"back":1})");
}

TEST_F(LostLink, a_domain_whose_enabling_was_under_way_is_off_for_a_client_that_was_told_so) {
  attach_answers();
  transport.usual.erase("Network.enable");
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Network.enable");
  transport.link_down(gateway);
  EXPECT_THAT(told().back(), ::testing::HasSubstr("may or may not have been carried out"));
  transport.all.clear();
  attach_answers();
  back();
  EXPECT_THAT(transport.all, ::testing::Not(::testing::Contains("Network.enable {}")));
}

TEST_F(LostLink, a_new_tab_under_way_is_answered_with_what_is_known_of_it) {
  join(1);
  say(1, 1, "Target.createTarget", R"({"url":"http://new.example/"})");
  transport.link_down(gateway);
  EXPECT_THAT(told(), ::testing::ElementsAre(
                          ::testing::HasSubstr("(cut) before it answered: it may or may not have been carried out")));
}

TEST_F(LostLink, after_half_a_minute_the_sockets_are_closed) {
  join(1);
  transport.link_down(gateway);
  clock.pass(29'000);
  gateway.tick();
  EXPECT_TRUE(sockets.closed.empty());
  clock.pass(2'000);
  gateway.tick();
  EXPECT_EQ(sockets.closed.size(), 1U);
  EXPECT_TRUE(gateway.idle());
}

TEST_F(LostLink, nothing_of_clients_whose_sockets_were_closed_is_left) {
  join(1);
  attach_all(1);
  say(1, 1, "Target.createTarget", R"({"url":"http://hidden.example/","hidden":true})");
  transport.always("windows.getLastFocused", R"({"id":9,"type":"normal","incognito":false})");
  transport.always("tabs.create", R"({"id":3,"windowId":9,"url":"about:blank","status":"complete"})");
  say(1, 2, "Target.createTarget", R"({"url":"http://new.example/"})");
  transport.link_down(gateway);
  clock.pass(31'000);
  gateway.tick();
  transport.always("tabs.query", R"([{"id":3,"windowId":9,"url":"http://c.example/","status":"complete"}])");
  transport.always("debugger.getTargets",
                   R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3,"url":"http://c.example/"}])");
  back();
  join(2);
  told(2);
  say(2, 1, "Target.getTargets");
  auto const said = told(2);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("c.example"));
  EXPECT_THAT(said[0], ::testing::Not(::testing::HasSubstr("hidden.example")));
  // Where another client's new tab was to go is of no meaning for the tab of another start of the browser.
  EXPECT_THAT(transport.all, ::testing::Not(::testing::Contains(::testing::HasSubstr("new.example"))));
}

TEST_F(LostLink, what_waits_for_a_tab_is_answered_before_the_sockets_are_closed) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  transport.link_down(gateway);
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  clock.pass(31'000);
  gateway.tick();
  auto const said = told();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("The browser is not there"));
  EXPECT_EQ(sockets.closed.size(), 1U);
}

TEST_F(LostLink, a_tab_that_went_meanwhile_is_told_of) {
  join(1);
  attach_all(1);
  transport.link_down(gateway);
  transport.always("tabs.query", R"([{"id":2,"url":"http://b.example/","title":"B","status":"complete"}])");
  back();
  EXPECT_EQ(told(), std::vector<std::string>{"Target.detachedFromTarget"});
}

TEST_F(LostLink, what_has_waited_counts_no_more) {
  Limits const small{.max_waiting = 200};
  Gateway narrow{transport, sockets, files, clock, small};
  narrow.link_up({.browser_id = "b", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
  attach_answers();
  transport.always("Runtime.evaluate", "{}");
  narrow.open(1, {.target = std::string(page_1)});
  transport.settle();
  for (int turn = 0; turn < 20; ++turn) {
    transport.link_down(narrow);
    narrow.receive(1,
                   R"({"id":1,"method":"Runtime.evaluate","params":{"expression":"0123456789012345678901234567890"}})");
    transport.link_up(narrow, {.browser_id = "b", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
    transport.settle();
    auto const said = told();
    EXPECT_TRUE(std::ranges::find(said, "id 1: {}") != said.end()) << "turn " << turn;
  }
}

TEST_F(LostLink, a_child_session_lives_on_under_its_old_name) {
  attach_answers();
  transport.usual.erase("Target.setAutoAttach");
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  say(1, 1, "Target.setAutoAttach", R"({"autoAttach":true,"waitForDebuggerOnStart":false,"flatten":true})", session);
  say(1, 2, "Runtime.evaluate", R"({"expression":"1"})", session);
  auto const child = [this](std::string_view chrome_session) {
    gateway.debugger_event(
        {.tab = 1}, "", "Target.attachedToTarget",
        R"({"sessionId":")" + std::string(chrome_session) +
            R"(","targetInfo":{"targetId":"FRAME","type":"iframe","title":"","url":"http://c.example/"},)"
            R"("waitingForDebugger":false})");
  };
  child("CHROME1");
  transport.answer("Target.setAutoAttach", "{}");
  transport.settle();
  std::string mine;
  for (auto const& text : sockets.rest()) {
    auto const message = object(text);
    if (message.contains("method") && message.at("method") == "Target.attachedToTarget") {
      mine = message.at("params").at("sessionId").as_string();
    }
  }
  ASSERT_FALSE(mine.empty());
  transport.link_down(gateway);
  sockets.rest();
  back();
  child("CHROME2");
  transport.answer("Target.setAutoAttach", "{}");
  transport.settle();
  EXPECT_THAT(told(), ::testing::Not(::testing::Contains("Target.detachedFromTarget")));
  say(1, 3, "Runtime.evaluate", R"({"expression":"2"})", mine);
  EXPECT_EQ(transport.take("Runtime.evaluate").session, "CHROME2");
}

TEST_F(LostLink, contexts_are_told_again_under_their_ids_to_whoever_may_keep_objects_in_them) {
  attach_answers();
  transport.usual.erase("Runtime.enable");
  join(1, {.target = std::string(page_1)});
  std::string const context =
      R"({"context":{"id":3,"origin":"http://a.example","name":"","uniqueId":"u3","auxData":{"isDefault":true,"type":"default","frameId":")" +
      std::string(page_1) + R"("}}})";
  say(1, 1, "Runtime.enable");
  gateway.debugger_event({.tab = 1}, "", "Runtime.executionContextCreated", context);
  transport.answer("Runtime.enable", "{}");
  told();
  transport.link_down(gateway);
  back();
  gateway.debugger_event({.tab = 1}, "", "Runtime.executionContextCreated", context);
  transport.answer("Runtime.enable", "{}");
  transport.settle();
  EXPECT_EQ(told(), (std::vector<std::string>{"Runtime.executionContextsCleared", "Runtime.executionContextCreated"}));
}

TEST_F(LostLink, a_script_does_not_run_again_in_a_document_in_which_it_has_run) {
  attach_answers();
  transport.always("Page.addScriptToEvaluateOnNewDocument", R"({"identifier":"7"})");
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Page.enable");
  say(1, 2, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"1","runImmediately":true})");
  transport.all.clear();
  transport.link_down(gateway);
  back();
  EXPECT_THAT(transport.all, ::testing::Contains(R"(Page.addScriptToEvaluateOnNewDocument {"source":"1"})"));
}

TEST_F(LostLink, how_long_nothing_was_seen_is_said_in_the_log_of_each_page) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Log.enable");
  told();
  transport.link_down(gateway);
  clock.pass(3'200);
  back();
  auto const said = sockets.rest();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("any: the link to the browser was lost for 3.2 s; events in that time were "
                                            "not seen"));
  EXPECT_THAT(said[0], ::testing::HasSubstr(R"("source":"other","level":"warning")"));
}

TEST_F(LostLink, a_tab_whose_client_left_meanwhile_is_let_go) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  join(2);
  say(1, 1, "Network.enable");
  transport.link_down(gateway);
  gateway.gone(1);
  transport.let_go.clear();
  back();
  EXPECT_EQ(transport.let_go, std::vector<Debuggee>{{.tab = 1}});
}

TEST_F(LostLink, cancel_on_chromes_bar_ends_the_sessions_and_the_tab_is_there_anew) {
  attach_answers();
  join(1);
  attach_all(1);
  auto const session = "none";
  say(1, 1, "Target.attachToTarget", R"({"targetId":")" + std::string(page_1) + R"(","flatten":true})");
  std::string mine = session;
  for (auto const& text : sockets.rest()) {
    auto const message = object(text);
    if (message.contains("result")) mine = message.at("result").at("sessionId").as_string();
  }
  say(1, 2, "Runtime.evaluate", R"({"expression":"1"})", mine);
  told();
  gateway.debugger_event({.tab = 1}, "", "Inspector.detached", R"({"reason":"canceled_by_user"})");
  transport.settle();
  auto const said = told();
  EXPECT_THAT(said, ::testing::Contains("id 2: error Inspected target navigated or closed"));
  EXPECT_THAT(said, ::testing::Contains("Target.detachedFromTarget").Times(2));
  EXPECT_EQ(said.back(), "Target.attachedToTarget");
  say(1, 3, "Runtime.evaluate", R"({"expression":"1"})", mine);
  EXPECT_EQ(told(), std::vector<std::string>{"id 3: error Session with given id not found."});
}

TEST_F(LostLink, whoever_comes_while_the_link_is_away_waits_no_longer_than_the_others) {
  Gateway fresh{transport, sockets, files, clock};  // made after the loss
  std::string listed, closed;
  fresh.open(1, {});
  fresh.receive(1, R"({"id":1,"method":"Target.getTargets"})");
  fresh.list([&listed](auto const& rows) { listed = rows ? "rows" : rows.error().message; });
  fresh.close(std::string(page_1), [&closed](Answer const& answer) { closed = answer ? "" : answer.error().message; });
  clock.pass(31'000);
  fresh.tick();
  EXPECT_THAT(told(), ::testing::ElementsAre(::testing::HasSubstr("The browser is not there")));
  EXPECT_EQ(sockets.closed[1], "1001 the browser is gone");
  EXPECT_THAT(listed, ::testing::HasSubstr("The browser is not there"));
  EXPECT_THAT(closed, ::testing::HasSubstr("The browser is not there"));
  fresh.open(2, {});  // after that end: once more
  clock.pass(31'000);
  fresh.tick();
  EXPECT_EQ(sockets.closed[2], "1001 the browser is gone");
  EXPECT_TRUE(fresh.idle());
}

class NoTabsTold : public LostLink {
 protected:
  NoTabsTold() { transport.usual.erase("tabs.query"); }
  void later(Millis millis) {
    clock.pass(millis);
    gateway.tick();
    transport.settle();
  }
};

TEST_F(NoTabsTold, a_refused_look_is_tried_again) {
  join(1);
  say(1, 1, "Target.getTargets");
  transport.refuse("tabs.query", "Tabs cannot be queried right now");
  EXPECT_TRUE(told().empty());
  later(1'000);
  transport.answer("tabs.query",
                   R"([{"id":1,"windowId":9,"url":"http://a.example/","title":"A","status":"complete"}])");
  transport.settle();
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(NoTabsTold, a_look_that_is_never_answered_is_tried_again) {
  join(1);
  say(1, 1, "Target.getTargets");
  auto const lost = transport.take("tabs.query");
  later(9'000);
  later(1'000);
  transport.answer("tabs.query",
                   R"([{"id":1,"windowId":9,"url":"http://a.example/","title":"A","status":"complete"}])");
  transport.settle();
  EXPECT_EQ(told().size(), 1U);
  lost.done(std::string_view("[]"));  // too late to count
  transport.settle();
  EXPECT_TRUE(told().empty());
}

TEST_F(NoTabsTold, whoever_waits_is_told_when_looking_is_given_up) {
  join(1);
  say(1, 1, "Target.getTargets");
  std::string listed;
  gateway.list([&listed](auto const& rows) { listed = rows ? "rows" : rows.error().message; });
  for (int look = 0; look < 4; ++look) {
    transport.refuse("tabs.query", "No.");
    later(2'000);
  }
  auto const said = told();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("The browser does not tell its tabs (No.)"));
  EXPECT_THAT(listed, ::testing::HasSubstr("does not tell its tabs"));
  EXPECT_EQ(sockets.closed[1], "1011 the browser does not tell its tabs");
}

TEST_F(LostLink, a_tab_that_came_meanwhile_is_attached_to_by_whoever_attaches_to_all) {
  join(1);
  attach_all(1);
  transport.link_down(gateway);
  transport.always(
      "tabs.query",
      R"([{"id":1,"url":"http://a.example/"},{"id":2,"url":"http://b.example/"},{"id":3,"url":"http://c.example/"}])");
  transport.always("debugger.getTargets", R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","type":"page","tabId":1},)"
                                          R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2","type":"page","tabId":2},)"
                                          R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3}])");
  back();
  EXPECT_EQ(told(), std::vector<std::string>{"Target.attachedToTarget"});
}

TEST_F(LostLink, closing_a_tab_waits_for_the_browser_too) {
  join(1);
  transport.link_down(gateway);
  say(1, 1, "Target.closeTarget", R"({"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"})");
  say(1, 2, "Target.activateTarget", R"({"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2"})");
  EXPECT_TRUE(told().empty());
  back();
  EXPECT_EQ(transport.answer("tabs.remove"), "[1]");
  EXPECT_EQ(transport.answer("tabs.update"), R"([2,{"active":true}])");
  EXPECT_THAT(told(), ::testing::UnorderedElementsAre(R"(id 1: {"success":true})", "id 2: {}"));
}

TEST_F(LostLink, a_tab_that_could_not_be_closed_tells_its_dialogs_again) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Page.enable");
  say(1, 2, "Target.closeTarget", R"({"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"})");
  transport.refuse("tabs.remove", "Tabs cannot be edited right now");
  told();
  gateway.debugger_event({.tab = 1}, "", "Page.javascriptDialogOpening", R"({"type":"alert"})");
  EXPECT_EQ(told(), std::vector<std::string>{"Page.javascriptDialogOpening"});
}

}  // namespace any::cdp::test
