// The disk fails at each write and each sync in turn: nothing of the batch remains, and the journal goes on.

#include <gmock/gmock.h>

#include <filesystem>

#include "store/tasks.hpp"
#include "store/watched_vfs.hpp"

namespace any::store {
namespace {
using namespace store_test;

struct Fault {
  char const* what;
  bool io_error, stays;
};

class FailingDisk : public testing::TestWithParam<Fault> {
 protected:
  static std::unique_ptr<Store> open(TemporaryFolder const& folder) {
    return open_sqlite(
        {.folder = folder.state(), .vfs = watched_vfs::name, .inline_limit = 2000, .checkpoint_pages = 10});
  }
  static std::vector<task::Write> batch() {
    auto large = queued("new", 20, std::string(100'000, 's'));
    large.request.labels = {{"k", "v"}};
    auto end = finish("old", std::string(70'000, 'r'), 10);
    return {task::InsertTask{large}, event("new", 1, "queued", "{}"),
            event("old", 1, "progress", R"({"value":")" + std::string(30'000, 'p') + "\"}"), end};
  }
  static void nothing_remains(Store& store) {
    EXPECT_EQ(store.get("new").error().name, ErrorName::NotFoundError);
    auto const old = store.get("old").value();
    EXPECT_EQ(old.record.state, task::State::queued);
    EXPECT_EQ(old.record.request.script, "return 1");
    EXPECT_FALSE(old.result);
    EXPECT_TRUE(store.events("old", 0).value().empty());
    EXPECT_TRUE(store.list({.labels = {{"k", "v"}}}).value().empty());
    EXPECT_EQ(store.totals().value().completed, 0U);
  }
  static void all_is_there(Store& store) {
    EXPECT_EQ(store.get("new").value().record.request.script.size(), 100'000U);
    EXPECT_EQ(store.get("old").value().result->size(), 70'000U);
    EXPECT_EQ(store.events("old", 0).value().size(), 1U);
    EXPECT_EQ(store.totals().value().completed, 1U);
  }
  /// What a daemon finds that was killed at this moment.
  static std::unique_ptr<Store> after_a_kill(TemporaryFolder const& folder, TemporaryFolder const& copy) {
    std::filesystem::copy(folder.state(), copy.state(), std::filesystem::copy_options::recursive);
    return open(copy);
  }
};
INSTANTIATE_TEST_SUITE_P(Each, FailingDisk,
                         testing::Values(Fault{"FullOnce", false, false}, Fault{"FullFromThenOn", false, true},
                                         Fault{"ErrorOnce", true, false}, Fault{"ErrorFromThenOn", true, true}),
                         [](auto const& info) { return info.param.what; });

TEST_P(FailingDisk, LeavesNothingOfTheBatchWhicheverWriteFails) {
  int met = 0;
  for (int n = 1;; ++n) {
    SCOPED_TRACE("write or sync number " + std::to_string(n));
    watched_vfs::reset();
    TemporaryFolder folder;
    auto store = open(folder);
    must(store->apply({task::InsertTask{queued("old", 10)}}, true));

    watched_vfs::fail_at(n, GetParam().io_error, GetParam().stays);
    auto const done = store->apply(batch(), true);
    auto const failed = watched_vfs::failed();
    watched_vfs::fail_no_more();
    if (done) {
      // What fails after the commit (the checkpoint) is no failure of the batch.
      all_is_there(*store);
      EXPECT_EQ(folder.values(), 2U);
      store.reset();
      all_is_there(*open(folder));
      if (!failed) break;
      continue;
    }
    ++met;
    EXPECT_EQ(done.error().name, ErrorName::DiskFullError);
    EXPECT_THAT(done.error().message, testing::HasSubstr(folder.state()));
    nothing_remains(*store);

    if (n % 2 == 0) {
      store.reset();
      store = open(folder);
      nothing_remains(*store);
    }
    must(store->apply(batch(), true));
    all_is_there(*store);
    ASSERT_TRUE(store->prune(0, 1 << 30));
    EXPECT_EQ(folder.values(), 2U);
    store.reset();
    all_is_there(*open(folder));
    if (HasFailure()) return;
  }
  EXPECT_GT(met, 10);
}

// A commit whose sync failed stands in the log, and a daemon that is killed then finds it there.
TEST_P(FailingDisk, AKillAfterAFailureLeavesNoRecordWithoutItsValues) {
  int met = 0;
  for (int n = 1;; ++n) {
    SCOPED_TRACE("write or sync number " + std::to_string(n));
    watched_vfs::reset();
    TemporaryFolder folder, killed;
    auto store = open(folder);
    must(store->apply({task::InsertTask{queued("old", 10)}}, true));
    watched_vfs::fail_at(n, GetParam().io_error, GetParam().stays);
    auto const done = store->apply(batch(), true);
    auto const failed = watched_vfs::failed();
    watched_vfs::fail_no_more();
    if (!failed) break;
    auto const next = after_a_kill(folder, killed);
    if (done || (GetParam().stays && next->get("new"))) {
      all_is_there(*next);
    } else {
      ++met;
      nothing_remains(*next);
    }
    // Once the disk works again nothing is left of what failed, without any prune.
    if (!done) {
      must(store->put_meta("disk_probe", "now"));
      TemporaryFolder later;
      nothing_remains(*after_a_kill(folder, later));
      ASSERT_TRUE(store->prune(0, 1 << 30));
      EXPECT_EQ(folder.values(), 0U);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(met, 10);
}

TEST_P(FailingDisk, PruneThatFailsLosesNoTaskThatItDidNotRemove) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE("write or sync number " + std::to_string(n));
    watched_vfs::reset();
    TemporaryFolder folder;
    auto store = open(folder);
    must(store->apply({task::InsertTask{queued("a", 10)}, finish("a", std::string(70'000, 'r'), 10, 100),
                       task::InsertTask{queued("b", 20)}, finish("b", std::string(70'000, 'r'), 20, 200)},
                      true));
    watched_vfs::fail_at(n, GetParam().io_error, GetParam().stays);
    auto const done = store->prune(150, std::numeric_limits<std::uint64_t>::max());
    auto const failed = watched_vfs::failed();
    watched_vfs::fail_no_more();
    if (!done) {
      EXPECT_EQ(store->get("a").value().result->size(), 70'000U);
    } else {
      EXPECT_EQ(store->get("a").error().name, ErrorName::NotFoundError);
    }
    EXPECT_EQ(store->get("b").value().result->size(), 70'000U);
    if (!failed || HasFailure()) break;
  }
}

TEST(FailingDisk, AnOpeningThatFailsSaysWhyAndTheNextOneWorks) {
  for (int n = 1; n < 100; ++n) {
    watched_vfs::reset();
    TemporaryFolder folder;
    watched_vfs::fail_at(n, false, true);
    std::string said;
    try {
      open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
    } catch (std::runtime_error const& failure) {
      said = failure.what();
    }
    auto const failed = watched_vfs::failed();
    watched_vfs::fail_no_more();
    if (!said.empty()) {
      EXPECT_THAT(said, testing::HasSubstr("journal.db"));
      EXPECT_THAT(said, testing::HasSubstr("full"));
    }
    auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
    must(store->apply({task::InsertTask{queued("a")}}, true));
    if (!failed) return;
  }
  FAIL() << "opening took more than 100 writes";
}

}  // namespace
}  // namespace any::store
