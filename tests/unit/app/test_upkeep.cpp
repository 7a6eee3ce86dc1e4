// What the daemon does now and then by itself, with short pauses.

#include "app/upkeep.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "store/memory_store.hpp"

namespace any::app {
namespace {

using std::chrono::milliseconds;
constexpr Millis day = 24LL * 3600 * 1000;

struct NoTaskCommands final : browser::TaskCommands {
  void start(task::SendStart const&) override {}
  void cancel(task::SendCancel const&) override {}
  void forget(task::SendForget const&) override {}
  void acknowledge(task::AckFinish const&) override {}
};

struct MovedClock final : Clock {
  Instant at{1'000, 1'700'000'000'000};
  Instant now() const override { return at; }
};

task::Record ended_at(std::string id, Millis wall) {
  task::Record record;
  record.request.id = std::move(id);
  record.request.script = "return 1";
  record.created = wall;
  record.state = task::State::queued;
  return record;
}

class UpkeepTest : public testing::Test {
 protected:
  ~UpkeepTest() override { journal.close(); }

  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(milliseconds(5));
    }
    return true;
  }
  void end(std::string const& id, Millis wall) {
    auto record = ended_at(id, wall);
    std::vector<task::Write> writes{task::InsertTask{record}};
    record.state = task::State::completed;
    record.ended = wall;
    writes.emplace_back(task::FinishTask{record, "1", ""});
    journal.append(std::move(writes), true, nullptr);
  }
  bool is_there(std::string const& id) {
    std::optional<bool> there;
    journal.get(id, [&](Result<store::Stored> const& stored) { there = stored.has_value(); });
    EXPECT_TRUE(until([&] { return there.has_value(); }));
    return there.value_or(false);
  }

  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  MovedClock clock;
  NoTaskCommands commands;
  store::Journal journal{std::make_unique<store::MemoryStore>(),
                         [this](std::function<void()> call) { boost::asio::post(io, std::move(call)); }};
  service::TaskService tasks{io, clock, journal, commands, task::Limits{}};
};

TEST_F(UpkeepTest, WhatEndedTooLongAgoIsRemovedAtTheFirstPruningAndEachFurtherOne) {
  end("old", clock.at.wall - 31 * day);
  end("new", clock.at.wall - 29 * day);
  Pruning pruning(io, clock, journal, tasks, 30, std::uint64_t{1} << 30,
                  {.first = milliseconds(5), .each = milliseconds(5)});
  EXPECT_TRUE(until([&] { return !is_there("old"); }));
  EXPECT_TRUE(is_there("new"));
  clock.at.wall += 2 * day;
  EXPECT_TRUE(until([&] { return !is_there("new"); }));
  pruning.stop();
}

TEST_F(UpkeepTest, NothingIsPrunedBeforeItsTimeNorAfterTheStop) {
  end("old", clock.at.wall - 31 * day);
  Pruning pruning(io, clock, journal, tasks, 30, std::uint64_t{1} << 30,
                  {.first = milliseconds(50), .each = milliseconds(1)});
  EXPECT_TRUE(is_there("old"));
  pruning.stop();
  boost::asio::steady_timer later(io, milliseconds(80));
  bool passed = false;
  later.async_wait([&](boost::system::error_code) { passed = true; });
  EXPECT_TRUE(until([&] { return passed; }));
  EXPECT_TRUE(is_there("old"));
}

TEST_F(UpkeepTest, MemoryIsGivenBackOnceWhenWorkHasComeToRest) {
  std::uint64_t work_done = 0;
  int trims = 0, looks = 0;
  Trimming trimming(
      io, [&] { return ++looks, work_done; }, [&] { ++trims; }, milliseconds(1));
  auto const look_again = [&] { return until([&, before = looks] { return looks >= before + 3; }); };
  EXPECT_TRUE(look_again());
  EXPECT_EQ(trims, 0);
  for (int round = 1; round <= 2; ++round) {
    ++work_done;
    EXPECT_TRUE(until([&] { return trims == round; }));
    EXPECT_TRUE(look_again());
    EXPECT_EQ(trims, round);
  }
  trimming.stop();
}

}  // namespace
}  // namespace any::app
