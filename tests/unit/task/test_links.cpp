// Browsers come and go; the daemon dies and comes back.

#include "task/json.hpp"
#include "unit/task/bench_core.hpp"

namespace any::task {
namespace {

/// The task's record as the journal gives it back.
Record reread(Core const& core, std::string const& id) {
  auto record = from_journal(to_journal(*core.find(id))).value();
  record.request.script = core.find(id)->request.script;
  return record;
}

TEST(Links, ALostLinkIsWaitedForNinetySecondsThenTheRunIsLost) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.core.link_down("a", b.now);
  b.pass(89'999);
  EXPECT_FALSE(end_of(b.core.tick(b.now), "t"));
  b.pass(1);
  EXPECT_EQ(failure(b.core.tick(b.now), "t"), "BrowserLostError");
}

TEST(Links, AResultKeptWhileTheLinkWasDownCountsThoughTheTimeoutHasPassed) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.core.link_down("a", b.now);
  b.pass(80'000);
  EXPECT_FALSE(end_of(b.core.tick(b.now), "t"));
  b.link("a", "i1", {{b.run("t"), Hold::Phase::finished}});
  EXPECT_EQ(end_of(b.value("t"), "t")->record.state, State::completed);
}

TEST(Links, AStartThatNeverArrivedIsSentAgainWithoutARetry) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.core.link_down("a", b.now);
  auto const step = b.link("a");
  EXPECT_EQ(outputs<SendStart>(step).at(0).run, b.run("t", 2));
  EXPECT_EQ(kinds(step), (Names{"requeued", "dispatched"}));
}

TEST(Links, AnAcceptedRunThatTheSameExtensionForgotIsLost) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.core.accepted("a", b.run("t"), b.tab(1), b.now);
  b.core.link_down("a", b.now);
  auto const step = b.link("a");
  EXPECT_EQ(failure(step, "t"), "BrowserLostError");
  EXPECT_EQ(end_of(step, "t")->record.error->extra.at("started"), "unknown");
}

TEST(Links, ARestartedExtensionThatDoesNotHoldARunHasLostIt) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.core.link_down("a", b.now);
  EXPECT_EQ(failure(b.link("a", "i2"), "t"), "BrowserLostError");
}

TEST(Links, AFinishedRunThatIsUnknownHereIsForgotten) {
  Bench b;
  auto const step = b.link("a", "i1", {{b.run("gone"), Hold::Phase::finished}});
  EXPECT_EQ(outputs<SendForget>(step).at(0).run, b.run("gone"));
  EXPECT_TRUE(step.durable);
}

TEST(Links, WhatWaitedInABrowserThatGoesMayGoToAnother) {
  Bench b;
  b.link("a");
  b.submit(b.in_tab("1", 17));
  b.submit(b.in_tab("2", 17));
  b.core.link_down("a", b.now);
  EXPECT_EQ(b.core.find("2")->waiting_for, "browser");
  EXPECT_EQ(starts(b.link("b")), Names{"2"});
}

TEST(Links, AnExpiredWaitBehindATabSurvivesABriefLossOfTheLink) {
  Bench b;
  b.link("a");
  b.submit(b.in_tab("1", 17));
  b.begin("1", 17);
  b.submit(b.in_tab("2", 17));
  b.pass(30'000);
  b.core.tick(b.now);
  b.pass(9'000);
  b.core.link_down("a", b.now);
  b.pass(30'000);
  EXPECT_FALSE(end_of(b.core.tick(b.now), "2"));
  b.pass(30'000);
  EXPECT_EQ(failure(b.core.tick(b.now), "2"), "NoBrowserError");
}

TEST(Restore, TheQueueTimeoutGoesOnWhileTheDaemonIsDown) {
  Bench before;
  before.submit(before.request("t"));
  Bench after;
  after.now = before.now;
  after.pass(50'000);
  after.core.restore({reread(before.core, "t")}, after.now);
  EXPECT_EQ(*after.core.next_deadline(), after.now.mono + 10'000);
}

TEST(Restore, AClockSetBackMakesNoWaitLongerThanItsFullLength) {
  Bench before;
  before.submit(before.request("t"));
  Bench after;
  after.now.wall = before.now.wall - 3'600'000;
  after.core.restore({reread(before.core, "t")}, after.now);
  EXPECT_EQ(*after.core.next_deadline(), after.now.mono + 60'000);
}

TEST(Restore, ARunThatTheBrowserHoldsGoesOnAndOneItNeverGotIsSentAgain) {
  Bench before;
  before.link("a");
  before.submit(before.request("held"));
  before.submit(before.request("never"));
  Bench after;
  after.core.restore({reread(before.core, "held"), reread(before.core, "never")}, after.now);
  EXPECT_EQ(*after.core.next_deadline(), after.now.mono + 90'000);
  auto const step = after.link("a", "i1", {{after.run("held"), Hold::Phase::running}});
  EXPECT_EQ(after.core.find("held")->state, State::running);
  EXPECT_EQ(starts(step), Names{"never"});
  EXPECT_EQ(end_of(after.value("held"), "held")->record.state, State::completed);
}

TEST(Restore, ACancelThatWasUnderWayEndsTheTaskAndItsRunIsStoppedWhenTheBrowserComesBack) {
  Bench before;
  before.link("a");
  before.submit(before.request("t"));
  before.begin("t");
  auto const asked = before.core.cancel("t", before.now).value();
  EXPECT_TRUE(asked.durable);
  ASSERT_EQ(asked.writes.size(), 1U);
  EXPECT_TRUE(std::get<UpdateTask>(asked.writes.at(0)).record.cancelling);
  Bench after;
  auto const end = end_of(after.core.restore({reread(before.core, "t")}, after.now), "t");
  ASSERT_TRUE(end);
  EXPECT_EQ(end->record.state, State::cancelled);
  EXPECT_EQ(end->record.error->name, ErrorName::CancelledError);
  EXPECT_FALSE(end->record.cancelling);
  auto const back = after.link("a", "i1", {{after.run("t"), Hold::Phase::running}});
  EXPECT_EQ(outputs<SendCancel>(back).at(0).run, after.run("t"));
}

TEST(Restore, AHopThatWasDueRunsWhenTheBrowserComesBackRestarted) {
  Bench before;
  before.link("a");
  before.submit(before.request("t"));
  before.begin("t", 17);
  auto paused = Bench::browser("a");
  paused.paused = true;
  before.core.browser_changed(paused, before.now);
  EXPECT_TRUE(starts(before.next("t", "http://page/2")).empty());
  Bench after;
  after.core.restore({reread(before.core, "t")}, after.now);
  EXPECT_EQ(outputs<SendStart>(after.link("a", "i2")).at(0).run, after.run("t", 1, 1));
}

TEST(Restore, AHopOfARunWhoseTabOnlyItsEndTellsDoesNotWaitBehindOthersInThatTab) {
  Bench before;
  before.link("a");
  before.submit(before.request("t"));
  Bench b;
  b.core.restore({reread(before.core, "t")}, b.now);
  b.link("a", "i1", {{b.run("t"), Hold::Phase::running}});
  b.submit(b.in_tab("other", 17));
  b.begin("other", 17);
  Outcome o;
  o.kind = Outcome::Kind::next;
  o.url = "http://page/2";
  o.tab = b.tab(17);
  EXPECT_EQ(starts(b.core.finished("a", b.run("t"), o, 1, b.now)), Names{"t"});
  b.core.link_down("a", b.now);
  b.pass(90'000);
  auto const step = b.core.tick(b.now);
  EXPECT_EQ(failure(step, "t"), "BrowserLostError");
  EXPECT_EQ(failure(step, "other"), "BrowserLostError");
  EXPECT_EQ(b.core.next_deadline(), std::nullopt);
}

TEST(Restore, EventsGoOnWithTheNextNumberAfterTheOnesFoldedIn) {
  Bench before;
  before.link("a");
  before.submit(before.request("t"));
  before.begin("t");
  auto record = reread(before.core, "t");
  auto const seq = record.last_seq;
  fold(record, {seq + 1, 5, "console", R"({"level":"log","text":"hi","line":3,"column":null})"});
  fold(record, {seq + 2, 6, "progress", R"({"value":[1,2]})"});
  fold(record, {seq, 6, "progress", R"({"value":0})"});
  EXPECT_EQ(record.progress, "[1,2]");
  ASSERT_EQ(record.console.size(), 1U);
  EXPECT_EQ(record.console[0].line, 3);
  Bench after;
  after.core.restore({record}, after.now);
  after.link("a", "i1", {{after.run("t"), Hold::Phase::running}});
  auto const step = after.core.progress("a", after.run("t"), "1", after.now);
  EXPECT_EQ(outputs<Publish>(step).at(0).event.seq, seq + 3);
}

TEST(Undo, ATaskWhoseSubmitCouldNotBeWrittenIsForgottenAndItsTabIsFree) {
  Bench b;
  b.link("a");
  b.submit(b.in_tab("1", 17));
  b.submit(b.in_tab("2", 17));
  auto const step = b.core.undo_submit("1", b.now);
  EXPECT_EQ(starts(step), Names{"2"});
  EXPECT_EQ(b.core.find("1"), nullptr);
}

}  // namespace
}  // namespace any::task
