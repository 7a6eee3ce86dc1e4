// What becomes of a run.

#include "unit/task/bench_core.hpp"

namespace any::task {
namespace {

TEST(Runs, ATaskGoesFromQueuedOverDispatchedAndRunningToCompleted) {
  Bench b;
  b.submit(b.request("t"));
  EXPECT_EQ(b.core.find("t")->state, State::queued);
  b.link("a");
  EXPECT_EQ(b.core.find("t")->state, State::dispatched);
  b.begin("t");
  EXPECT_EQ(b.core.find("t")->state, State::running);
  auto const step = b.value("t");
  EXPECT_EQ(end_of(step, "t")->record.state, State::completed);
  EXPECT_EQ(end_of(step, "t")->result, "1");
  EXPECT_TRUE(step.durable);
  EXPECT_EQ(outputs<AckFinish>(step).at(0).token, 1U);
  EXPECT_EQ(b.core.find("t"), nullptr);
}

TEST(Runs, TheFirstEndCountsAndALaterOneIsAcknowledgedBehindIt) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.value("t");
  auto const again = b.value("t");
  EXPECT_TRUE(again.writes.empty());
  EXPECT_TRUE(again.durable);
  EXPECT_EQ(outputs<AckFinish>(again).size(), 1U);
}

TEST(Runs, AScriptsOwnThrowIsNeverTriedAgain) {
  Bench b;
  b.link("a");
  auto r = b.request("t");
  r.retries = 3;
  b.submit(r);
  b.begin("t");
  EXPECT_EQ(failure(b.error("t", ErrorName::ScriptError), "t"), "ScriptError");
}

TEST(Runs, AnInfrastructureFailureIsTriedAgainAsOftenAsRetriesSay) {
  Bench b;
  b.link("a");
  auto r = b.request("t");
  r.retries = 1;
  b.submit(r);
  b.begin("t");
  auto const step = b.error("t", ErrorName::NavigatedError);
  EXPECT_EQ(outputs<SendStart>(step).at(0).run, b.run("t", 2));
  EXPECT_EQ(kinds(step), (Names{"retry", "dispatched"}));
  b.begin("t", 1, 2);
  EXPECT_EQ(failure(b.error("t", ErrorName::NavigatedError, Outcome::Started::yes, 2), "t"), "NavigatedError");
}

TEST(Runs, WhatProvenDidNotRunGoesBackWithoutARetryFiveTimesAtMost) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  for (int attempt = 1; attempt <= 5; ++attempt)
    EXPECT_EQ(starts(b.error("t", ErrorName::TabClosedError, Outcome::Started::no, attempt)), Names{"t"}) << attempt;
  EXPECT_EQ(failure(b.error("t", ErrorName::TabClosedError, Outcome::Started::no, 6), "t"), "TabClosedError");
}

TEST(Runs, APageThatWasLoadedForATaskIsNotLoadedAgainUnasked) {
  Bench b;
  b.link("a");
  auto r = b.request("t");
  r.tab.kind = TabSpec::Kind::open;
  r.tab.url = "http://a.example/";
  b.submit(r);
  EXPECT_EQ(failure(b.error("t", ErrorName::NavigatedError, Outcome::Started::no), "t"), "NavigatedError");
}

TEST(Runs, AnAttemptThatGoesBackKeepsItsOwnError) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.error("t", ErrorName::TabClosedError, Outcome::Started::no);
  auto const& attempts = b.core.find("t")->attempts;
  EXPECT_TRUE(attempts.at(0).requeued);
  EXPECT_EQ(attempts.at(0).error->name, ErrorName::TabClosedError);
}

TEST(Runs, ARefusalForGoodEndsTheTask) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  EXPECT_EQ(failure(b.core.refused("a", b.run("t"), Error{ErrorName::ForbiddenPageError, "no"}, b.now), "t"),
            "ForbiddenPageError");
}

TEST(Runs, ABrowserThatSaysItIsPausedGetsNothingMoreUntilItResumes) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  auto const step = b.core.refused("a", b.run("t"), Error{ErrorName::PausedError, "paused"}, b.now);
  EXPECT_TRUE(starts(step).empty());
  EXPECT_EQ(b.core.find("t")->state, State::queued);
  EXPECT_EQ(starts(b.core.browser_changed(Bench::browser("a"), b.now)), Names{"t"});
}

TEST(Runs, AHopIsJournaledAndSentInOneStepAndKeepsItsTab) {
  Bench b;
  b.link("a");
  b.submit(b.in_tab("t", 17));
  b.begin("t", 17);
  b.submit(b.in_tab("other", 17));
  auto const step = b.next("t", "http://page/2");
  ASSERT_EQ(starts(step), Names{"t"});
  auto const start = outputs<SendStart>(step).at(0);
  EXPECT_EQ(start.run, b.run("t", 1, 1));
  EXPECT_EQ(start.hop_url, "http://page/2");
  EXPECT_EQ(start.hop_state, "{\"n\":1}");
  EXPECT_EQ(start.hop_tab, 17);
  EXPECT_TRUE(step.durable);
  EXPECT_TRUE(std::holds_alternative<AckFinish>(step.outputs.back()));
  b.begin("t", 17, 1, 1);
  EXPECT_EQ(starts(b.value("t", 1, 1)), Names{"other"});
}

TEST(Runs, ARetryBeginsAgainAtTheHopThatFailed) {
  Bench b;
  b.link("a");
  auto r = b.request("t");
  r.retries = 1;
  b.submit(r);
  b.begin("t", 17);
  b.next("t", "http://page/2");
  b.begin("t", 17, 1, 1);
  Outcome o;
  o.kind = Outcome::Kind::error;
  o.error = Error{ErrorName::NavigatedError, "away"};
  auto const start = outputs<SendStart>(b.core.finished("a", b.run("t", 1, 1), o, 9, b.now)).at(0);
  EXPECT_EQ(start.run, b.run("t", 2, 1));
  EXPECT_EQ(start.hop_url, "http://page/2");
}

TEST(Runs, TheDaemonEndsARunItselfAGraceAfterItsTimeout) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.pass(39'999);
  EXPECT_FALSE(end_of(b.core.tick(b.now), "t"));
  b.pass(1);
  auto const step = b.core.tick(b.now);
  EXPECT_EQ(failure(step, "t"), "TimeoutError");
  EXPECT_EQ(outputs<SendCancel>(step).size(), 1U);
}

TEST(Runs, ATaskWithoutATimeoutHasNoDeadline) {
  Bench b;
  b.link("a");
  auto r = b.request("t");
  r.timeout = std::nullopt;
  b.submit(r);
  b.begin("t");
  EXPECT_EQ(b.core.next_deadline(), std::nullopt);
}

TEST(Runs, ConsoleLinesBeyondTheLimitAreReplacedByOneWord) {
  Limits limits;
  limits.max_console = 2;
  Bench b{limits};
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  for (int i = 0; i < 5; ++i) b.core.console("a", b.run("t"), {0, "log", std::to_string(i), 0, 0}, b.now);
  auto const& lines = b.core.find("t")->console;
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[2].text.find("more lines"), std::string::npos);
}

std::vector<Event> told(Step const& step) {
  std::vector<Event> events;
  for (auto const& publish : outputs<Publish>(step)) events.push_back(publish.event);
  return events;
}

TEST(Runs, ALineOfTheConsoleIsCutAndAllOfThemTogetherAreBounded) {
  Limits limits;
  limits.max_line_bytes = 5;
  limits.max_console_bytes = 60;
  Bench b{limits};
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.core.console("a", b.run("t"), {0, "log", "abcdéf", 1, 1}, b.now);
  EXPECT_EQ(b.core.find("t")->console.back().text, "abcd… (3 bytes more)") << "no letter is cut in two";
  for (int i = 0; i < 5; ++i) b.core.console("a", b.run("t"), {0, "log", "0123456789", 1, 1}, b.now);
  auto const& lines = b.core.find("t")->console;
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines.back().text.find("more lines followed"), std::string::npos);
}

TEST(Runs, BeyondTheirLimitValuesOfProgressReplaceEachOtherAndTheLastIsKept) {
  Limits limits;
  limits.max_progress = 2;
  Bench b{limits};
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  auto const say = [&](int value) { return b.core.progress("a", b.run("t"), std::to_string(value), b.now); };
  for (int value : {1, 2}) EXPECT_EQ(say(value).writes.size(), 1U);
  auto const last_event = b.core.find("t")->last_seq;
  for (int value : {3, 4, 5}) {
    auto const step = say(value);
    EXPECT_TRUE(step.writes.empty() && step.outputs.empty());
  }
  EXPECT_EQ(b.core.find("t")->progress, "5");
  b.pass(*b.core.next_deadline() - b.now.mono);
  auto const step = b.core.tick(b.now);
  auto const events = told(step);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind + events[0].data, "progress{\"value\":5}");
  EXPECT_FALSE(events[0].journaled);
  EXPECT_EQ(events[0].seq, last_event);
  EXPECT_FALSE(step.durable);
  say(6);
  auto const end = b.value("t");
  EXPECT_EQ(told(end).at(0).data, "{\"value\":6}") << "the last one is told before the end";
  EXPECT_EQ(told(end).back().kind, "end");
  EXPECT_EQ(end_of(end, "t")->record.progress, "6");
}

TEST(Runs, AMillionValuesOfProgressAreFewWritesAndFewWordsToWatchers) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  std::size_t writes = 0, words = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    auto const step = b.core.progress("a", b.run("t"), std::to_string(i), b.now);
    writes += step.writes.size();
    words += step.outputs.size();
    if (i % 100 != 0) continue;
    b.pass(1);  // 10 s in all
    auto const tick = b.core.tick(b.now);
    writes += tick.writes.size();
    words += tick.outputs.size();
  }
  EXPECT_LT(writes, 1'000U + 5U);
  EXPECT_LT(words, 1'000U + 120U);
  EXPECT_EQ(end_of(b.value("t"), "t")->record.progress, "999999");
}

TEST(Runs, AValueOfProgressThatIsTooLargeIsDroppedWithAWordInTheConsole) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.core.progress("a", b.run("t"), "1", b.now);
  b.core.progress("a", b.run("t"), '"' + std::string(b.limits.max_value_bytes, 'x') + '"', b.now);
  EXPECT_EQ(b.core.find("t")->progress, "1");
  EXPECT_NE(b.core.find("t")->console.at(0).text.find("was dropped"), std::string::npos);
}

TEST(Runs, AScriptThatAsksForPagesWithoutEndIsEnded) {
  Limits limits;
  limits.max_hops = 3;
  Bench b{limits};
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  for (int hop = 0; hop < 3; ++hop) {
    EXPECT_EQ(starts(b.next("t", "http://page/", 1, hop)), Names{"t"});
    b.begin("t", 1, 1, hop + 1);
  }
  EXPECT_EQ(failure(b.next("t", "http://page/", 1, 3), "t"), "ScriptError");
}

TEST(Runs, AStateThatIsTooLargeForTheNextPageEndsTheTask) {
  Limits limits;
  limits.max_state_bytes = 10;
  Bench b{limits};
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  EXPECT_EQ(failure(b.next("t", "http://page/"), "t"), "ResultTooLargeError");
}

TEST(Runs, WordsOfARunThatIsNotTheCurrentOneAreDropped) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  EXPECT_TRUE(b.core.progress("a", b.run("t", 2), "1", b.now).writes.empty());
  EXPECT_TRUE(b.core.progress("b", b.run("t"), "1", b.now).writes.empty());
  auto const step = b.core.progress("a", b.run("t"), "1", b.now);
  EXPECT_EQ(step.writes.size(), 1U);
  EXPECT_FALSE(step.durable);
}

TEST(Cancel, AWaitingTaskIsCancelledAtOnce) {
  Bench b;
  b.submit(b.request("t"));
  auto const step = b.core.cancel("t", b.now).value();
  EXPECT_EQ(end_of(step, "t")->record.state, State::cancelled);
  EXPECT_TRUE(step.durable);
}

TEST(Cancel, ARunningTaskIsStoppedInItsBrowserWhichSaysHow) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  auto const step = b.core.cancel("t", b.now).value();
  EXPECT_EQ(outputs<SendCancel>(step).size(), 1U);
  EXPECT_FALSE(end_of(step, "t"));
  auto const end = b.error("t", ErrorName::CancelledError);
  EXPECT_EQ(end_of(end, "t")->record.state, State::cancelled);
  EXPECT_EQ(end_of(end, "t")->record.error->message, "it went wrong");
}

TEST(Cancel, ABrowserThatDoesNotAnswerIsWaitedForFiveSeconds) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  EXPECT_TRUE(b.core.cancel("t", b.now).has_value());
  b.pass(5'000);
  EXPECT_EQ(end_of(b.core.tick(b.now), "t")->record.state, State::cancelled);
}

TEST(Cancel, WithTheLinkDownItIsCancelledAtOnceAndStoppedWhenTheBrowserComesBack) {
  Bench b;
  b.link("a");
  b.submit(b.request("t"));
  b.begin("t");
  b.core.link_down("a", b.now);
  EXPECT_EQ(end_of(b.core.cancel("t", b.now).value(), "t")->record.state, State::cancelled);
  auto const back = b.link("a", "i1", {{b.run("t"), Hold::Phase::running}});
  EXPECT_EQ(outputs<SendCancel>(back).at(0).run, b.run("t"));
}

TEST(Cancel, ATaskThatIsNotAliveIsNotFound) {
  Bench b;
  EXPECT_EQ(b.core.cancel("none", b.now).error().name, ErrorName::NotFoundError);
}

}  // namespace
}  // namespace any::task
