// Shared workers, and the browser itself, as targets.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SharedWorkers : public Stage {
 protected:
  static constexpr std::string_view pages =
      R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","type":"page","tabId":1,"url":"http://a.example/"},)"
      R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2","type":"page","tabId":2,"url":"http://b.example/"})";

  void SetUp() override {
    attach_answers();
    transport.always("Runtime.evaluate", "{}");
    transport.always("Page.enable", "{}");
    join(1);
  }
  /// What the browser lists from now on besides its pages.
  void list(std::string_view more) {
    transport.always("debugger.getTargets", "[" + std::string(pages) + "," + std::string(more) + "]");
  }
  void list_worker() { list(R"({"id":"W","type":"worker","title":"mine","url":"http://a.example/w.js"})"); }
  /// A client discovers targets and uses a page.
  void use_page() {
    say(1, 1, "Target.setDiscoverTargets", R"({"discover":true})");
    page = attach_all(1).at(std::string(page_1));
    say(1, 2, "Runtime.evaluate", R"({"expression":"1"})", page);
    told();
  }
  void after(Millis millis) {
    clock.pass(millis);
    gateway.tick();
    transport.settle();
  }
  std::size_t looks() const {
    return static_cast<std::size_t>(std::count(transport.all.begin(), transport.all.end(), "debugger.getTargets []"));
  }
  std::string page;
};

TEST_F(SharedWorkers, are_told_and_attached_as_they_come_and_end) {
  use_page();
  list_worker();
  after(1'000);
  auto const messages = sockets.rest();
  ASSERT_GE(messages.size(), 2U);
  auto const created = object(messages[0]);
  EXPECT_EQ(created.at("method"), "Target.targetCreated");
  auto const& info = created.at("params").at("targetInfo");
  EXPECT_EQ(info.at("type"), "shared_worker");
  EXPECT_EQ(info.at("url"), "http://a.example/w.js");
  auto const attached = object(messages[1]);
  EXPECT_EQ(attached.at("method"), "Target.attachedToTarget");
  EXPECT_FALSE(attached.at("params").at("waitingForDebugger").as_bool()) << "it runs already";
  list(R"({"id":"X","type":"other","title":"","url":""})");
  after(1'000);
  auto const end = told();
  EXPECT_THAT(end, Contains("Target.detachedFromTarget"));
  EXPECT_THAT(end, Contains("Target.targetDestroyed"));
}

TEST_F(SharedWorkers, are_told_from_service_workers_and_from_chromes_own) {
  use_page();
  list(R"({"id":"S","type":"worker","title":"Service Worker http://a.example/s.js","url":"http://a.example/s.js"},)"
       R"({"id":"E","type":"worker","title":"","url":"chrome-extension://abc/w.js"})");
  after(1'000);
  EXPECT_THAT(told(), Not(Contains("Target.targetCreated")));
}

TEST_F(SharedWorkers, are_attached_by_their_own_id_and_only_when_they_are_used) {
  list_worker();
  after(1'000);
  say(1, 1, "Target.attachToTarget", R"({"targetId":"W","flatten":true})");
  EXPECT_EQ(told(), std::vector<std::string>{"id 1: error No target with given id found"}) << "nobody watched";
  use_page();
  after(1'000);
  say(1, 2, "Target.attachToTarget", R"({"targetId":"W","flatten":true})");
  auto const all = sockets.rest();
  std::string const own(object(all.back()).at("result").at("sessionId").as_string());
  say(1, 3, "Runtime.runIfWaitingForDebugger", "{}", own);
  EXPECT_EQ(told(), std::vector<std::string>{"id 3: {}"});
  auto const attaches = std::count_if(transport.all.begin(), transport.all.end(),
                                      [](std::string const& call) { return call.starts_with("attach"); });
  EXPECT_EQ(attaches, 1) << "the page alone";
  transport.usual.erase("");
  say(1, 4, "Runtime.evaluate", R"({"expression":"1"})", own);
  auto const attach = transport.take("");
  EXPECT_EQ(attach.debuggee, (Debuggee{.tab = -1, .target = "W"}));
  attach.done("{}");
  transport.settle();
  EXPECT_THAT(told(), Contains("id 4: {}"));
  gateway.debugger_event({.tab = -1, .target = "W"}, "", "Inspector.detached", R"({"reason":"target_closed"})");
  EXPECT_THAT(told(), Contains("Target.targetDestroyed")) << "it has ended: without waiting for the next look";
}

TEST_F(SharedWorkers, are_looked_for_only_while_a_client_uses_a_page) {
  say(1, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  auto const before = looks();
  after(1'000);
  after(1'000);
  EXPECT_EQ(looks(), before) << "no page is used";
  page = attach_all(1).at(std::string(page_1));
  say(1, 2, "Page.enable", "{}", page);
  say(1, 3, "Runtime.evaluate", R"({"expression":"1"})", page);
  after(1'000);
  EXPECT_EQ(looks(), before + 1);
  gateway.chrome_event("webNavigation.onCompleted", R"([{"tabId":1,"frameId":0,"url":"http://a.example/"}])");
  transport.settle();
  EXPECT_EQ(looks(), before + 2) << "a page that has loaded may have begun one";
  for (int second = 0; second < 60; ++second) after(1'000);
  auto const quiet = looks();
  EXPECT_LE(quiet, before + 35);
  after(1'000);
  EXPECT_EQ(looks(), quiet) << "no client has asked anything for long";
  say(1, 4, "Runtime.evaluate", R"({"expression":"1"})", page);
  after(1'000);
  EXPECT_EQ(looks(), quiet + 1);
  say(1, 5, "Target.setDiscoverTargets", R"({"discover":false})");
  say(1, 6, "Target.setAutoAttach", R"({"autoAttach":false,"waitForDebuggerOnStart":false,"flatten":true})");
  after(1'000);
  EXPECT_EQ(looks(), quiet + 1);
}

class BrowserTarget : public Stage {};

TEST_F(BrowserTarget, is_told_to_who_asks_for_it_and_can_be_attached_to) {
  join(1);
  say(1, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  for (auto const& text : sockets.rest()) EXPECT_THAT(text, Not(HasSubstr(R"("type":"browser")")));
  say(1, 2, "Target.setDiscoverTargets", R"({"discover":true,"filter":[{"type":"browser"}]})");
  auto const messages = sockets.rest();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_THAT(messages[0], HasSubstr(R"("targetInfo":{"targetId":"b","type":"browser")"));
  say(1, 3, "Target.attachToTarget", R"({"targetId":"b","flatten":true})");
  auto const answers = sockets.rest();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_THAT(answers[0], HasSubstr("Target.attachedToTarget"));
  auto const result = object(answers[1]);
  std::string const session(result.at("result").at("sessionId").as_string());
  say(1, 4, "Browser.getVersion", "{}", session);
  EXPECT_THAT(told().back(), StartsWith(R"(id 4: {"protocolVersion":"1.3")"));
  say(1, 5, "Target.getTargetInfo", R"({"targetId":"b"})");
  EXPECT_THAT(told().back(), HasSubstr(R"("type":"browser")"));
}

TEST_F(SharedWorkers, a_service_worker_of_two_pages_goes_on_by_the_second_when_the_first_goes) {
  say(1, 1, "Target.setDiscoverTargets", R"({"discover":true})");
  auto const sessions = attach_all(1);
  for (auto const& page_of : {page_1, page_2}) {
    say(1, 2, "Page.enable", "{}", sessions.at(std::string(page_of)));
    say(1, 3, "Runtime.evaluate", R"({"expression":"1"})", sessions.at(std::string(page_of)));
  }
  told();
  for (int const tab : {1, 2}) {
    gateway.debugger_event(
        {.tab = tab}, "", "Target.attachedToTarget",
        R"({"sessionId":"up)" + std::to_string(tab) +
            R"(","targetInfo":{"targetId":"S","type":"service_worker","url":"http://a.example/sw.js"},)"
            R"("waitingForDebugger":false})");
  }
  std::string worker;
  for (auto const& text : sockets.rest()) {
    auto const message = object(text);
    if (message.at("method") != "Target.attachedToTarget" || message.contains("sessionId")) continue;
    worker = message.at("params").at("sessionId").as_string();
  }
  ASSERT_FALSE(worker.empty()) << "told at the browser's level";
  gateway.chrome_event("tabs.onRemoved", R"([1,{}])");
  transport.settle();
  EXPECT_THAT(told(), Contains("Target.targetDestroyed").Times(1)) << "the page has gone, not the worker";
  transport.usual.erase("Runtime.evaluate");
  say(1, 9, "Runtime.evaluate", R"({"expression":"2"})", worker);
  auto const asked = transport.take("Runtime.evaluate");
  EXPECT_EQ(asked.debuggee, Debuggee{.tab = 2});
  EXPECT_EQ(asked.session, "up2");
  gateway.chrome_event("tabs.onRemoved", R"([2,{}])");
  EXPECT_THAT(told(), Contains("Target.targetDestroyed").Times(2)) << "with its last page it goes";
}

}  // namespace any::cdp::test
