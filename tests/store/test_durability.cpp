// A kill proves nothing about fsync: here every write and sync is written down, and no `done` of a durable append comes
// before the sync that covers it.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "store/journal.hpp"
#include "store/tasks.hpp"
#include "store/watched_vfs.hpp"

namespace any::store {
namespace {
using namespace store_test;
using Kind = Call::Kind;

bool of_log(Call const& call) {
  return call.file.ends_with("-wal");
}
bool of_value(Call const& call) {
  return call.file.find("/values/") != std::string::npos;
}
std::string name_of(Call const& call) {
  return call.file.substr(call.file.rfind('/') + 1);
}

/// What is wrong with the order of the calls; empty where nothing is.
std::string fault_of(std::vector<Call> const& calls, std::size_t durable_marks) {
  std::size_t marks = 0;
  for (std::size_t at = 0; at < calls.size(); ++at) {
    auto const& mark = calls[at];
    if (mark.kind != Kind::mark) continue;
    ++marks;
    bool written = false, unsynced = false;
    for (std::size_t i = 0; i < at; ++i) {
      auto const& call = calls[i];
      if (!of_log(call)) continue;
      if (call.kind == Kind::write) {
        unsynced = true;
        written = written || call.bytes.find(mark.file) != std::string::npos;
      }
      if (call.kind == Kind::sync) unsynced = false;
    }
    if (!written) return mark.file + " was answered before it was written";
    if (unsynced) return mark.file + " was answered before the sync";
  }
  if (marks != durable_marks) return "only " + std::to_string(marks) + " marks";
  return {};
}

std::string fault_of_values(std::vector<Call> const& calls, std::size_t expected) {
  std::size_t found = 0;
  for (std::size_t at = 0; at < calls.size(); ++at) {
    if (!of_value(calls[at]) || calls[at].kind != Kind::sync) continue;
    ++found;
    auto const name = name_of(calls[at]);
    if (!calls[at].folder_too) return name + " was synced without its entry in the folder";
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].kind != Kind::write) continue;
      if (i < at && of_log(calls[i]) && calls[i].bytes.find(name) != std::string::npos) {
        return name + " was named in the journal before it was synced";
      }
      if (i > at && calls[i].file == calls[at].file) return name + " was written after its sync";
    }
  }
  if (found != expected) return "only " + std::to_string(found) + " values";
  return {};
}

/// What is wrong with the values' files that went: each goes only when a sync covers all that the journal wrote before.
std::string fault_of_removals(std::vector<Call> const& calls, std::size_t expected) {
  std::size_t found = 0;
  bool synced = false;
  for (auto const& call : calls) {
    if (of_log(call) && call.kind == Kind::write) synced = false;
    if (of_log(call) && call.kind == Kind::sync) synced = true;
    if (!of_value(call) || call.kind != Kind::removal) continue;
    ++found;
    if (!synced) return name_of(call) + " was removed before the sync";
  }
  if (found != expected) return std::to_string(found) + " files were removed";
  return {};
}

std::string const large_script(5000, 's');

void add_orphan(std::string const& state) {
  std::ofstream{state + "/values/orphan"} << "x";
}

TEST(Durability, NoDurableAppendIsAnsweredBeforeTheSyncThatCoversIt) {
  watched_vfs::reset();
  TemporaryFolder folder;
  std::size_t durable = 0, large = 0, answered = 0;
  auto store =
      open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name, .inline_limit = 1000, .checkpoint_pages = 60});
  watched_vfs::record();
  {
    // Answers are given on the journal's thread at once: the earliest that they can leave.
    Journal journal{std::move(store), [](std::function<void()> const& call) { call(); }};
    std::mt19937 random{7};
    for (int i = 0; i < 250; ++i) {
      auto const id = "durable-task-" + std::to_string(1000 + i);
      auto const size = random() % 4 == 0 ? 5000U : 50U;
      if (random() % 3 != 0) {
        ++durable;
        large += size > 1000;
        journal.append({task::InsertTask{queued(id, i, std::string(size, 's'))}, event(id, 1)}, true,
                       [id, &answered](Result<void> const& done) {
                         must(done);
                         ++answered;
                         watched_vfs::mark(id);
                       });
      } else {
        large += size > 1000;
        journal.append({task::InsertTask{queued(id, i, std::string(size, 's'))}}, false,
                       [&answered](Result<void> const& done) {
                         must(done);
                         ++answered;
                       });
      }
      // Some go alone, some in company.
      if (random() % 8 == 0) {
        std::atomic<bool> reached{false};
        journal.meta("x", [&](auto const&) {
          reached = true;
          reached.notify_one();
        });
        reached.wait(false);
      }
    }
  }
  EXPECT_EQ(answered, 250U);
  auto const calls = watched_vfs::calls();
  EXPECT_EQ(fault_of(calls, durable), "");
  EXPECT_EQ(fault_of_values(calls, large), "");
  auto const syncs = std::count_if(calls.begin(), calls.end(),
                                   [](auto const& call) { return of_log(call) && call.kind == Kind::sync; });
  EXPECT_GT(syncs, 10);
  EXPECT_GT(
      std::count_if(calls.begin(), calls.end(),
                    [](auto const& call) { return call.file.ends_with("journal.db") && call.kind == Kind::sync; }),
      0)
      << "no checkpoint was seen";
}

TEST(Durability, TheCheckSeesAnAnswerThatComesTooEarly) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  watched_vfs::record();
  must(store->apply({task::InsertTask{queued("early-task")}}, false));
  watched_vfs::mark("early-task");
  EXPECT_EQ(fault_of(watched_vfs::calls(), 1), "early-task was answered before the sync");
  watched_vfs::mark("never-written");
  must(store->apply({}, true));
  EXPECT_NE(fault_of(watched_vfs::calls(), 2), "");
}

TEST(Durability, AnEmptySyncCoversWhatWasAppliedBefore) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  watched_vfs::record();
  must(store->apply({task::InsertTask{queued("covered-task")}}, false));
  must(store->apply({}, true));
  watched_vfs::mark("covered-task");
  EXPECT_EQ(fault_of(watched_vfs::calls(), 1), "");
}

TEST(Durability, EveryEmptySyncCoversWhatWasAppliedSinceTheLast) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  watched_vfs::record();
  for (std::string const id : {"first-task", "second-task", "third-task"}) {
    must(store->apply({task::InsertTask{queued(id)}}, false));
    must(store->apply({}, true));
    watched_vfs::mark(id);
  }
  EXPECT_EQ(fault_of(watched_vfs::calls(), 3), "");
}

TEST(Durability, ASyncedWriteThatChangesNothingStillCoversWhatWasAppliedBefore) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  watched_vfs::record();
  must(store->apply({task::InsertTask{queued("covered-task")}}, false));
  must(store->forget_browser("unknown"));
  must(store->apply({}, true));
  watched_vfs::mark("covered-task");
  EXPECT_EQ(fault_of(watched_vfs::calls(), 1), "");
}

TEST(Durability, AValuesFileGoesOnlyWhenTheEndOfItsRecordIsSynced) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name, .inline_limit = 1000});
  watched_vfs::record();
  for (std::string const id : {"a", "b", "c"}) {
    must(store->apply({task::InsertTask{queued(id, 1000, large_script)}, finish(id, large_script)}, true));
  }
  ASSERT_TRUE(store->prune(2000, 1 << 30));
  EXPECT_EQ(folder.values(), 0U);
  EXPECT_EQ(fault_of_removals(watched_vfs::calls(), 6), "");
}

TEST(Durability, AFileThatNoRecordNamesGoesOnlyWhenTheJournalIsSynced) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  watched_vfs::record();
  add_orphan(folder.state());
  must(store->apply({task::InsertTask{queued("a")}}, false));
  ASSERT_TRUE(store->prune(0, 1 << 30));
  EXPECT_EQ(fault_of_removals(watched_vfs::calls(), 1), "");
}

TEST(Durability, AtTheStartAFileThatNoRecordNamesGoesOnlyWhenWhatAKilledDaemonLeftIsSynced) {
  watched_vfs::reset();
  TemporaryFolder folder, after_kill;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  must(store->apply({task::InsertTask{queued("a")}}, false));
  std::filesystem::copy(folder.state(), after_kill.state(), std::filesystem::copy_options::recursive);
  add_orphan(after_kill.state());
  watched_vfs::record();
  auto const next = open_sqlite({.folder = after_kill.state(), .vfs = watched_vfs::name});
  EXPECT_EQ(after_kill.values(), 0U);
  EXPECT_EQ(fault_of_removals(watched_vfs::calls(), 1), "");
}

TEST(Durability, BrowsersAndSmallValuesAreSyncedToo) {
  watched_vfs::reset();
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = watched_vfs::name});
  watched_vfs::record();
  must(store->apply({task::InsertTask{queued("a")}}, false));
  must(store->put_browser({.id = "the-browser"}));
  watched_vfs::mark("the-browser");
  must(store->put_meta("daemon", "the-daemon"));
  watched_vfs::mark("the-daemon");
  EXPECT_EQ(fault_of(watched_vfs::calls(), 2), "");
}

}  // namespace
}  // namespace any::store
