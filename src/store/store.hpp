#pragma once
// The journal's interface. A store is called from one thread (the store's own); every suite in tests/store passes on
// each.

#include <memory>

#include "task/core.hpp"

namespace any::store {

struct Stored {
  task::Record record;
  std::optional<std::string> result;  ///< JSON text
};

struct ListQuery {
  std::optional<task::State> state{};
  std::map<std::string, std::string> labels{};
  std::optional<std::string> browser{};
  std::optional<std::string> before{};  ///< id of the last task of the page before
  int limit = 50;
};

struct BrowserRow {
  std::string id, label, key, product, platform, extension;
  Millis first_seen = 0, last_seen = 0;
  bool label_by_person = false;
  std::string proxy{};  ///< as its Info has it: why it may be unable to come back
};

struct Totals {
  std::uint64_t completed = 0, failed = 0, cancelled = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  /// All writes in one transaction; on disk (synced) at return if `sync`. DiskFullError leaves nothing of the batch
  /// behind.
  virtual Result<void> apply(std::vector<task::Write> const& writes, bool sync) = 0;
  /// Tasks that have not ended, with script and args, events folded in, oldest first.
  virtual Result<std::vector<task::Record>> load_live() = 0;
  /// With script and args, events folded in. NotFoundError.
  virtual Result<Stored> get(std::string_view id) = 0;
  /// Newest first, without script, args and console, events not folded in. NotFoundError where `before` is gone.
  virtual Result<std::vector<task::Record>> list(ListQuery const& query) = 0;
  virtual Result<std::vector<task::Event>> events(std::string_view id, std::uint64_t after) = 0;
  virtual Result<std::string> screenshot(std::string_view id) = 0;
  virtual Result<Totals> totals() = 0;

  virtual Result<std::vector<BrowserRow>> browsers() = 0;
  virtual Result<void> put_browser(BrowserRow const& row) = 0;
  virtual Result<void> forget_browser(std::string_view id) = 0;
  /// A small named value: the daemon's id and the like. Empty if there is none.
  virtual Result<std::string> meta(std::string_view name) = 0;
  virtual Result<void> put_meta(std::string_view name, std::string_view value) = 0;

  /// Removes what ended before `wall`, then the oldest ended until at most `bytes` are used; a bounded step, true while
  /// there is more to do.
  virtual Result<bool> prune(Millis wall, std::uint64_t bytes) = 0;
};

struct SqliteOptions {
  std::string folder;  ///< 0700; the journal's files 0600
  std::string vfs;     ///< name of a registered SQLite VFS; empty: the system's. For tests of durability.
  std::size_t inline_limit = 64 << 10;  ///< larger values lie in files beside the journal
  int checkpoint_pages =
      1000;  ///< length of the write-ahead log, in pages of 4 KiB, from which it is worked into the journal
};

/// Opens or creates the journal. Throws std::runtime_error with the cause and the next step where it cannot.
std::unique_ptr<Store> open_sqlite(SqliteOptions const& options);

}  // namespace any::store
