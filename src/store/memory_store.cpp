#include "store/memory_store.hpp"

#include <algorithm>
#include <tuple>

#include "task/json.hpp"

namespace any::store {
namespace {

Error no_such_task(std::string_view id) {
  return {ErrorName::NotFoundError,
          "There is no task " + std::string{id} + ": it was never submitted here, or is so old that it was removed."};
}

auto age(task::Record const& record) {
  return std::tuple<Millis, std::string_view>{record.created, record.request.id};
}

bool fits(task::Record const& record, ListQuery const& query) {
  if (query.state && record.state != *query.state) return false;
  if (query.browser && (record.browser != *query.browser || query.browser->empty())) return false;
  return std::all_of(query.labels.begin(), query.labels.end(), [&](auto const& label) {
    auto const found = record.request.labels.find(label.first);
    return found != record.request.labels.end() && found->second == label.second;
  });
}

}  // namespace

std::size_t MemoryStore::Entry::bytes() const {
  return sizeof(Entry) + record.request.script.size() + record.request.args.size() + screenshot.size() +
         (result ? result->size() : 0);
}

Result<void> MemoryStore::apply(std::vector<task::Write> const& writes, bool) {
  Changes changes{.changed = {}, .totals = totals_};
  for (auto const& each : writes) {
    auto const done = std::visit([&](auto const& one) { return write(one, changes); }, each);
    if (!done) return done.error();
  }
  for (auto& [id, entry] : changes.changed) entries_[id] = std::move(entry);
  totals_ = changes.totals;
  return {};
}

MemoryStore::Entry* MemoryStore::changed(std::string_view id, Changes& changes) {
  if (auto const found = changes.changed.find(id); found != changes.changed.end()) return &found->second;
  auto const found = entries_.find(id);
  return found == entries_.end() ? nullptr : &changes.changed.emplace(*found).first->second;
}

Result<void> MemoryStore::write(task::InsertTask const& write, Changes& changes) {
  auto const& id = write.record.request.id;
  if (changed(id, changes)) {
    return Error{ErrorName::ConflictError, "There is a task " + id + " in the journal already; use another id."};
  }
  changes.changed[id] = {.record = write.record, .order = ++inserted_};
  changes.count_end(write.record.state);
  return {};
}

Result<MemoryStore::Entry*> MemoryStore::update(task::Record const& record, Changes& changes) {
  auto* entry = changed(record.request.id, changes);
  if (!entry) return no_such_task(record.request.id);
  if (task::is_final(entry->record.state)) return nullptr;  // the first end counts
  auto script = std::move(entry->record.request.script), args = std::move(entry->record.request.args);
  auto const created = entry->record.created;
  entry->record = record;
  entry->record.created = created;
  entry->record.request.script = std::move(script);
  entry->record.request.args = std::move(args);
  changes.count_end(record.state);
  return entry;
}

Result<void> MemoryStore::write(task::UpdateTask const& write, Changes& changes) {
  auto const entry = update(write.record, changes);
  if (!entry) return entry.error();
  return {};
}

Result<void> MemoryStore::write(task::FinishTask const& write, Changes& changes) {
  auto const entry = update(write.record, changes);
  if (!entry) return entry.error();
  if (*entry) {
    (*entry)->result = write.result;
    (*entry)->screenshot = write.screenshot;
  }
  return {};
}

Result<void> MemoryStore::write(task::AppendEvent const& write, Changes& changes) {
  auto* entry = changed(write.task, changes);
  if (!entry) return no_such_task(write.task);
  entry->events.emplace(write.event.seq, write.event);
  return {};
}

task::Record MemoryStore::whole_record(Entry const& entry) {
  auto record = entry.record;
  if (!task::is_final(record.state)) {
    for (auto each = entry.events.upper_bound(record.last_seq); each != entry.events.end(); ++each) {
      task::fold(record, each->second);
    }
  }
  return record;
}

Result<std::vector<task::Record>> MemoryStore::load_live() {
  std::vector<Entry const*> live;
  for (auto const& [id, entry] : entries_) {
    if (!task::is_final(entry.record.state)) live.push_back(&entry);
  }
  std::sort(live.begin(), live.end(), [](Entry const* a, Entry const* b) {
    return std::tuple{a->record.created, a->order} < std::tuple{b->record.created, b->order};
  });
  std::vector<task::Record> records;
  for (auto const* entry : live) records.push_back(whole_record(*entry));
  return records;
}

Result<MemoryStore::Entry const*> MemoryStore::find(std::string_view id) const {
  auto const found = entries_.find(id);
  if (found == entries_.end()) return no_such_task(id);
  return &found->second;
}

Result<Stored> MemoryStore::get(std::string_view id) {
  auto const entry = find(id);
  if (!entry) return entry.error();
  return Stored{.record = whole_record(**entry), .result = (*entry)->result};
}

Result<std::vector<task::Record>> MemoryStore::list(ListQuery const& query) {
  std::vector<task::Record const*> found;
  task::Record const* before = nullptr;
  if (query.before) {
    auto const entry = find(*query.before);
    if (!entry) return entry.error();
    before = &(*entry)->record;
  }
  for (auto const& [id, entry] : entries_) {
    if (fits(entry.record, query) && (!before || age(entry.record) < age(*before))) found.push_back(&entry.record);
  }
  std::sort(found.begin(), found.end(), [](auto const* a, auto const* b) { return age(*a) > age(*b); });
  found.resize(std::min(found.size(), static_cast<std::size_t>(std::clamp(query.limit, 1, 1000))));
  std::vector<task::Record> records;
  for (auto const* each : found) {
    auto& record = records.emplace_back(*each);
    record.request.script.clear();
    record.request.args = "null";
    record.console.clear();
  }
  return records;
}

Result<std::vector<task::Event>> MemoryStore::events(std::string_view id, std::uint64_t after) {
  auto const entry = find(id);
  if (!entry) return entry.error();
  std::vector<task::Event> events;
  for (auto each = (*entry)->events.upper_bound(after); each != (*entry)->events.end(); ++each) {
    events.push_back(each->second);
  }
  return events;
}

Result<std::string> MemoryStore::screenshot(std::string_view id) {
  auto const entry = find(id);
  if (!entry) return entry.error();
  if ((*entry)->screenshot.empty()) {
    return Error{ErrorName::NotFoundError, "The task " + std::string{id} + " has no screenshot."};
  }
  return (*entry)->screenshot;
}

Result<Totals> MemoryStore::totals() {
  return totals_;
}

Result<std::vector<BrowserRow>> MemoryStore::browsers() {
  std::vector<BrowserRow> rows;
  for (auto const& [id, row] : browsers_) rows.push_back(row);
  return rows;
}

Result<void> MemoryStore::put_browser(BrowserRow const& row) {
  browsers_[row.id] = row;
  return {};
}

Result<void> MemoryStore::forget_browser(std::string_view id) {
  if (auto const found = browsers_.find(id); found != browsers_.end()) browsers_.erase(found);
  return {};
}

Result<std::string> MemoryStore::meta(std::string_view name) {
  auto const found = meta_.find(name);
  return found == meta_.end() ? std::string{} : found->second;
}

Result<void> MemoryStore::put_meta(std::string_view name, std::string_view value) {
  meta_[std::string{name}] = value;
  return {};
}

Result<bool> MemoryStore::prune(Millis wall, std::uint64_t bytes) {
  std::uint64_t used = 0;
  std::vector<std::pair<Millis, Entries::iterator>> ended;
  for (auto each = entries_.begin(); each != entries_.end(); ++each) {
    used += each->second.bytes();
    auto const& record = each->second.record;
    if (task::is_final(record.state)) ended.emplace_back(record.ended.value_or(record.created), each);
  }
  std::sort(ended.begin(), ended.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  for (auto const& [end, entry] : ended) {
    if (end >= wall && used <= bytes) break;
    used -= entry->second.bytes();
    entries_.erase(entry);
  }
  return false;
}

}  // namespace any::store
