// Writes: a batch of the core's, and the removal of what is old.

#include <limits>

#include "store/sqlite_parts.hpp"

namespace any::store {
namespace {

constexpr int prune_step = 128;    // tasks
constexpr int vacuum_step = 1024;  // pages

std::optional<std::int64_t> end_of(task::Record const& record) {
  if (!task::is_final(record.state)) return std::nullopt;
  return record.ended.value_or(record.created);
}

Error no_such_task(std::string_view id) {
  return {ErrorName::NotFoundError, "There is no task " + std::string{id} + " in the journal."};
}

}  // namespace

Result<void> SqliteStore::apply(std::vector<task::Write> const& writes, bool sync) {
  if (writes.empty()) return sync ? this->sync() : Result<void>{};
  return transaction(sync, [&](Batch& batch) {
    for (auto const& each : writes) {
      std::visit([&](auto const& one) { write(one, batch); }, each);
    }
  });
}

void SqliteStore::write(task::InsertTask const& write, Batch& batch) {
  auto const& record = write.record;
  auto const& request = record.request;
  std::string_view const id = request.id;
  try {
    statements_->insert_task.run(id, static_cast<std::int64_t>(record.state), record.created, end_of(record),
                                 std::string_view{record.browser}, std::string_view{task::to_journal(record)});
  } catch (SqliteFailure const& failure) {
    if (failure.code() != SQLITE_CONSTRAINT_UNIQUE) throw;
    throw Error{ErrorName::ConflictError, "There is a task " + request.id + " in the journal already; use another id."};
  }
  batch.count_end(record.state);
  auto const task = connection_->last_row();
  for (auto const& [key, value] : request.labels) {
    statements_->insert_label.run(std::string_view{key}, std::string_view{value}, record.created, id);
  }
  put_body(task, Body::script, request.script, batch);
  if (request.args != "null") put_body(task, Body::args, request.args, batch);
}

std::optional<std::int64_t> SqliteStore::update(task::Record const& record, Batch& batch) {
  std::int64_t task = 0;
  {
    auto rows = statements_->find_task.rows(std::string_view{record.request.id});
    if (!rows.next()) throw no_such_task(record.request.id);
    if (task::is_final(static_cast<task::State>(rows.integer(1)))) return std::nullopt;  // the first end counts
    task = rows.integer(0);
  }
  statements_->update_task.run(task, static_cast<std::int64_t>(record.state), end_of(record),
                               std::string_view{record.browser}, std::string_view{task::to_journal(record)});
  batch.count_end(record.state);
  return task;
}

void SqliteStore::write(task::UpdateTask const& write, Batch& batch) {
  update(write.record, batch);
}

void SqliteStore::write(task::FinishTask const& write, Batch& batch) {
  auto const task = update(write.record, batch);
  if (!task) return;
  if (write.result) put_body(*task, Body::result, *write.result, batch);
  if (!write.screenshot.empty()) put_body(*task, Body::screenshot, write.screenshot, batch);
}

void SqliteStore::write(task::AppendEvent const& write, Batch&) {
  auto const task = number_of(write.task);
  statements_->insert_event.run(task, static_cast<std::int64_t>(write.event.seq), write.event.time,
                                std::string_view{write.event.kind}, std::string_view{write.event.data});
}

void SqliteStore::put_body(std::int64_t task, Body which, std::string_view bytes, Batch& batch) {
  auto const key = task * 4 + static_cast<std::int64_t>(which);
  auto const size = static_cast<std::int64_t>(bytes.size());
  if (bytes.size() <= options_.inline_limit) {
    statements_->insert_body.run(key, size, Blob{bytes}, nullptr);
    return;
  }
  batch.new_files.push_back(values_.write(bytes));
  batch.value_bytes += size;
  statements_->insert_body.run(key, size, nullptr, std::string_view{batch.new_files.back()});
}

void SqliteStore::add_counters(Batch const& batch) {
  auto const add = [&](std::string_view name, std::int64_t by) {
    if (by != 0) statements_->add_counter.run(name, by);
  };
  add("completed", batch.completed);
  add("failed", batch.failed);
  add("cancelled", batch.cancelled);
  add("value_bytes", batch.value_bytes);
}

Result<bool> SqliteStore::prune(Millis wall, std::uint64_t bytes) {
  return answer<bool>([&] {
    if (remove_ended(wall, prune_step) > 0) return true;
    if (used_bytes() > bytes && remove_ended(std::numeric_limits<std::int64_t>::max(), prune_step / 2) > 0) return true;
    auto const count = [](Statement& statement) {
      auto rows = statement.rows();
      return rows.next() ? rows.integer(0) : 0;
    };
    auto const free = count(statements_->freelist);
    if (free <= vacuum_step || free <= count(statements_->page_count) / 8) {
      remove_orphans();
      return false;
    }
    // Free pages are used again; many of them go back to the file system.
    auto const done = transaction(false, [&](Batch&) {
      connection_->exec(("PRAGMA incremental_vacuum(" + std::to_string(vacuum_step) + ")").c_str());
    });
    if (!done) throw done.error();
    return true;
  });
}

std::uint64_t SqliteStore::remove_ended(std::int64_t before, int limit) {
  std::uint64_t removed = 0;
  auto const done = transaction(false, [&](Batch& batch) {
    struct Old {
      std::int64_t task;
      Millis created;
      std::string text;
    };
    std::vector<Old> tasks;
    {
      auto rows = statements_->oldest_ended.rows(before, std::int64_t{limit});
      while (rows.next()) tasks.push_back({rows.integer(0), rows.integer(1), std::string{rows.text(2)}});
    }
    for (auto const& old : tasks) {
      auto record = task::from_journal(old.text);
      if (!record) throw Error{record.error()};
      record->created = old.created;
      remove_task(old.task, *record, batch);
    }
    removed = tasks.size();
  });
  if (!done) throw done.error();
  return removed;
}

void SqliteStore::remove_task(std::int64_t task, task::Record const& record, Batch& batch) {
  for (auto const& [key, value] : record.request.labels) {
    statements_->delete_label.run(std::string_view{key}, std::string_view{value}, record.created,
                                  std::string_view{record.request.id});
  }
  {
    auto rows = statements_->bodies_of.rows(task);
    while (rows.next()) {
      batch.value_bytes -= rows.integer(0);
      batch.old_files.emplace_back(rows.text(1));
    }
  }
  statements_->delete_bodies.run(task);
  statements_->delete_events.run(task);
  statements_->delete_task.run(task);
}

std::uint64_t SqliteStore::used_bytes() {
  auto const count = [](Statement& statement) {
    auto rows = statement.rows();
    return rows.next() ? rows.integer(0) : 0;
  };
  std::int64_t used = (count(statements_->page_count) - count(statements_->freelist)) * 4096;
  auto rows = statements_->read_counters.rows();
  while (rows.next()) {
    if (rows.text(0) == "value_bytes") used += rows.integer(1);
  }
  return used > 0 ? static_cast<std::uint64_t>(used) : 0;
}

}  // namespace any::store
