#pragma once
// What the files of the SQLite store share: its statements, and the way from failures to Results.

#include "store/sqlite.hpp"
#include "store/sqlite_store.hpp"
#include "task/json.hpp"

namespace any::store {

struct SqliteStore::Statements {
  explicit Statements(Connection const& db);

  Statement begin, commit, roll_back;
  Statement insert_task, update_task, find_task, task_text, live_tasks, delete_task;
  Statement insert_label, delete_label;
  Statement insert_body, read_body, bodies_of, delete_bodies, find_file;
  Statement insert_event, events_after, delete_events;
  Statement add_counter, read_counters, oldest_ended, freelist, page_count;
  Statement browsers, put_browser, forget_browser, meta, put_meta;
};

template <class T, class Work>
Result<T> SqliteStore::answer(Work&& work) const {
  try {
    return work();
  } catch (SqliteFailure const& failure) {
    return error_of(failure);
  } catch (Error const& error) {
    return error;
  }
}

template <class Work>
Result<void> SqliteStore::transaction(bool sync, Work&& work) {
  Batch batch;
  bool committing = false;
  auto const changes = connection_->changes();
  try {
    set_sync(sync);
    statements_->begin.run();
    work(batch);
    add_counters(batch);
    // A transaction without a change would not sync those before it.
    if (sync && unsynced_ && connection_->changes() == changes) {
      statements_->put_meta.run(std::string_view{"synced"}, std::string_view{});
    }
    committing = true;
    statements_->commit.run();
  } catch (SqliteFailure const& failure) {
    auto const error = error_of(failure);
    roll_back(batch, committing);
    return error;
  } catch (Error const& error) {
    roll_back(batch, committing);
    return error;
  }
  unsynced_ = !sync;
  remove_files(batch.old_files);
  checkpoint();
  return {};
}

}  // namespace any::store
