#include "store/sqlite_store.hpp"

#include <sys/stat.h>

#include <stdexcept>
#include <utility>

#include "store/sqlite_parts.hpp"

namespace any::store {
namespace {

std::string prepared_folder(std::string const& folder) {
  make_private_folder(folder);
  return folder;
}

std::string damage(std::string const& path, std::string const& cause) {
  return "the journal " + path + " is damaged (" + cause +
         "). Stop the daemon and move that file (with its -wal) away to begin an empty journal; `sqlite3 " + path +
         " .recover` can save what is in it.";
}

bool is_empty(std::string const& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) != 0 || status.st_size == 0;
}

}  // namespace

SqliteStore::Statements::Statements(Connection const& db)
    : begin{db, "BEGIN IMMEDIATE"},
      commit{db, "COMMIT"},
      roll_back{db, "ROLLBACK"},
      insert_task{db, "INSERT INTO tasks(id, state, created, ended, browser, record) VALUES (?, ?, ?, ?, ?, ?)"},
      update_task{db, "UPDATE tasks SET state = ?2, ended = ?3, browser = ?4, record = ?5 WHERE n = ?1"},
      find_task{db, "SELECT n, state, created FROM tasks WHERE id = ?"},
      task_text{db, "SELECT record FROM tasks WHERE n = ?"},
      live_tasks{db, "SELECT n, record FROM tasks INDEXED BY tasks_state WHERE state IN (0, 1, 2) ORDER BY created, n"},
      delete_task{db, "DELETE FROM tasks WHERE n = ?"},
      insert_label{db, "INSERT INTO labels VALUES (?, ?, ?, ?)"},
      delete_label{db, "DELETE FROM labels WHERE key = ? AND value = ? AND created = ? AND id = ?"},
      insert_body{db, "INSERT OR REPLACE INTO bodies VALUES (?, ?, ?, ?)"},
      read_body{db, "SELECT size, data, file FROM bodies WHERE k = ?"},
      bodies_of{db, "SELECT size, file FROM bodies WHERE k BETWEEN ?1 * 4 AND ?1 * 4 + 3 AND file IS NOT NULL"},
      delete_bodies{db, "DELETE FROM bodies WHERE k BETWEEN ?1 * 4 AND ?1 * 4 + 3"},
      find_file{db, "SELECT 1 FROM bodies WHERE file = ?"},
      insert_event{db, "INSERT INTO events VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"},
      events_after{db, "SELECT seq, time, kind, data FROM events WHERE task = ? AND seq > ? ORDER BY seq"},
      delete_events{db, "DELETE FROM events WHERE task = ?"},
      add_counter{db, "UPDATE counters SET value = value + ?2 WHERE name = ?1"},
      read_counters{db, "SELECT name, value FROM counters"},
      oldest_ended{db,
                   "SELECT n, created, record FROM tasks INDEXED BY tasks_ended WHERE ended IS NOT NULL AND ended < ? "
                   "ORDER BY ended LIMIT ?"},
      freelist{db, "PRAGMA freelist_count"},
      page_count{db, "PRAGMA page_count"},
      browsers{db,
               "SELECT id, label, key, product, platform, extension, first_seen, last_seen, "
               "label_by_person, proxy FROM browsers ORDER BY id"},
      put_browser{db, "INSERT OR REPLACE INTO browsers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      forget_browser{db, "DELETE FROM browsers WHERE id = ?"},
      meta{db, "SELECT value FROM meta WHERE name = ?"},
      put_meta{db, "INSERT OR REPLACE INTO meta VALUES (?, ?)"} {}

SqliteStore::SqliteStore(SqliteOptions options)
    : options_{std::move(options)},
      path_{prepared_folder(options_.folder) + "/journal.db"},
      lock_{options_.folder},
      values_{options_.folder + "/values", options_.vfs} {
  try {
    if (is_empty(path_) && is_empty(path_ + "-wal")) create_journal(path_, options_.vfs);
    make_private_file(path_);
    connection_ = std::make_unique<Connection>(path_, options_.vfs);
    prepare_schema(*connection_, path_);
    statements_ = std::make_unique<Statements>(*connection_);
    // A checkpoint of SQLite's own would turn its failure into that of a commit that has been made.
    sqlite3_wal_hook(
        connection_->handle(),
        [](void* pages, sqlite3*, char const*, int count) {
          *static_cast<int*>(pages) = count;
          return SQLITE_OK;
        },
        &wal_pages_);
    remove_orphans();
  } catch (SqliteFailure const& failure) {
    throw std::runtime_error{error_of(failure).message};
  }
  sync_path(options_.folder);
}

SqliteStore::~SqliteStore() {
  statements_.reset();
  connection_.reset();
}

void SqliteStore::set_sync(bool full) {
  if (full == full_sync_) return;
  connection_->exec(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  full_sync_ = full;
}

void SqliteStore::roll_back(Batch const& batch, bool committing) {
  try {
    if (connection_->in_transaction()) statements_->roll_back.run();
  } catch (SqliteFailure const&) {
    // Some failures have rolled back already.
  }
  if (!committing) {
    for (auto const& file : batch.new_files) values_.remove(file);
    return;
  }
  // The record may be in the log although its sync failed, and be back after a kill, until a later transaction has
  // overwritten it there.
  unsynced_ = true;
  remove_files(batch.new_files);
}

void SqliteStore::checkpoint() noexcept {
  if (wal_pages_ < options_.checkpoint_pages) return;
  // Where it fails (a full disk), the log goes on growing and the next commit tries again.
  int left = 0;
  if (sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &left, nullptr) == SQLITE_OK)
    wal_pages_ = 0;
}

void SqliteStore::remove_orphans() {
  auto names = values_.names();
  std::erase_if(names,
                [this](std::string const& name) { return statements_->find_file.rows(std::string_view{name}).next(); });
  remove_files(names);
}

void SqliteStore::remove_files(std::vector<std::string> const& names) {
  if (names.empty() || !sync()) return;
  for (auto const& name : names) values_.remove(name);
}

Result<void> SqliteStore::sync() {
  if (!unsynced_) return {};
  return transaction(true, [](Batch&) {});
}

Error SqliteStore::error_of(SqliteFailure const& failure) const {
  std::string const cause = failure.what();
  switch (failure.primary()) {
    case SQLITE_FULL:
      return {ErrorName::DiskFullError, "The disk of the journal " + path_ + " is full (" + cause +
                                            "); nothing of this was kept. Make room there and try again."};
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {ErrorName::DiskFullError,
              "The journal " + path_ + " cannot be read or written (" + cause +
                  "); nothing of this was kept. Look at the disk's state and rights, then try again."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorName::InternalError, damage(path_, cause)};
    case SQLITE_TOOBIG:
      return {ErrorName::TooLargeError, "A value is too large for the journal (" + cause + "); make it smaller."};
    default:
      return {ErrorName::InternalError,
              "The journal " + path_ + " failed (" + cause + "). Restart the daemon; if it comes again, report it."};
  }
}

Result<std::vector<BrowserRow>> SqliteStore::browsers() {
  return answer<std::vector<BrowserRow>>([&] {
    std::vector<BrowserRow> found;
    auto rows = statements_->browsers.rows();
    while (rows.next()) {
      auto const text = [&](int column) { return std::string{rows.text(column)}; };
      found.push_back({.id = text(0),
                       .label = text(1),
                       .key = text(2),
                       .product = text(3),
                       .platform = text(4),
                       .extension = text(5),
                       .first_seen = rows.integer(6),
                       .last_seen = rows.integer(7),
                       .label_by_person = rows.integer(8) != 0,
                       .proxy = text(9)});
    }
    return found;
  });
}

Result<void> SqliteStore::put_browser(BrowserRow const& row) {
  return transaction(true, [&](Batch&) {
    statements_->put_browser.run(std::string_view{row.id}, std::string_view{row.label}, std::string_view{row.key},
                                 std::string_view{row.product}, std::string_view{row.platform},
                                 std::string_view{row.extension}, row.first_seen, row.last_seen, row.label_by_person,
                                 std::string_view{row.proxy});
  });
}

Result<void> SqliteStore::forget_browser(std::string_view id) {
  return transaction(true, [&](Batch&) { statements_->forget_browser.run(id); });
}

Result<std::string> SqliteStore::meta(std::string_view name) {
  return answer<std::string>([&] {
    auto rows = statements_->meta.rows(name);
    return rows.next() ? std::string{rows.text(0)} : std::string{};
  });
}

Result<void> SqliteStore::put_meta(std::string_view name, std::string_view value) {
  return transaction(true, [&](Batch&) { statements_->put_meta.run(name, value); });
}

std::unique_ptr<Store> open_sqlite(SqliteOptions const& options) {
  return std::make_unique<SqliteStore>(options);
}

}  // namespace any::store
