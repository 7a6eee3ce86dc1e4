// A child process writes batches and is killed in the midst of it, again and again on one journal.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>

#include "store/tasks.hpp"

namespace any::store {
namespace {
using namespace store_test;

constexpr int tasks_per_batch = 4;

std::string id_of(int batch, int k) {
  return "b" + std::to_string(batch) + "-" + std::to_string(k);
}

std::unique_ptr<Store> open(std::string const& folder) {
  return open_sqlite({.folder = folder, .vfs = {}, .inline_limit = 3000, .checkpoint_pages = 30});
}

/// Writes batches from `from` on, tells the number of each that is on disk, until it is killed.
[[noreturn]] void write_until_killed(std::string const& folder, int from, int tell) {
  auto const store = open(folder);
  for (int batch = from;; ++batch) {
    std::vector<task::Write> writes;
    for (int k = 0; k < tasks_per_batch; ++k) {
      writes.push_back(task::InsertTask{queued(id_of(batch, k), batch, std::string(k == 0 ? 9000U : 40U, 's'))});
      writes.push_back(event(id_of(batch, k), 1));
    }
    writes.push_back(finish(id_of(batch, 1), std::string(4000, 'r'), batch));
    auto const durable = batch % 3 != 0;
    if (!store->apply(writes, durable)) ::_exit(3);
    if (::write(tell, &batch, sizeof batch) != sizeof batch) ::_exit(4);
  }
}

TEST(Kill, EachBatchIsThereWholeOrNotAtAllAndNoneThatWasTold) {
  TemporaryFolder folder;
  std::mt19937 random{11};
  int next = 0, told = 0, partly = 0;
  for (int round = 0; round < 25; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    auto const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      write_until_killed(folder.state(), next, pipe[1]);
    }
    ::close(pipe[1]);
    int last = next - 1;
    auto const wanted = next + static_cast<int>(random() % 12);
    while (last < wanted && ::read(pipe[0], &last, sizeof last) == sizeof last) ++told;
    for (auto spin = random() % 20'000; spin > 0; --spin) ::getppid();  // somewhere within the next batch
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
    while (::read(pipe[0], &last, sizeof last) == sizeof last) ++told;
    ::close(pipe[0]);

    auto const store = open(folder.state());
    std::size_t files = 0;
    auto batch = 0;
    for (;; ++batch) {
      int there = 0;
      for (int k = 0; k < tasks_per_batch; ++k) there += store->get(id_of(batch, k)).has_value();
      if (there == 0) break;
      ASSERT_EQ(there, tasks_per_batch) << "half of batch " << batch;
      ASSERT_EQ(store->get(id_of(batch, 0))->record.request.script.size(), 9000U);
      ASSERT_EQ(store->get(id_of(batch, 1))->result->size(), 4000U);
      for (int k = 0; k < tasks_per_batch; ++k) ASSERT_EQ(store->events(id_of(batch, k), 0)->size(), 1U);
      files += 2;
    }
    // A kill takes nothing that was handed to the system: what is durable only at a power cut is there as well.
    ASSERT_GT(batch, last) << "a batch that was told is not there";
    ASSERT_EQ(store->totals()->completed, static_cast<std::uint64_t>(batch));
    ASSERT_EQ(folder.values(), files);
    partly += batch > last + 1;
    next = batch;
  }
  EXPECT_GT(told, 20);
  RecordProperty("batches", next);
  RecordProperty("written_but_not_told", partly);
}

}  // namespace
}  // namespace any::store
