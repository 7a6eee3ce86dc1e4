#include "store/schema.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "store/folder.hpp"

namespace any::store {
namespace {

constexpr std::int64_t application_id = 0x616E7931;  // "any1"

// migrations[v] leads from version v to v + 1. A step that was ever released is not changed any more.
constexpr std::array<char const*, schema_version> migrations{R"sql(
  -- What is asked for has a column; the record is JSON without script and args.
  CREATE TABLE tasks(
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    browser TEXT NOT NULL,
    record TEXT NOT NULL) STRICT;
  CREATE UNIQUE INDEX tasks_id ON tasks(id);
  CREATE INDEX tasks_created ON tasks(created, id);
  CREATE INDEX tasks_state ON tasks(state, created, id);
  CREATE INDEX tasks_browser ON tasks(browser, created, id) WHERE browser <> '';
  CREATE INDEX tasks_ended ON tasks(ended) WHERE ended IS NOT NULL;

  CREATE TABLE labels(
    key TEXT NOT NULL, value TEXT NOT NULL, created INTEGER NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY(key, value, created, id)) STRICT, WITHOUT ROWID;

  -- Script, args, result and screenshot: k = 4 * tasks.n + which; the bytes are here or in a file.
  CREATE TABLE bodies(k INTEGER PRIMARY KEY, size INTEGER NOT NULL, data BLOB, file TEXT) STRICT;
  CREATE UNIQUE INDEX bodies_file ON bodies(file) WHERE file IS NOT NULL;

  CREATE TABLE events(
    task INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY(task, seq)) STRICT, WITHOUT ROWID;

  CREATE TABLE browsers(
    id TEXT PRIMARY KEY, label TEXT NOT NULL, key TEXT NOT NULL, product TEXT NOT NULL, platform TEXT NOT NULL,
    extension TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    label_by_person INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters VALUES ('completed', 0), ('failed', 0), ('cancelled', 0), ('value_bytes', 0);
)sql",
                                                             R"sql(
  ALTER TABLE browsers ADD COLUMN proxy TEXT NOT NULL DEFAULT '';
)sql"};

void migrate(Connection const& connection, std::int64_t from) {
  connection.exec("BEGIN IMMEDIATE");
  for (auto version = from; version < schema_version; ++version) {
    connection.exec(migrations[static_cast<std::size_t>(version)]);
  }
  connection.exec(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  connection.exec(("PRAGMA user_version = " + std::to_string(schema_version)).c_str());
  connection.exec("COMMIT");
}

}  // namespace

void create_journal(std::string const& path, std::string const& vfs) {
  auto const fresh = path + ".new";
  for (auto const* end : {"", "-wal", "-journal"}) ::unlink((fresh + end).c_str());
  make_private_file(fresh);
  {
    Connection const connection{fresh, vfs};
    connection.exec("PRAGMA synchronous = OFF");
    prepare_schema(connection, fresh, Syncs::off);
    connection.text_of("PRAGMA wal_checkpoint(TRUNCATE)");  // closing would do it, and tell no failure
  }
  sync_path(fresh);
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    throw std::runtime_error{"cannot create the journal " + path + ": " + std::strerror(errno)};
  }
}

void prepare_schema(Connection const& connection, std::string const& path, Syncs syncs) {
  // One connection alone: no shared memory, no file locks a transaction. The page cache stays small.
  connection.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -1024;"
      "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = "
      "OFF");
  auto const version = connection.integer_of("PRAGMA user_version");
  auto const owner = connection.integer_of("PRAGMA application_id");
  auto const tables = connection.integer_of("SELECT count(*) FROM sqlite_schema");
  if (owner != application_id && (owner != 0 || version != 0 || tables != 0)) {
    throw std::runtime_error{path +
                             " is not a journal of any. Move it away, or choose another folder with --state-dir."};
  }
  if (version > schema_version) {
    throw std::runtime_error{"the journal " + path + " was written by a newer any (version " + std::to_string(version) +
                             " of its tables; this one knows " + std::to_string(schema_version) +
                             "). Start the newer any, or choose another folder with --state-dir."};
  }
  if (tables == 0) connection.exec("PRAGMA auto_vacuum = INCREMENTAL");  // said to an older one it would be a write
  if (auto const mode = connection.text_of("PRAGMA journal_mode = WAL"); mode != "wal") {
    throw std::runtime_error{"the journal " + path + " cannot be kept in write-ahead mode here (" + mode +
                             "). Choose a folder on a local disk with --state-dir."};
  }
  if (syncs == Syncs::on) connection.exec("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 33554432");
  if (version < schema_version) migrate(connection, version);
}

}  // namespace any::store
