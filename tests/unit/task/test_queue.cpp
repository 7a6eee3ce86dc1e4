// Who gets what next.

#include "unit/task/bench_core.hpp"

namespace any::task {
namespace {

TEST(Queue, ATaskIsInsertedAndDispatchedInOneDurableStepWhereABrowserIsReady) {
  Bench b;
  b.link("a");
  auto const step = b.submit(b.request("t"));
  EXPECT_TRUE(step.durable);
  EXPECT_EQ(starts(step), Names{"t"});
  ASSERT_TRUE(std::holds_alternative<InsertTask>(step.writes.front()));
  EXPECT_EQ(std::get<InsertTask>(step.writes.front()).record.state, State::dispatched);
  EXPECT_EQ(kinds(step), (Names{"queued", "dispatched"}));
}

TEST(Queue, WaitingTasksAreSentByPriorityThenByAge) {
  Bench b;
  b.submit(b.request("old"));
  b.submit(b.request("young"));
  auto first = b.request("first");
  first.priority = 5;
  b.submit(first);
  EXPECT_EQ(starts(b.link("a")), (Names{"first", "old", "young"}));
}

TEST(Queue, NoMoreStartsAreUnansweredThanMaxInFlight) {
  Limits limits;
  limits.max_in_flight = 2;
  Bench b{limits};
  for (auto const* id : {"1", "2", "3"}) b.submit(b.request(id));
  EXPECT_EQ(starts(b.link("a")), (Names{"1", "2"}));
  EXPECT_EQ(starts(b.core.accepted("a", b.run("1"), b.tab(1), b.now)), Names{"3"});
}

Request opening(std::string id) {
  auto r = Bench::request(std::move(id));
  r.tab.kind = TabSpec::Kind::open;
  r.tab.url = "http://page/";
  return r;
}

TEST(Queue, NoMorePagesAreBeingOpenedThanMaxOpeningAndOtherTasksDoNotWaitForThem) {
  Limits limits;
  limits.max_opening = 2;
  Bench b{limits};
  for (auto const* id : {"1", "2", "3", "4"}) b.submit(opening(id));
  b.submit(Bench::in_tab("there", 9));
  EXPECT_EQ(starts(b.link("a")), (Names{"1", "2", "there"}));
  EXPECT_EQ(starts(b.core.accepted("a", b.run("1"), b.tab(1), b.now)), Names{"3"});
  EXPECT_EQ(starts(b.core.refused("a", b.run("2"), Error{ErrorName::ForbiddenPageError, "closed"}, b.now)), Names{"4"});
}

TEST(Queue, APageThatIsSlowToOpenHoldsUpTheOthersForABoundedTime) {
  Limits limits;
  limits.max_opening = 1;
  Bench b{limits};
  b.link("a");
  b.submit(opening("hangs"));
  EXPECT_EQ(starts(b.submit(opening("next"))), Names{});
  b.pass(limits.slow_page - 1);
  EXPECT_EQ(starts(b.core.tick(b.now)), Names{});
  b.pass(1);
  EXPECT_EQ(starts(b.core.tick(b.now)), Names{"next"});
  EXPECT_EQ(starts(b.core.accepted("a", b.run("hangs"), b.tab(1), b.now)), Names{});
  EXPECT_EQ(starts(b.submit(opening("last"))), Names{});
  EXPECT_EQ(starts(b.core.accepted("a", b.run("next"), b.tab(2), b.now)), Names{"last"});
}

TEST(Queue, PagesThatWereBeingOpenedWhenTheLinkWasLostDoNotCountAfterIt) {
  Limits limits;
  limits.max_opening = 1;
  Bench b{limits};
  b.link("a");
  b.submit(opening("lost"));
  b.submit(opening("next"));
  b.core.link_down("a", b.now);
  EXPECT_EQ(starts(b.link("a", "i2")), Names{"next"});
}

TEST(Queue, TheMostRecentlyUsedBrowserIsChosenAndANameBindsToItsBrowser) {
  Bench b;
  auto used = Bench::browser("a");
  used.used = 10;
  auto named = Bench::browser("b");
  named.used = 5;
  named.label = "work";
  b.core.link_up(named, "i", {}, b.now);
  b.core.link_up(used, "i", {}, b.now);
  EXPECT_EQ(outputs<SendStart>(b.submit(b.request("1"))).at(0).browser, "a");
  auto by_label = b.request("2");
  by_label.browser = "work";
  EXPECT_EQ(outputs<SendStart>(b.submit(by_label)).at(0).browser, "b");
}

TEST(Queue, ATaskWithoutABrowserFailsWhenItsQueueTimeoutEndsAndTheErrorSaysWhatToDo) {
  Bench b;
  EXPECT_EQ(kinds(b.submit(b.request("t"))), (Names{"queued", "waiting"}));
  EXPECT_EQ(b.core.find("t")->waiting_for, "browser");
  b.pass(59'999);
  EXPECT_FALSE(end_of(b.core.tick(b.now), "t"));
  b.pass(1);
  auto const step = b.core.tick(b.now);
  EXPECT_EQ(failure(step, "t"), "NoBrowserError");
  EXPECT_NE(end_of(step, "t")->record.error->message.find("any launch"), std::string::npos);
  EXPECT_EQ(b.core.next_deadline(), std::nullopt);
}

TEST(Queue, AQueueTimeoutOfZeroFailsAtOnceAndNullWaitsForEver) {
  Bench b;
  auto none = b.request("now");
  none.queue_timeout = 0;
  EXPECT_EQ(failure(b.submit(none), "now"), "NoBrowserError");
  auto ever = b.request("ever");
  ever.queue_timeout = std::nullopt;
  b.submit(ever);
  EXPECT_EQ(b.core.next_deadline(), std::nullopt);
}

TEST(Queue, PausedBrowsersAreNamedInTheErrorAndAResumedOneTakesWhatWaits) {
  Bench b;
  auto paused = Bench::browser("a");
  paused.paused = true;
  b.core.link_up(paused, "i", {}, b.now);
  auto brief = b.request("brief");
  brief.queue_timeout = 1'000;
  b.submit(brief);
  b.submit(b.request("t"));
  b.pass(1'000);
  EXPECT_EQ(failure(b.core.tick(b.now), "brief"), "PausedError");
  EXPECT_EQ(starts(b.core.browser_changed(Bench::browser("a"), b.now)), Names{"t"});
}

TEST(Queue, AWorldThatNoBrowserHasAWayIntoIsAnErrorOfItsOwn) {
  Bench b;
  auto bare = Bench::browser("a");
  bare.debugger = false;
  b.core.link_up(bare, "i", {}, b.now);
  auto user = b.request("t");
  user.world = World::user;
  user.queue_timeout = 0;
  EXPECT_EQ(failure(b.submit(user), "t"), "WorldUnavailableError");
}

TEST(Queue, AFullQueueRefusesWithItsName) {
  Limits limits;
  limits.max_waiting = 1;
  Bench b{limits};
  b.submit(b.request("1"));
  auto const refused = b.core.submit(b.request("2"), b.now);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().name, ErrorName::QueueFullError);
}

TEST(Queue, APrototypesBrowserGetsTheTasksOfThePrototypesDoorSideBySideAndNoOther) {
  Bench b;
  auto old = Bench::browser("p");
  old.kind = BrowserKind::prototype;
  b.core.link_up(old, "i", {}, b.now);
  EXPECT_TRUE(starts(b.submit(b.request("modern"))).empty());
  auto one = b.request("1"), two = b.request("2");
  one.door = two.door = Door::prototype;
  EXPECT_EQ(starts(b.submit(one)), Names{"1"});
  EXPECT_EQ(b.core.find("1")->state, State::running);
  EXPECT_EQ(starts(b.submit(two)), Names{"2"}) << "the first may hang for ever";
}

TEST(Tabs, ASecondTaskForATabIsNotSentUntilTheFirstHasEnded) {
  Bench b;
  b.link("a");
  b.submit(b.in_tab("1", 17));
  auto const waits = b.submit(b.in_tab("2", 17));
  EXPECT_TRUE(starts(waits).empty());
  EXPECT_EQ(b.core.find("2")->waiting_for, "tab");
  b.begin("1", 17);
  EXPECT_EQ(starts(b.value("1")), Names{"2"});
}

TEST(Tabs, ABusyTaskWaitsForItsTabAndAYoungerOneIsToldToAvoidIt) {
  Bench b;
  b.link("a");
  b.submit(b.request("1"));
  b.begin("1", 17);
  b.submit(b.request("2"));
  EXPECT_EQ(kinds(b.core.busy("a", b.run("2"), 17, b.now)), Names{"waiting"});
  auto const younger = outputs<SendStart>(b.submit(b.request("3")));
  EXPECT_EQ(younger.at(0).avoid, std::vector<std::int64_t>{17});
  auto urgent = b.request("4");
  urgent.priority = 1;
  EXPECT_TRUE(outputs<SendStart>(b.submit(urgent)).at(0).avoid.empty());
  b.core.busy("a", b.run("3"), 17, b.now);
  b.core.busy("a", b.run("4"), 17, b.now);
  EXPECT_EQ(starts(b.value("1")), Names{"4"});
}

TEST(Tabs, ATabBusyForAnUnknownReasonIsAskedAgainWithGrowingPauses) {
  Bench b;
  b.link("a");
  b.submit(b.request("1"));
  Millis waited = 0;
  for (Millis const pause : {250, 500, 1'000, 2'000, 2'000}) {
    EXPECT_TRUE(starts(b.core.busy("a", b.run("1"), 17, b.now)).empty());
    EXPECT_EQ(*b.core.next_deadline(), b.now.mono + pause);
    b.pass(pause);
    waited += pause;
    EXPECT_EQ(starts(b.core.tick(b.now)), Names{"1"});
  }
  EXPECT_EQ(waited, 5'750);
  EXPECT_EQ(b.core.find("1")->attempts.size(), 1U);
}

TEST(Tabs, AHundredThousandTasksForOneTabAreNotAllSentToBeToldThatItIsBusy) {
  Bench b;
  b.link("a");
  b.submit(b.request("0"));
  b.begin("0", 17);
  std::size_t sent = 0;
  for (int i = 1; i <= 1'000; ++i) {
    auto const id = std::to_string(i);
    auto step = b.submit(b.request(id));
    for (auto const& start : outputs<SendStart>(step)) {
      ++sent;
      b.core.busy("a", start.run, 17, b.now);
    }
  }
  EXPECT_EQ(sent, 8U);
  EXPECT_EQ(b.core.counts().queued, 1'000U);
  EXPECT_EQ(starts(b.value("0")).front(), "1");
}

}  // namespace
}  // namespace any::task
