// What a client's session has switched on is in force wherever its page is attached to, first or anew; what it has
// taken back is not.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

class Restored : public Stage {
 protected:
  Restored() {
    attach_answers();
    transport.always("Page.addScriptToEvaluateOnNewDocument", R"({"identifier":"7"})");
    transport.always("Runtime.evaluate", "{}");
  }
  /// Switches on two of each kind, and takes one of them back; nothing of it needs the page to be attached to.
  void switch_on(ClientId client, std::string const& session) {
    auto const script = [&](std::string const& source) {
      say(client, 1, "Page.addScriptToEvaluateOnNewDocument", R"({"source":")" + source + "\"}", session);
      return boost::json::serialize(object(sockets.next(client)).at("result"));
    };
    script("kept");
    auto const gone = script("gone");
    say(client, 2, "Page.removeScriptToEvaluateOnNewDocument", gone, session);
    say(client, 3, "Runtime.addBinding", R"({"name":"kept"})", session);
    say(client, 6, "Page.enable", "{}", session);
    say(client, 7, "Runtime.enable", "{}", session);
    say(client, 8, "Runtime.disable", "{}", session);
    say(client, 9, "Page.setLifecycleEventsEnabled", R"({"enabled":true})", session);
    for (auto const& said : told(client)) EXPECT_THAT(said, Not(HasSubstr("error")));
  }
  void expect_restored() {
    std::vector<std::string> const kept{R"(Page.addScriptToEvaluateOnNewDocument {"source":"kept"})",
                                        R"(Runtime.addBinding {"name":"kept"})", "Page.enable {}",
                                        R"(Page.setLifecycleEventsEnabled {"enabled":true})"};
    EXPECT_THAT(transport.all, IsSupersetOf(kept));
    EXPECT_THAT(transport.all, Not(Contains(HasSubstr("gone"))));
    EXPECT_THAT(transport.all, Not(Contains("Runtime.enable {}")));
  }
};

TEST_F(Restored, after_a_lost_link) {
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  told();
  switch_on(1, "");
  say(1, 4, "Runtime.addBinding", R"({"name":"gone"})");
  say(1, 5, "Runtime.removeBinding", R"({"name":"gone"})");
  transport.all.clear();
  transport.link_down(gateway);
  transport.link_up(gateway, {.browser_id = "b"});
  transport.settle();
  expect_restored();
}

TEST_F(Restored, in_a_page_that_was_not_attached_to_before) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  transport.all.clear();
  switch_on(1, session);
  EXPECT_THAT(transport.all, IsEmpty());
  say(1, 20, "Runtime.evaluate", R"({"expression":"1"})", session);
  expect_restored();
  EXPECT_EQ(transport.all.back(), R"(Runtime.evaluate {"expression":"1"})") << "in force before anything runs";
}

TEST_F(Restored, in_a_page_whose_attaching_was_refused_while_they_were_answered_for_it) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  transport.usual.erase("");  // attaching waits
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})", session);
  say(1, 2, "Page.enable", "{}", session);
  say(1, 3, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"kept"})", session);
  say(1, 4, "Runtime.addBinding", R"({"name":"kept"})", session);
  say(1, 5, "Page.setLifecycleEventsEnabled", R"({"enabled":true})", session);
  clock.pass(500);
  gateway.tick();
  EXPECT_THAT(told(), ElementsAre("id 2: {}", HasSubstr("id 3: {\"identifier\""), "id 4: {}", "id 5: {}"));
  transport.refuse("", "Cannot attach to this target.");
  EXPECT_THAT(told(), ElementsAre(AllOf(HasSubstr("id 1: error"), HasSubstr("Cannot attach"))));
  attach_answers();
  transport.all.clear();
  say(1, 6, "Runtime.evaluate", R"({"expression":"2"})", session);
  expect_restored();
}

}  // namespace any::cdp::test
