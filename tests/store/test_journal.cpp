// The journal's thread: order, group commit, what happens while the disk is full, the end.

#include "store/journal.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "store/loop.hpp"
#include "store/played_store.hpp"
#include "store/tasks.hpp"

namespace any::store {
namespace {
using namespace store_test;
using namespace std::chrono_literals;
using testing::ElementsAre;

class JournalTest : public testing::Test {
 protected:
  void start(JournalOptions options = {}) {
    journal_ = std::make_unique<Journal>(std::make_unique<PlayedStore>(disk_), loop_.post(), options);
  }
  /// Its outcome joins said_: "name" or "name: error".
  Done<void> say(std::string name) {
    return [this, name = std::move(name)](Result<void> const& done) {
      said_.push_back(done ? name : name + ": " + std::string{to_string(done.error().name)});
    };
  }
  void insert(std::string const& id, bool durable = true, std::string script = "s") {
    journal_->append({task::InsertTask{queued(id, 1, std::move(script))}}, durable, say(id));
  }
  void wait_for(std::size_t count) {
    ASSERT_TRUE(loop_.run_until([&] { return said_.size() >= count; }));
  }

  PlayedDisk disk_;
  Loop loop_;
  std::vector<std::string> said_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, AppendsThatWaitTogetherShareOneTransactionAndAreAnsweredInOrder) {
  start();
  disk_.let(false);
  insert("t0");
  disk_.wait_until_one_waits();
  std::vector<std::string> expected{"t0"};
  for (int i = 1; i <= 100; ++i) {
    insert("t" + std::to_string(i));
    expected.push_back("t" + std::to_string(i));
  }
  disk_.let(true);
  wait_for(101);
  EXPECT_EQ(said_, expected);
  EXPECT_THAT(disk_.get(&PlayedDisk::batches), ElementsAre(1U, 100U));
  EXPECT_EQ(journal_->stats().commits, 2U);
  EXPECT_EQ(journal_->stats().appends, 101U);
}

TEST_F(JournalTest, ATransactionIsBounded) {
  start({.max_batch = 10});
  disk_.let(false);
  insert("t");
  disk_.wait_until_one_waits();
  for (int i = 0; i < 25; ++i) insert("t" + std::to_string(i));
  std::vector<task::Write> large;
  for (int i = 0; i < 30; ++i) large.push_back(task::InsertTask{queued("large" + std::to_string(i))});
  journal_->append(std::move(large), true, say("large"));
  disk_.let(true);
  wait_for(27);
  EXPECT_THAT(disk_.get(&PlayedDisk::batches), ElementsAre(1U, 10U, 10U, 5U, 30U));
}

TEST_F(JournalTest, WritesThatAreNotDurableAreCommittedSoonWithoutCompanyAndUnsynced) {
  start();
  insert("a", false);
  insert("b", false);
  wait_for(2);
  EXPECT_THAT(said_, ElementsAre("a", "b"));
  EXPECT_THAT(disk_.get(&PlayedDisk::synced), testing::Each(false));
}

TEST_F(JournalTest, WritesThatAreNotDurableRideAlongWithTheNextDurableOne) {
  start({.lazy = 1h});
  insert("a", false);
  insert("b", false);
  insert("c", true);
  wait_for(3);
  EXPECT_THAT(said_, ElementsAre("a", "b", "c"));
  EXPECT_THAT(disk_.get(&PlayedDisk::batches), ElementsAre(3U));
  EXPECT_THAT(disk_.get(&PlayedDisk::synced), ElementsAre(true));
}

TEST_F(JournalTest, ReadsSeeWhatWasQueuedBeforeThem) {
  start({.lazy = 1h});
  insert("a", false);
  std::optional<Result<Stored>> got;
  journal_->get("a", [&](Result<Stored> stored) { got = std::move(stored); });
  ASSERT_TRUE(loop_.run_until([&] { return got.has_value(); }));
  EXPECT_EQ(got->value().record.request.script, "s");
  EXPECT_THAT(said_, ElementsAre("a"));
}

TEST_F(JournalTest, EveryReadAnswers) {
  start();
  insert("a");
  journal_->append({event("a", 1), finish("a", "7")}, true, say("end"));
  std::vector<std::string> got;
  journal_->put_browser({.id = "x"}, true, say("browser"));
  journal_->put_browser({.id = "y"}, false, say("soon"));
  journal_->put_meta("m", "v", say("meta"));
  journal_->meta("m", [&](auto value) { got.push_back(value.value()); });
  journal_->browsers([&](auto rows) { got.push_back(std::to_string(rows.value().size())); });
  journal_->events("a", 0, [&](auto events) { got.push_back(events.value().at(0).kind); });
  journal_->list({}, [&](auto list) { got.push_back(list.value().at(0).request.id); });
  journal_->totals([&](auto totals) { got.push_back(std::to_string(totals.value().completed)); });
  journal_->screenshot("a", [&](auto shot) { got.push_back(std::string{to_string(shot.error().name)}); });
  journal_->load_live([&](auto live) { got.push_back(std::to_string(live.value().size())); });
  journal_->forget_browser("x", say("forgotten"));
  journal_->prune(1'000'000, 1 << 30, [&](auto more) { got.push_back(more.value() ? "more" : "done"); });
  journal_->get("a", [&](auto stored) { got.push_back(std::string{to_string(stored.error().name)}); });
  ASSERT_TRUE(loop_.run_until([&] { return got.size() == 9; }));
  EXPECT_THAT(got, ElementsAre("v", "2", "progress", "a", "1", "NotFoundError", "0", "done", "NotFoundError"));
  EXPECT_THAT(said_, ElementsAre("a", "end", "browser", "soon", "meta", "forgotten"));
}

TEST_F(JournalTest, AnAppendThatDoesNotFitFailsAlone) {
  start();
  disk_.set(&PlayedDisk::too_large, std::size_t{100});
  disk_.let(false);
  insert("first");
  disk_.wait_until_one_waits();
  insert("a");
  insert("large", true, std::string(200, 's'));
  insert("b");
  disk_.let(true);
  wait_for(4);
  EXPECT_THAT(said_, ElementsAre("first", "a", "large: DiskFullError", "b"));
  EXPECT_EQ(journal_->stats().failures, 2U);
}

TEST_F(JournalTest, AnAppendThatIsWrongFailsAlone) {
  start();
  insert("a");
  disk_.let(false);
  insert("b");
  insert("a");
  journal_->append({event("nobody", 1)}, false, say("event"));
  insert("c");
  disk_.let(true);
  wait_for(5);
  EXPECT_THAT(said_, ElementsAre("a", "b", "a: ConflictError", "event: NotFoundError", "c"));
}

TEST_F(JournalTest, AStoreThatThrowsIsAnInternalErrorForEachWhoAskedAndTheJournalGoesOn) {
  start();
  disk_.set(&PlayedDisk::broken, true);
  insert("a");
  insert("b", false);
  wait_for(2);
  EXPECT_THAT(said_, ElementsAre("a: InternalError", "b: InternalError"));
  disk_.set(&PlayedDisk::broken, false);
  insert("c");
  wait_for(3);
  EXPECT_EQ(said_.back(), "c");
}

TEST_F(JournalTest, AnAnswerThatThrowsKeepsNobodyElsesBack) {
  start();
  disk_.let(false);
  journal_->append({task::InsertTask{queued("a", 1, "s")}}, true,
                   [](Result<void> const&) { throw std::runtime_error("it broke"); });
  insert("b");
  disk_.let(true);
  wait_for(1);
  EXPECT_THAT(said_, ElementsAre("b"));
}

TEST_F(JournalTest, WhileTheDiskIsFullDurableAppendsFailAndTheOthersAreKept) {
  start({.lazy = 1ms, .retry = 5ms});
  insert("a");
  wait_for(1);
  disk_.set(&PlayedDisk::full, true);
  journal_->append({event("a", 1)}, false, say("event 1"));
  journal_->append({event("a", 2)}, false, say("event 2"));
  insert("b");
  wait_for(2);
  EXPECT_THAT(said_, ElementsAre("a", "b: DiskFullError"));
  disk_.set(&PlayedDisk::full, false);
  wait_for(4);
  EXPECT_THAT(said_, ElementsAre("a", "b: DiskFullError", "event 1", "event 2"));
  std::size_t events = 0;
  journal_->events("a", 0, [&](auto found) { events = found.value().size(); });
  ASSERT_TRUE(loop_.run_until([&] { return events != 0; }));
  EXPECT_EQ(events, 2U);
}

TEST_F(JournalTest, WhatIsKeptIsWrittenBeforeLaterWritesOfItsTask) {
  start({.lazy = 1ms, .retry = 1h});
  insert("a");
  insert("z");
  wait_for(2);
  disk_.set(&PlayedDisk::full, true);
  journal_->append({task::UpdateTask{later("a", task::State::dispatched)}}, false, say("dispatched"));
  journal_->append({task::UpdateTask{later("a", task::State::running)}}, true, say("running"));
  wait_for(3);
  EXPECT_EQ(said_.back(), "running: DiskFullError");
  disk_.set(&PlayedDisk::full, false);
  journal_->append({task::UpdateTask{later("a", task::State::running)}}, true, say("running"));
  wait_for(5);
  EXPECT_THAT(said_, ElementsAre("a", "z", "running: DiskFullError", "dispatched", "running"));
  task::State state{};
  journal_->get("a", [&](auto stored) { state = stored.value().record.state; });
  ASSERT_TRUE(loop_.run_until([&] { return state != task::State::queued; }));
  EXPECT_EQ(state, task::State::running);
}

TEST_F(JournalTest, WhatIsKeptIsBoundedAndTheOldestSaySo) {
  start({.lazy = 1ms, .retry = 1h, .max_kept = 3});
  insert("a");
  wait_for(1);
  disk_.set(&PlayedDisk::full, true);
  for (std::uint64_t i = 1; i <= 5; ++i) journal_->append({event("a", i)}, false, say("event " + std::to_string(i)));
  wait_for(3);
  EXPECT_THAT(said_, ElementsAre("a", "event 1: DiskFullError", "event 2: DiskFullError"));
  disk_.set(&PlayedDisk::full, false);
  insert("b");
  wait_for(7);
  EXPECT_THAT(said_, testing::IsSupersetOf({"event 3", "event 4", "event 5", "b"}));
}

TEST_F(JournalTest, ClosingWritesWhatWaitsAndThenTheStoreIsClosed) {
  start({.lazy = 1h});
  for (int i = 0; i < 50; ++i) insert("t" + std::to_string(i), i % 2 == 0);
  insert("last", false);
  journal_->close();
  EXPECT_TRUE(disk_.get(&PlayedDisk::closed));
  loop_.run_posted();
  EXPECT_EQ(said_.size(), 51U);
  EXPECT_EQ(said_.back(), "last");
  insert("too late");
  journal_->meta("x", [&](auto value) { said_.push_back(std::string{to_string(value.error().name)}); });
  loop_.run_posted();
  EXPECT_EQ(said_[51], "too late: UnavailableError");
  EXPECT_EQ(said_[52], "UnavailableError");
}

TEST_F(JournalTest, ClosingOnAFullDiskSaysWhatWasNotWritten) {
  start({.lazy = 1ms, .retry = 1h});
  insert("a");
  wait_for(1);
  disk_.set(&PlayedDisk::full, true);
  journal_->append({event("a", 1)}, false, say("event"));
  journal_->close();
  loop_.run_posted();
  EXPECT_THAT(said_, ElementsAre("a", "event: DiskFullError"));
}

TEST_F(JournalTest, GoesWithItsOwnerAndAnswersFirst) {
  start();
  insert("a");
  journal_.reset();
  EXPECT_TRUE(disk_.get(&PlayedDisk::closed));
  loop_.run_posted();
  EXPECT_THAT(said_, ElementsAre("a"));
}

TEST_F(JournalTest, TakesAppendsWithoutAnAnswer) {
  start();
  journal_->append({task::InsertTask{queued("a")}}, true, {});
  journal_->put_browser({.id = "x"}, false, {});
  insert("b");
  wait_for(1);
  EXPECT_THAT(said_, ElementsAre("b"));
}

TEST_F(JournalTest, KeepsEachThreadsOrderWhenManyAppend) {
  start({.lazy = 1ms, .max_batch = 50});
  constexpr int threads = 4, each = 250;
  std::vector<std::vector<int>> answered(threads);
  std::size_t count = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        auto const id = "t" + std::to_string(t) + "-" + std::to_string(i);
        journal_->append({task::InsertTask{queued(id)}}, i % 3 == 0, [&, t, i](Result<void> const& done) {
          must(done);
          answered[static_cast<std::size_t>(t)].push_back(i);
          ++count;
        });
        if (i % 10 == 0) journal_->get(id, [&](auto const& stored) { EXPECT_TRUE(stored); });
      }
    });
  }
  EXPECT_TRUE(loop_.run_until([&] { return count == threads * each; }));
  for (auto& caller : callers) caller.join();
  for (auto const& order : answered) EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(JournalOnDisk, HasEveryAnsweredTaskAfterReopening) {
  TemporaryFolder folder;
  Loop loop;
  int answered = 0;
  {
    Journal journal{open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 1000}), loop.post()};
    for (int i = 0; i < 300; ++i) {
      auto const id = "t" + std::to_string(i);
      journal.append({task::InsertTask{queued(id, i, std::string(i % 10 == 0 ? 3000U : 10U, 's'))}, event(id, 1)}, true,
                     [&](Result<void> const& done) { answered += done.has_value(); });
    }
    ASSERT_TRUE(loop.run_until([&] { return answered == 300; }));
  }
  EXPECT_EQ(open_sqlite({.folder = folder.state()})->load_live().value().size(), 300U);
  EXPECT_EQ(folder.values(), 30U);
}

}  // namespace
}  // namespace any::store
