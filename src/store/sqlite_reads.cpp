// Reads: one task, lists of them, their events.

#include <algorithm>
#include <limits>

#include "store/sqlite_parts.hpp"

namespace any::store {
namespace {

constexpr int max_page = 1000;

/// The statement for a list, driven by the narrowest index that the query has; it ends with the keyset of the page
/// before.
std::string list_sql(ListQuery const& query) {
  std::string sql = "SELECT t.record FROM ";
  auto labels = query.labels.size();
  std::string_view driver = "t";
  if (labels > 0) {
    sql += "labels l CROSS JOIN tasks t INDEXED BY tasks_id ON t.id = l.id WHERE l.key = ? AND l.value = ?";
    driver = "l";
    --labels;
  } else if (query.state) {
    sql += "tasks t INDEXED BY tasks_state WHERE true";
  } else if (query.browser) {
    sql += "tasks t INDEXED BY tasks_browser WHERE true";
  } else {
    sql += "tasks t INDEXED BY tasks_created WHERE true";
  }
  for (; labels > 0; --labels) {
    sql +=
        " AND EXISTS (SELECT 1 FROM labels m WHERE m.key = ? AND m.value = ? AND m.created = t.created AND m.id = "
        "t.id)";
  }
  if (query.state) sql += " AND t.state = ?";
  if (query.browser) sql += " AND t.browser = ? AND t.browser <> ''";
  auto const created = std::string{driver} + ".created", id = std::string{driver} + ".id";
  if (query.before) sql += " AND (" + created + ", " + id + ") < (?, ?)";
  return sql + " ORDER BY " + created + " DESC, " + id + " DESC LIMIT ?";
}

task::Record decoded(std::string_view text) {
  auto record = task::from_journal(text);
  if (!record) throw Error{record.error()};
  return std::move(*record);
}

}  // namespace

std::int64_t SqliteStore::number_of(std::string_view id) {
  auto rows = statements_->find_task.rows(id);
  if (!rows.next()) {
    throw Error{ErrorName::NotFoundError, "There is no task " + std::string{id} +
                                              ": it was never submitted here, or is so old that it was removed."};
  }
  return rows.integer(0);
}

std::optional<std::string> SqliteStore::body(std::int64_t task, Body which) {
  auto rows = statements_->read_body.rows(task * 4 + static_cast<std::int64_t>(which));
  if (!rows.next()) return std::nullopt;
  if (rows.is_null(2)) return std::string{rows.text(1)};
  auto bytes = values_.read(rows.text(2), static_cast<std::size_t>(rows.integer(0)));
  if (!bytes) throw Error{bytes.error()};
  return std::move(*bytes);
}

task::Record SqliteStore::whole_record(std::int64_t task, std::string_view text) {
  auto record = decoded(text);
  record.request.script = body(task, Body::script).value_or("");
  record.request.args = body(task, Body::args).value_or("null");
  if (!task::is_final(record.state)) {
    for (auto const& event : events_of(task, record.last_seq)) task::fold(record, event);
  }
  return record;
}

std::vector<task::Event> SqliteStore::events_of(std::int64_t task, std::uint64_t after) {
  std::vector<task::Event> events;
  auto const limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  auto rows = statements_->events_after.rows(task, static_cast<std::int64_t>(std::min(after, limit)));
  while (rows.next()) {
    events.push_back({.seq = static_cast<std::uint64_t>(rows.integer(0)),
                      .time = rows.integer(1),
                      .kind = std::string{rows.text(2)},
                      .data = std::string{rows.text(3)}});
  }
  return events;
}

Result<std::vector<task::Record>> SqliteStore::load_live() {
  return answer<std::vector<task::Record>>([&] {
    std::vector<task::Record> records;
    auto rows = statements_->live_tasks.rows();
    while (rows.next()) records.push_back(whole_record(rows.integer(0), rows.text(1)));
    return records;
  });
}

Result<Stored> SqliteStore::get(std::string_view id) {
  return answer<Stored>([&] {
    auto const task = number_of(id);
    Stored stored;
    {
      auto rows = statements_->task_text.rows(task);
      rows.next();
      stored.record = whole_record(task, rows.text(0));
    }
    stored.result = body(task, Body::result);
    return stored;
  });
}

Result<std::vector<task::Record>> SqliteStore::list(ListQuery const& query) {
  return answer<std::vector<task::Record>>([&] {
    std::optional<std::int64_t> before_created;
    if (query.before) {
      auto rows = statements_->find_task.rows(std::string_view{*query.before});
      if (!rows.next()) {
        throw Error{ErrorName::NotFoundError,
                    "There is no task " + *query.before + " to go on from: it is gone; begin the list anew."};
      }
      before_created = rows.integer(2);
    }
    Statement statement{*connection_, list_sql(query)};
    auto page = statement.bound();
    for (auto const& [key, value] : query.labels) page.add(std::string_view{key}).add(std::string_view{value});
    if (query.state) page.add(static_cast<std::int64_t>(*query.state));
    if (query.browser) page.add(std::string_view{*query.browser});
    if (query.before) page.add(*before_created).add(std::string_view{*query.before});
    page.add(std::int64_t{std::clamp(query.limit, 1, max_page)});
    auto rows = page.rows();
    std::vector<task::Record> records;
    while (rows.next()) {
      records.push_back(decoded(rows.text(0)));
      records.back().console.clear();
      records.back().request.args = "null";
    }
    return records;
  });
}

Result<std::vector<task::Event>> SqliteStore::events(std::string_view id, std::uint64_t after) {
  return answer<std::vector<task::Event>>([&] { return events_of(number_of(id), after); });
}

Result<std::string> SqliteStore::screenshot(std::string_view id) {
  return answer<std::string>([&] {
    auto bytes = body(number_of(id), Body::screenshot);
    if (!bytes) throw Error{ErrorName::NotFoundError, "The task " + std::string{id} + " has no screenshot."};
    return std::move(*bytes);
  });
}

Result<Totals> SqliteStore::totals() {
  return answer<Totals>([&] {
    Totals totals;
    auto rows = statements_->read_counters.rows();
    while (rows.next()) {
      auto const value = static_cast<std::uint64_t>(rows.integer(1));
      if (rows.text(0) == "completed") totals.completed = value;
      if (rows.text(0) == "failed") totals.failed = value;
      if (rows.text(0) == "cancelled") totals.cancelled = value;
    }
    return totals;
  });
}

}  // namespace any::store
