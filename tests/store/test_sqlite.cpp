// What only the store on disk does: rights, locks, reopening, damage, orphans.

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "store/tasks.hpp"

namespace any::store {
namespace {
using namespace store_test;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string failure_of_open(std::string const& folder) {
  try {
    open_sqlite({.folder = folder});
  } catch (std::runtime_error const& failure) {
    return failure.what();
  }
  return {};
}

unsigned rights(std::string const& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0U;
}

void change(std::string const& folder, std::string const& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((folder + "/journal.db").c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(SqliteStore, IsTheUsersAlone) {
  TemporaryFolder folder;
  fs::create_directory(folder.state());
  ::chmod(folder.state().c_str(), 0755);
  auto const before = ::umask(0);
  auto const store = open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 10});
  must(store->apply({task::InsertTask{queued("a", 1, std::string(100, 's'))}}, true));
  ::umask(before);
  EXPECT_EQ(rights(folder.state()), 0700U);
  int files = 0;
  for (auto const& entry : fs::recursive_directory_iterator{folder.state()}) {
    EXPECT_EQ(rights(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 5);  // journal.db, journal.db-wal, lock, values, a value
}

TEST(SqliteStore, CreatesTheFoldersAboveIt) {
  TemporaryFolder folder;
  EXPECT_EQ(failure_of_open(folder.state() + "/deeper/still"), "");
}

TEST(SqliteStore, AJournalWhoseMakingWasCutOffIsMadeAnew) {
  TemporaryFolder folder;
  fs::create_directory(folder.state());
  for (auto const* left : {"/journal.db.new", "/journal.db.new-wal", "/journal.db.new-journal"}) {
    std::ofstream(folder.state() + left) << "half of a journal";
  }
  std::ofstream(folder.state() + "/journal.db");
  auto const store = open_sqlite({.folder = folder.state()});
  must(store->apply({task::InsertTask{queued("a")}}, true));
  EXPECT_FALSE(fs::exists(folder.state() + "/journal.db.new"));
  EXPECT_FALSE(fs::exists(folder.state() + "/journal.db.new-wal"));
}

TEST(SqliteStore, ASecondOneIsToldWhoHasTheFolder) {
  TemporaryFolder folder;
  auto store = open_sqlite({.folder = folder.state()});
  EXPECT_THAT(failure_of_open(folder.state()), AllOf(HasSubstr("pid " + std::to_string(::getpid())),
                                                     HasSubstr(folder.state()), HasSubstr("--state-dir")));
  store.reset();
  EXPECT_EQ(failure_of_open(folder.state()), "");
}

TEST(SqliteStore, SaysWhatToDoWhereTheFolderCannotBe) {
  TemporaryFolder folder;
  std::ofstream{folder.state()} << "a file";
  EXPECT_THAT(failure_of_open(folder.state()), AllOf(HasSubstr(folder.state()), HasSubstr("--state-dir")));
}

TEST(SqliteStore, HasEverythingAgainAfterItWasClosed) {
  TemporaryFolder folder;
  auto const open = [&] { return open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 1000}); };
  {
    auto const store = open();
    must(store->apply({task::InsertTask{queued("a", 1, std::string(5000, 's'))}, event("a", 1),
                       task::InsertTask{queued("b", 2)}, finish("a", std::string(2000, 'r'), 1)},
                      false));
    must(store->put_browser({.id = "x", .label = "home"}));
    must(store->put_meta("daemon", "d"));
  }
  auto const store = open();
  auto const stored = store->get("a").value();
  EXPECT_EQ(stored.record.request.script.size(), 5000U);
  EXPECT_EQ(stored.result->size(), 2000U);
  EXPECT_EQ(store->events("a", 0).value().size(), 1U);
  EXPECT_EQ(ids(store->load_live().value()), std::vector<std::string>{"b"});
  EXPECT_EQ(store->totals().value().completed, 1U);
  EXPECT_EQ(store->browsers().value().at(0).label, "home");
  EXPECT_EQ(store->meta("daemon").value(), "d");
}

TEST(SqliteStore, KeepsLargeValuesInFilesAndRemovesThemWithTheirTask) {
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state()});
  auto record = queued("a", 1, std::string(65'536, 's'));
  record.request.args = "\"" + std::string(65'535, 'a') + "\"";
  auto end = finish("a", std::string(100'000, 'r'), 1, 50);
  end.screenshot = std::string(100'000, 'p');
  must(store->apply({task::InsertTask{record}, end}, true));
  EXPECT_EQ(folder.values(), 3U);  // the script just fits into the journal
  while (store->prune(100, 1 << 30).value()) {
  }
  EXPECT_EQ(folder.values(), 0U);
}

TEST(SqliteStore, RemovesFilesThatNoTaskNamesWhenItOpensAndWhenItPrunes) {
  TemporaryFolder folder;
  auto const orphan = [&] { std::ofstream{folder.state() + "/values/0123456789abcdef"} << "left by a crash"; };
  {
    auto const store = open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 10});
    must(store->apply({task::InsertTask{queued("a", 1, std::string(100, 's'))}}, true));
  }
  orphan();
  EXPECT_EQ(folder.values(), 2U);
  auto const store = open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 10});
  EXPECT_EQ(folder.values(), 1U);
  orphan();
  while (store->prune(0, 1 << 30).value()) {
  }
  EXPECT_EQ(folder.values(), 1U);
  EXPECT_EQ(store->get("a").value().record.request.script.size(), 100U);
}

TEST(SqliteStore, NamesTheFileOfAValueThatIsGoneOrCut) {
  TemporaryFolder folder;
  auto const store = open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 10});
  must(store->apply({task::InsertTask{queued("a", 1, std::string(100, 's'))}, task::InsertTask{queued("b", 1, "s")}},
                    true));
  auto const file = fs::directory_iterator {
    folder.state() + "/values"
  } -> path();
  fs::resize_file(file, 50);
  EXPECT_EQ(store->get("a").error().name, ErrorName::InternalError);
  EXPECT_THAT(store->get("a").error().message, AllOf(HasSubstr(file.string()), HasSubstr("50 bytes")));
  fs::remove(file);
  EXPECT_THAT(store->get("a").error().message, AllOf(HasSubstr(file.string()), HasSubstr("No such file")));
  EXPECT_TRUE(store->get("b"));
}

TEST(SqliteStore, RefusesAJournalOfANewerVersionAndLeavesItAlone) {
  TemporaryFolder folder;
  open_sqlite({.folder = folder.state()}).reset();
  change(folder.state(), "PRAGMA user_version = 99");
  EXPECT_THAT(failure_of_open(folder.state()), AllOf(HasSubstr("newer any"), HasSubstr("99"), HasSubstr("journal.db")));
  change(folder.state(), "PRAGMA user_version = 2");
  EXPECT_EQ(failure_of_open(folder.state()), "");
}

TEST(SqliteStore, BringsAJournalOfTheFirstVersionToThisOneAndKeepsWhatIsInIt) {
  TemporaryFolder folder;
  must(open_sqlite({.folder = folder.state()})->put_browser({.id = "b", .label = "work", .key = "k", .last_seen = 7}));
  change(folder.state(), "ALTER TABLE browsers DROP COLUMN proxy; PRAGMA user_version = 1");
  for (int time = 0; time < 2; ++time) {
    auto const store = open_sqlite({.folder = folder.state()});
    auto row = store->browsers().value().at(0);
    EXPECT_THAT((std::vector{row.id, row.label, row.key}), ElementsAre("b", "work", "k"));
    EXPECT_EQ(row.last_seen, 7);
    EXPECT_EQ(row.proxy, time == 0 ? "" : "http://p:1");
    row.proxy = "http://p:1";
    must(store->put_browser(row));
  }
}

TEST(SqliteStore, RefusesADatabaseOfSomeoneElse) {
  TemporaryFolder folder;
  fs::create_directory(folder.state());
  change(folder.state(), "CREATE TABLE theirs(x)");
  EXPECT_THAT(failure_of_open(folder.state()), AllOf(HasSubstr("not a journal of any"), HasSubstr("journal.db")));
}

TEST(SqliteStore, SaysWhichFileIsDamagedAndWhatToDo) {
  TemporaryFolder folder;
  fs::create_directory(folder.state());
  std::ofstream{folder.state() + "/journal.db"} << std::string(8192, 'x');
  EXPECT_THAT(failure_of_open(folder.state()), AllOf(HasSubstr("journal.db"), HasSubstr("damaged"), HasSubstr("move")));
}

TEST(SqliteStore, SaysSoWhenItMeetsDamageLater) {
  TemporaryFolder folder;
  {
    auto const store = open_sqlite({.folder = folder.state()});
    std::vector<task::Write> writes;
    for (int i = 0; i < 500; ++i) writes.push_back(task::InsertTask{queued("t" + std::to_string(i), i)});
    must(store->apply(writes, true));
  }
  auto const path = folder.state() + "/journal.db";
  {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    auto const size = fs::file_size(path);
    for (std::uintmax_t page = 20; page * 4096 < size; ++page) {
      file.seekp(static_cast<std::streamoff>(page * 4096));
      file << std::string(4096, 'x');
    }
  }
  std::string said = failure_of_open(folder.state());
  if (said.empty()) {
    auto const store = open_sqlite({.folder = folder.state()});
    for (auto const& live = store->load_live(); live.has_error();) {
      EXPECT_EQ(live.error().name, ErrorName::InternalError);
      said = live.error().message;
      break;
    }
  }
  EXPECT_THAT(said, AllOf(HasSubstr("journal.db"), HasSubstr("damaged"), HasSubstr("move")));
}

TEST(SqliteStore, GivesSpaceBackToTheFileSystem) {
  TemporaryFolder folder;
  auto store = open_sqlite({.folder = folder.state()});
  for (int i = 0; i < 200; ++i) {
    auto const id = "t" + std::to_string(i);
    must(store->apply({task::InsertTask{queued(id, i)}, finish(id, std::string(60'000, 'r'), i, i)}, false));
  }
  store.reset();
  auto const path = folder.state() + "/journal.db";
  auto const before = fs::file_size(path);
  store = open_sqlite({.folder = folder.state()});
  while (store->prune(1000, 1 << 30).value()) {
  }
  store.reset();
  EXPECT_GT(before, 12'000'000U);
  EXPECT_LT(fs::file_size(path), 6'000'000U);
}

}  // namespace
}  // namespace any::store
