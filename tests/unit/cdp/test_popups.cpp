// What a page opens: Chrome holds no popup for an extension, so its clients' first words are foreseen.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view add_script = "Page.addScriptToEvaluateOnNewDocument";

class Popups : public Stage {
 protected:
  /// A client that sets both pages up, `mine` being said to the first alone and before it lets the page go; then uses
  /// it.
  void begin(std::string_view everywhere, std::string_view mine = {}) {
    join(1);
    attach_answers();
    sessions = attach_all(1);
    for (auto const& [target, session] : sessions) {
      if (!everywhere.empty()) say(1, 1, add_script, everywhere, session);
      if (!mine.empty() && target == page_1) say(1, 2, add_script, mine, session);
      say(1, 3, "Runtime.runIfWaitingForDebugger", "{}", session);
    }
    transport.always(std::string(add_script), R"({"identifier":"9"})");
    transport.always("Runtime.evaluate", "{}");
    say(1, 4, "Runtime.evaluate", R"({"expression":"1"})", sessions.at(std::string(page_1)));
    pass_time();
    transport.usual.erase(std::string(add_script));
    sockets.rest();
    transport.all.clear();
  }
  void pass_time(Millis time = 1) {
    clock.pass(time);
    gateway.tick();
    transport.settle();
  }
  /// The first page opens a popup, which the extension has attached and sent what it was to send.
  std::string open_popup() {
    transport.always(
        "debugger.getTargets",
        R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","type":"page","tabId":1,"url":"http://a.example/","title":"A"},)"
        R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2","type":"page","tabId":2,"url":"http://b.example/","title":"B"},)"
        R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3,"url":"","title":""}])");
    gateway.chrome_event("tabs.onCreated", R"([{"id":3,"windowId":9,"url":"","title":"","status":"loading"}])");
    gateway.chrome_event("debugger.followed", R"([{"opener":1,"frame":0,"tab":3,"url":"http://a.example/p","mark":)" +
                                                  std::to_string(transport.popups_get.at(1).second) + "}]");
    transport.settle();
    auto const told = object(sockets.next());
    EXPECT_EQ(told.at("method"), "Target.attachedToTarget");
    EXPECT_EQ(told.at("params").at("waitingForDebugger"), true);
    sockets.rest();
    return std::string(told.at("params").at("sessionId").as_string());
  }
  /// Chrome does not answer Page.getFrameTree yet.
  void set_up_but_for_an_answer(std::string const& popup) {
    transport.usual.erase("Page.getFrameTree");
    say(1, 10, "Page.enable", "{}", popup);
    say(1, 11, "Page.getFrameTree", "{}", popup);
  }
  std::map<std::string, std::string> sessions;
};

TEST_F(Popups, a_popup_is_sent_at_once_what_its_client_says_to_every_page) {
  begin(R"({"source":"every;"})");
  auto const& sent = transport.popups_get.at(1).first;
  EXPECT_THAT(sent, HasSubstr(R"({"method":"Page.enable","params":{}},{"method":)"));
  EXPECT_THAT(sent, HasSubstr(R"("source":"every;","runImmediately":true})"));
  EXPECT_THAT(sent, HasSubstr("Fetch.enable"));
}

TEST_F(Popups, a_script_for_one_page_alone_is_not_sent_to_what_it_opens) {
  begin("", R"({"source":"mine;"})");
  EXPECT_THAT(transport.popups_get.at(1).first, Not(HasSubstr("mine;")));
}

TEST_F(Popups, what_was_foreseen_is_answered_and_not_said_again) {
  begin(R"({"source":"every;"})");
  auto const popup = open_popup();
  say(1, 10, add_script, R"({"source":"every;","runImmediately":true
  })",
      popup);
  EXPECT_THAT(told(), ElementsAre(R"(id 10: {"identifier":"1"})"));
  EXPECT_FALSE(transport.waits(add_script));
  gateway.chrome_event("debugger.followedAnswers",
                       R"([{"tab":3,"answers":[{"value":{}},{"value":{"identifier":"7"}},{"value":{}}]}])");
  say(1, 11, "Page.removeScriptToEvaluateOnNewDocument", R"({"identifier":"1"})", popup);
  EXPECT_THAT(transport.all, Contains(R"(Page.removeScriptToEvaluateOnNewDocument {"identifier":"7"})"));
}

TEST_F(Popups, what_chrome_has_refused_is_said_by_its_client_after_all) {
  begin(R"({"source":"every;"})");
  auto const popup = open_popup();
  gateway.chrome_event("debugger.followedAnswers",
                       R"([{"tab":3,"answers":[{"value":{}},{"error":{"code":-32000,"message":"x"}},{"value":{}}]}])");
  say(1, 10, add_script, R"({"source":"every;"
  })",
      popup);
  EXPECT_TRUE(transport.waits(add_script));
}

TEST_F(Popups, what_no_client_says_is_taken_back_when_they_let_the_popup_go) {
  begin(R"({"source":"every;"})");
  auto const popup = open_popup();
  gateway.chrome_event("debugger.followedAnswers",
                       R"([{"tab":3,"answers":[{"value":{}},{"value":{"identifier":"7"}},{"value":{}}]}])");
  say(1, 10, "Runtime.runIfWaitingForDebugger", "{}", popup);
  EXPECT_THAT(transport.all, Contains(R"(Page.removeScriptToEvaluateOnNewDocument {"identifier":"7"})"));
  EXPECT_THAT(transport.all, Contains("Page.disable {}"));
}

TEST_F(Popups, its_events_wait_until_what_sets_it_up_is_answered) {
  begin(R"({"source":"every;"})");
  auto const popup = open_popup();
  set_up_but_for_an_answer(popup);
  say(1, 12, "Runtime.runIfWaitingForDebugger", "{}", popup);
  gateway.debugger_event({.tab = 3}, "", "Page.domContentEventFired", R"({"timestamp":1})");
  EXPECT_THAT(told(), ElementsAre("id 10: {}", "id 12: {}"));
  transport.answer("Page.getFrameTree", "{}");
  EXPECT_THAT(told(), ElementsAre("id 11: {}", "Page.domContentEventFired"));
  gateway.debugger_event({.tab = 3}, "", "Page.loadEventFired", R"({"timestamp":2})");
  EXPECT_THAT(told(), ElementsAre("Page.loadEventFired"));
}

TEST_F(Popups, a_dialog_is_told_at_once_for_nothing_else_is_answered_meanwhile) {
  begin(R"({"source":"every;"})");
  auto const popup = open_popup();
  set_up_but_for_an_answer(popup);
  say(1, 12, "Runtime.runIfWaitingForDebugger", "{}", popup);
  sockets.rest();
  gateway.debugger_event({.tab = 3}, "", "Page.frameStartedLoading", R"({"frameId":"x"})");
  gateway.debugger_event({.tab = 3}, "", "Page.javascriptDialogOpening", R"({"type":"alert"})");
  EXPECT_THAT(told(), ElementsAre("Page.frameStartedLoading", "Page.javascriptDialogOpening"));
}

TEST_F(Popups, events_wait_two_seconds_for_a_page_that_answers_nothing) {
  begin(R"({"source":"every;"})");
  auto const popup = open_popup();
  set_up_but_for_an_answer(popup);
  sockets.rest();
  gateway.debugger_event({.tab = 3}, "", "Page.frameStartedLoading", R"({"frameId":"x"})");
  EXPECT_THAT(told(), ElementsAre());
  pass_time(2'000);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("id 11: {\"frameTree\""), "Page.frameStartedLoading"));
}

TEST_F(Popups, input_that_closes_its_own_page_is_answered_as_done) {
  begin("");
  say(1, 10, "Input.dispatchMouseEvent", R"({"type":"mouseReleased","x":1,"y":1})", sessions.at(std::string(page_1)));
  gateway.chrome_event("tabs.onRemoved", "[1,{}]");
  EXPECT_THAT(told(), Contains("id 10: {}"));
}

}  // namespace any::cdp::test
