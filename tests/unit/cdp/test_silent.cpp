// A page that does not answer holds up nobody's handshake.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Silent : public Stage {
 protected:
  /// Another client has the page attached, with what a client enables; from then on the page answers nothing.
  Silent() {
    attach_answers();
    join(1, {.target = std::string(page_1)});
    say(1, 1, "Page.enable");
    say(1, 2, "Runtime.enable");
    gateway.debugger_event({.tab = 1}, "", "Runtime.executionContextCreated",
                           R"({"context":{"id":3,"origin":"","name":"","uniqueId":"u","auxData":{"isDefault":true}}})");
    sockets.rest();
    for (auto const* method : {"Page.enable", "Runtime.enable", "Page.getFrameTree", "Page.createIsolatedWorld"}) {
      transport.usual.erase(method);
    }
    join(2);
    session = attach_all(2).at(std::string(page_1));
  }
  void later(Millis millis) {
    clock.pass(millis);
    gateway.tick();
    transport.settle();
  }
  std::string session;
};

TEST_F(Silent, what_clients_ask_of_every_page_is_answered_in_a_moment) {
  say(2, 1, "Page.enable", "{}", session);
  say(2, 2, "Page.getFrameTree", "{}", session);
  say(2, 3, "Runtime.enable", "{}", session);
  say(2, 4, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"1"})", session);
  EXPECT_THAT(told(2), IsEmpty());
  later(500);
  EXPECT_THAT(told(2), ElementsAre("id 1: {}", HasSubstr("id 2: {\"frameTree\""), "Runtime.executionContextCreated",
                                   "id 3: {}", R"(id 4: {"identifier":"1"})"));
  say(2, 5, "Page.createIsolatedWorld", R"({"frameId":"x"})", session);
  EXPECT_THAT(told(2), ElementsAre(HasSubstr("id 5: {\"executionContextId\"")));
}

TEST_F(Silent, what_uses_the_page_waits_for_it) {
  say(2, 1, "Runtime.evaluate", R"({"expression":"1"})", session);
  later(60'000);
  EXPECT_THAT(told(2), IsEmpty());
}

TEST_F(Silent, what_chrome_answers_in_the_end_is_not_said_twice_and_what_was_not_known_is_told) {
  say(2, 1, "Page.enable", "{}", session);
  say(2, 2, "Runtime.enable", "{}", session);
  say(2, 3, "Page.getFrameTree", "{}", session);
  later(500);
  sockets.rest(2);
  transport.answer("Page.enable", "{}");
  transport.answer("Runtime.enable", "{}");
  EXPECT_THAT(told(2), IsEmpty());
  transport.answer("Page.getFrameTree",
                   R"({"frameTree":{"frame":{"id":")" + std::string(page_1) +
                       R"(","loaderId":"L","url":"http://a.example/"},"childFrames":[{"frame":)"
                       R"({"id":"CHILD","parentId":"P","loaderId":"M","url":"http://c.example/"}}]}})");
  EXPECT_THAT(told(2), ElementsAre("Page.frameAttached", "Page.frameNavigated"));
  say(2, 4, "Page.getFrameTree", "{}", session);
  EXPECT_THAT(told(2), IsEmpty()) << "it answers again";
}

TEST_F(Silent, what_was_answered_for_it_is_in_force_after_a_lost_link) {
  say(2, 1, "Page.enable", "{}", session);
  later(500);
  EXPECT_THAT(told(2), ElementsAre("id 1: {}"));
  transport.link_down(gateway);
  gateway.gone(1);
  transport.all.clear();
  attach_answers();
  transport.link_up(gateway, {.browser_id = "b"});
  transport.settle();
  EXPECT_THAT(told(2), Not(Contains(HasSubstr("error"))));
  EXPECT_THAT(transport.all, Contains("Page.enable {}"));
}

TEST_F(Silent, whoever_listens_is_told_why_after_two_seconds) {
  say(1, 9, "Log.enable");
  say(2, 1, "Page.enable", "{}", session);
  later(500);
  sockets.rest();
  later(2'000);
  auto const said = sockets.rest();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], HasSubstr("any: this page does not answer"));
}

TEST_F(Silent, a_page_that_is_being_attached_to_holds_up_nobody_either) {
  transport.usual.erase("");
  say(2, 1, "Runtime.evaluate", R"({"expression":"1"})", attach_all(2)[std::string(page_2)]);
  join(3);
  auto const mine = attach_all(3).at(std::string(page_2));
  say(3, 1, "Page.enable", "{}", mine);
  say(3, 2, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"1"})", mine);
  later(500);
  EXPECT_THAT(told(3), ElementsAre("id 1: {}", R"(id 2: {"identifier":"1"})"));
}

}  // namespace any::cdp::test
