// How a Step is built: events and ends in the order they happen, one write of the record for each task touched.

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "task/impl.hpp"
#include "task/transitions.hpp"

namespace any::task {
namespace {

Record without_payload(Record const& record) {
  Record copy;
  copy.request.id = record.request.id;
  copy.request.file = record.request.file;
  copy.request.browser = record.request.browser;
  copy.request.tab = record.request.tab;
  copy.request.frame = record.request.frame;
  copy.request.world = record.request.world;
  copy.request.timeout = record.request.timeout;
  copy.request.queue_timeout = record.request.queue_timeout;
  copy.request.retries = record.request.retries;
  copy.request.priority = record.request.priority;
  copy.request.labels = record.request.labels;
  copy.request.door = record.request.door;
  copy.request.args.clear();
  copy.state = record.state;
  copy.error = record.error;
  copy.result_type = record.result_type;
  copy.injection = record.injection;
  copy.browser = record.browser;
  copy.tab = record.tab;
  copy.attempts = record.attempts;
  copy.hop = record.hop;
  copy.hop_url = record.hop_url;
  copy.hop_state = record.hop_state;
  copy.opened_tab = record.opened_tab;
  copy.hop_due = record.hop_due;
  copy.cancelling = record.cancelling;
  copy.console = record.console;
  copy.progress = record.progress;
  copy.waiting_for = record.waiting_for;
  copy.created = record.created;
  copy.started = record.started;
  copy.ended = record.ended;
  copy.has_screenshot = record.has_screenshot;
  copy.last_seq = record.last_seq;
  return copy;
}

}  // namespace

void Core::Impl::begin(Instant at) {
  now = at;
  step = Step{};
}

void Core::Impl::touch(Task& task, Task::Unwritten how) {
  if (task.unwritten == Task::Unwritten::no) unwritten.push_back(&task);
  if (task.unwritten < how) task.unwritten = how;
}

void Core::Impl::event(Task& task, std::string_view kind, std::string data) {
  if (task.news.armed()) tell_progress(task);
  Event entry{++task.record.last_seq, now.wall, std::string{kind}, std::move(data)};
  step.writes.push_back(AppendEvent{task.record.request.id, entry});
  step.outputs.push_back(Publish{task.record.request.id, std::move(entry)});
}

/// The newest of the values that become no events.
void Core::Impl::tell_progress(Task& task) {
  deadlines.disarm(task.news);
  auto const& record = task.record;
  step.outputs.push_back(Publish{
      record.request.id, Event{record.last_seq, now.wall, "progress", "{\"value\":" + record.progress + "}", false}});
  if (now.mono - task.progress_written < limits.progress_kept) return;
  task.progress_written = now.mono;
  touch(task);
}

void Core::Impl::tell_waiting(Task& task, bool for_tab, std::string message) {
  task.record.waiting_for = for_tab ? "tab" : "browser";
  auto& told = for_tab ? task.told_tab : task.told_browser;
  if (told) return;
  told = true;
  boost::json::object const data{{"for", task.record.waiting_for}, {"message", message}};
  step.outputs.push_back(Publish{
      task.record.request.id, Event{task.record.last_seq, now.wall, "waiting", boost::json::serialize(data), false}});
}

void Core::Impl::set_state(Task& task, State to) {
  auto const from = task.record.state;
  if (!may_follow(from, to))
    throw std::logic_error{"task " + task.record.request.id + ": " + std::string{to_string(to)} + " cannot follow " +
                           std::string{to_string(from)}};
  auto const counter = [&](State state) -> std::size_t* {
    if (state == State::queued) return &counts.queued;
    if (state == State::dispatched) return &counts.dispatched;
    return state == State::running ? &counts.running : nullptr;
  };
  if (auto* count = counter(from)) --*count;
  if (auto* count = counter(to)) ++*count;
  task.record.state = to;
}

Task& Core::Impl::adopt(Record record) {
  auto owned = std::make_unique<Task>();
  auto& task = *owned;
  task.record = std::move(record);
  task.age = next_age++;
  task.limit.kind = Timer::Kind::task_limit;
  task.limit.task = &task;
  task.opening.kind = Timer::Kind::opening;
  task.opening.task = &task;
  task.news.kind = Timer::Kind::progress;
  task.news.task = &task;
  auto const& request = task.record.request;
  if (request.tab.kind == TabSpec::Kind::active) task.spec = "active";
  if (request.tab.kind == TabSpec::Kind::url) task.spec = "url " + request.tab.url;
  switch (task.record.state) {
    case State::queued:
      ++counts.queued;
      break;
    case State::dispatched:
      ++counts.dispatched;
      break;
    default:
      ++counts.running;
  }
  bytes += request.script.size() + request.args.size();
  tasks.emplace(request.id, std::move(owned));
  return task;
}

/// The last a task is heard of; it stands nowhere any more.
void Core::Impl::forget(Task& task) {
  for (auto* timer : {&task.limit, &task.opening, &task.news}) deadlines.disarm(*timer);
  if (task.unwritten != Task::Unwritten::no) std::erase(unwritten, &task);
  bytes -= task.record.request.script.size() + task.record.request.args.size();
  tasks.erase(tasks.find(task.record.request.id));
}

void Core::Impl::flush_writes() {
  if (unwritten.empty()) return;
  std::vector<Write> writes;
  writes.reserve(unwritten.size() + step.writes.size());
  for (auto* task : unwritten) {
    if (task->unwritten == Task::Unwritten::insert)
      writes.push_back(InsertTask{task->record});
    else
      writes.push_back(UpdateTask{without_payload(task->record)});
    task->unwritten = Task::Unwritten::no;
  }
  unwritten.clear();
  std::move(step.writes.begin(), step.writes.end(), std::back_inserter(writes));
  step.writes = std::move(writes);
}

/// Browsers that are gone and awaited by nobody.
void Core::Impl::sweep() {
  for (auto* browser : dirty) {
    browser->dirty = false;
    if (browser->linked || !browser->runs.empty()) continue;
    deadlines.disarm(browser->lost);
    for (auto& [tab, slot] : browser->tabs) deadlines.disarm(slot.again);
    browsers.erase(browsers.find(browser->state.id));
  }
  dirty.clear();
  for (auto const& key : idle_buckets)
    if (auto const* bucket = find_bucket(key); bucket && bucket->tasks.empty()) buckets.erase(key);
  idle_buckets.clear();
}

Step Core::Impl::end() {
  for (std::size_t i = 0; i < dirty.size(); ++i) {  // pump may wake further ones
    dirty[i]->dirty = false;
    pump(*dirty[i]);
  }
  std::sort(dirty.begin(), dirty.end());
  dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
  sweep();
  flush_writes();
  return std::move(step);
}

}  // namespace any::task
