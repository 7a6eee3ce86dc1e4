#pragma once
// The journal in SQLite; the values above inline_limit in files beside it.

#include <vector>

#include "store/folder.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"
#include "store/values_folder.hpp"

namespace any::store {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(SqliteOptions options);
  ~SqliteStore() override;

  Result<void> apply(std::vector<task::Write> const& writes, bool sync) override;
  Result<std::vector<task::Record>> load_live() override;
  Result<Stored> get(std::string_view id) override;
  Result<std::vector<task::Record>> list(ListQuery const& query) override;
  Result<std::vector<task::Event>> events(std::string_view id, std::uint64_t after) override;
  Result<std::string> screenshot(std::string_view id) override;
  Result<Totals> totals() override;
  Result<std::vector<BrowserRow>> browsers() override;
  Result<void> put_browser(BrowserRow const& row) override;
  Result<void> forget_browser(std::string_view id) override;
  Result<std::string> meta(std::string_view name) override;
  Result<void> put_meta(std::string_view name, std::string_view value) override;
  Result<bool> prune(Millis wall, std::uint64_t bytes) override;

 private:
  enum class Body : std::int64_t { script, args, result, screenshot };
  struct Statements;

  /// What a transaction has changed outside the journal, and what it will have changed in the counters.
  struct Batch {
    std::vector<std::string> new_files{}, old_files{};
    std::int64_t completed = 0, failed = 0, cancelled = 0, value_bytes = 0;
    void count_end(task::State state) {
      completed += state == task::State::completed;
      failed += state == task::State::failed;
      cancelled += state == task::State::cancelled;
    }
  };

  // Writes; each throws SqliteFailure, or Error where the write itself is wrong.
  void write(task::InsertTask const& write, Batch& batch);
  void write(task::UpdateTask const& write, Batch& batch);
  void write(task::FinishTask const& write, Batch& batch);
  void write(task::AppendEvent const& write, Batch& batch);
  /// The task's number, or nothing where it has ended and stays as it is.
  std::optional<std::int64_t> update(task::Record const& record, Batch& batch);
  void put_body(std::int64_t task, Body which, std::string_view bytes, Batch& batch);
  void remove_task(std::int64_t task, task::Record const& record, Batch& batch);
  void add_counters(Batch const& batch);
  std::uint64_t remove_ended(std::int64_t before, int limit);
  std::uint64_t used_bytes();

  // Reads; each throws SqliteFailure or Error.
  std::int64_t number_of(std::string_view id);
  std::optional<std::string> body(std::int64_t task, Body which);
  task::Record whole_record(std::int64_t task, std::string_view text);
  std::vector<task::Event> events_of(std::int64_t task, std::uint64_t after);

  /// Runs `work(batch)` in one transaction. On any failure nothing of it remains, files included.
  template <class Work>
  Result<void> transaction(bool sync, Work&& work);
  template <class T, class Work>
  Result<T> answer(Work&& work) const;
  /// Syncs what was committed and is not synced yet.
  Result<void> sync();
  void set_sync(bool full);
  /// `committing`: it is the commit that failed.
  void roll_back(Batch const& batch, bool committing);
  void checkpoint() noexcept;
  /// Removes values' files that no record names any more. The journal is synced first: after a power cut a record whose
  /// end was not on disk is back and wants them. Where the sync fails they stay, for remove_orphans.
  void remove_files(std::vector<std::string> const& names);
  void remove_orphans();
  Error error_of(SqliteFailure const& failure) const;

  SqliteOptions options_;
  std::string path_;
  FolderLock lock_;
  ValuesFolder values_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Statements> statements_;
  int wal_pages_ = 0;
  bool full_sync_ = true;
  bool unsynced_ = true;  ///< at the start: what a killed daemon has committed
};

}  // namespace any::store
