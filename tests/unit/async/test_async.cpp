// What starts, waits, is called later or runs aside: where its exception goes, and when it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "async/boot_timer.hpp"
#include "async/loop.hpp"
#include "async/pool.hpp"
#include "async/post.hpp"
#include "async/spawn.hpp"
#include "async/timer.hpp"
#include "async/waiters.hpp"
#include "base/log.hpp"

namespace any::async {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class AsyncTest : public testing::Test {
 protected:
  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(milliseconds(20));
    }
    return true;
  }
  void pump() {
    io.restart();
    while (io.poll() > 0) {
    }
  }
  std::string logged() const {
    std::string all;
    for (auto const& line : log::recent(100, before)) all += line.text + "\n";
    return all;
  }
  static Async<void> throws() {
    throw std::runtime_error("it broke");
    co_return;
  }

  std::uint64_t before = log::recent(1).empty() ? 0 : log::recent(1).back().seq;
  Loop io;
  boost::asio::executor_work_guard<Loop::executor_type> work{io.get_executor()};
};

TEST_F(AsyncTest, AnExceptionThatLeavesACoroutineIsLoggedWithItsNameAndWhatFollowsIsDone) {
  bool ended = false;
  spawn(io.get_executor(), "the walk", throws(), [&] { ended = true; });
  EXPECT_TRUE(until([&] { return ended; }));
  EXPECT_THAT(logged(), HasSubstr("A bug: the walk failed: it broke"));
}

TEST_F(AsyncTest, ATimerWhoseFunctionThrowsSaysSoAndCallsItAgain) {
  Timer timer(io.get_executor(), "the clock");
  int calls = 0;
  timer.after(milliseconds(1), [&] {
    if (++calls == 1) throw std::runtime_error("it broke");
  });
  EXPECT_TRUE(until([&] { return calls == 2; }));
  EXPECT_THAT(logged(), HasSubstr("A bug: the clock failed: it broke"));
}

TEST_F(AsyncTest, ATimerThatWasSetAnewCancelledOrHasGoneCallsNothingMore) {
  std::string called;
  auto gone = std::make_unique<Timer>(io.get_executor(), "one that goes");
  Timer cancelled(io.get_executor(), "one that is cancelled"), anew(io.get_executor(), "one that is set anew");
  gone->after(milliseconds(0), [&] { called += "gone "; });
  cancelled.after(milliseconds(0), [&] { called += "cancelled "; });
  anew.after(milliseconds(0), [&] { called += "old "; });
  anew.after(milliseconds(1), [&] { called += "new "; });
  gone.reset();
  cancelled.cancel();
  EXPECT_TRUE(until([&] { return !called.empty(); }));
  pump();
  EXPECT_EQ(called, "new ");
}

/// A machine's clock that a sleep sets forward.
struct SleepersClock {
  using duration = milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SleepersClock>;
  static constexpr duration looked_at_each{10};
  static inline duration slept{0};
  static time_point now() { return time_point{BootClock::now().time_since_epoch() + slept}; }
};

TEST_F(AsyncTest, ATimerThatCameDueWhileTheMachineSleptFiresWhenItWakesAndNoOtherDoes) {
  using namespace std::chrono_literals;
  boost::asio::basic_waitable_timer<SleepersClock, LookAgain<SleepersClock>> due(io, 1h), later(io, 3h);
  bool due_fired = false, later_fired = false;
  due.async_wait([&](auto) { due_fired = true; });
  later.async_wait([&](auto) { later_fired = true; });
  pump();
  EXPECT_FALSE(due_fired);
  SleepersClock::slept = 2h;
  EXPECT_TRUE(until([&] { return due_fired; }));
  EXPECT_FALSE(later_fired);
}

TEST_F(AsyncTest, TheDeadlinesClockIsLookedAtEveryFewSecondsAtMost) {
  using namespace std::chrono_literals;
  EXPECT_EQ(LookAgain<BootClock>::to_wait_duration(1h), 4s);
  EXPECT_EQ(LookAgain<BootClock>::to_wait_duration(20ms), 20ms);
}

TEST_F(AsyncTest, ACallThatThrowsKeepsTheNextOnesFromNothing) {
  bool called = false;
  post(io.get_executor(), "the first", [] { throw std::runtime_error("it broke"); });
  post(io.get_executor(), "the second", [&] { called = true; });
  pump();
  EXPECT_TRUE(called);
  EXPECT_THAT(logged(), HasSubstr("A bug: the first failed: it broke"));
}

TEST_F(AsyncTest, WhatIsWaitedForOnBehalfOfACallerEndsWhenTheCallerGoesAndNothingElseDoes) {
  Waiters<int> waiters(io.get_executor());
  OneShot<int> const carried_through(io.get_executor());
  Cancellation const caller;
  std::string seen;
  auto serve = [&]() -> Async<void> {
    auto const first = co_await waiters.wait("x", std::nullopt);
    seen += first ? "told " : "ended ";
    auto const second = co_await waiters.wait("x", std::nullopt);
    seen += second ? "told " : "ended ";
    auto const number = co_await carried_through.get();
    seen += std::to_string(number);
  };
  spawn(io.get_executor(), "serving", serve(), caller);
  EXPECT_TRUE(until([&] { return waiters.size() == 1; }));
  caller.cancel();
  EXPECT_TRUE(until([&] { return seen == "ended ended "; })) << seen;
  EXPECT_EQ(waiters.size(), 0U);
  carried_through.set(7);
  EXPECT_TRUE(until([&] { return seen == "ended ended 7"; })) << seen;
}

TEST_F(AsyncTest, WhoWaitsStandsInTheListUntilItIsToldOrItsTimeIsOver) {
  Waiters<int> waiters(io.get_executor());
  std::vector<std::optional<int>> told;
  auto wait = [&](std::string what, std::optional<Millis> limit) -> Async<void> {
    auto const value = co_await waiters.wait(what, limit);
    told.push_back(value);
  };
  spawn(io.get_executor(), "one", wait("a", std::nullopt));
  spawn(io.get_executor(), "two", wait("b", 1));
  EXPECT_TRUE(until([&] { return told.size() == 1; }));
  EXPECT_EQ(told.back(), std::nullopt);
  EXPECT_EQ(waiters.size(), 1U);
  waiters.tell("b", 5);
  waiters.tell("a", 6);
  EXPECT_TRUE(until([&] { return told.size() == 2; }));
  EXPECT_EQ(told.back(), 6);
  EXPECT_EQ(waiters.size(), 0U);
}

TEST_F(AsyncTest, WorkAsideThatThrowsIsAnInternalErrorForWhoAskedForIt) {
  Pool pool(io.get_executor());
  std::optional<Result<int>> broken, whole;
  pool.run<int>(
      "counting", []() -> int { throw std::runtime_error("it broke"); }, [&](Result<int> got) { broken = got; });
  pool.run<int>(
      "counting", [] { return 3; }, [&](Result<int> got) { whole = got; });
  EXPECT_TRUE(until([&] { return broken && whole; }));
  EXPECT_EQ(broken->error().name, ErrorName::InternalError);
  EXPECT_EQ(whole->value(), 3);
  EXPECT_THAT(logged(), HasSubstr("A bug: counting failed: it broke"));
}

TEST_F(AsyncTest, TheLoopGoesOnAfterWhatNobodyElseHasCaught) {
  boost::asio::post(io, [] { throw std::runtime_error("it broke"); });
  bool called = false;
  boost::asio::post(io, [&] {
    called = true;
    io.stop();
  });
  io.run_guarded();
  EXPECT_TRUE(called);
  EXPECT_THAT(logged(), HasSubstr("it broke"));
}

TEST(Loop, LetsGoOfWhatStillWaitsBeforeWhatThatSpeaksOf) {
  Loop io;
  bool let_go = false;
  {
    auto const owner = std::make_unique<OneShot<int>>(io.get_executor());
    auto waits = [&]() -> Async<void> {
      Finally const end([&] { let_go = true; });
      co_await owner->get();
    };
    spawn(io.get_executor(), "waiting", waits());
    io.poll();
    EXPECT_FALSE(let_go);
    io.abandon();
    EXPECT_TRUE(let_go);
  }
}

}  // namespace
}  // namespace any::async
