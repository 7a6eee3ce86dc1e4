#include "task/core.hpp"

#include <algorithm>

#include "task/impl.hpp"

namespace any::task {

Core::Core(Limits limits) : impl_{std::make_unique<Impl>(limits)} {}
Core::~Core() = default;
Core::Core(Core&&) noexcept = default;
Core& Core::operator=(Core&&) noexcept = default;

Result<Step> Core::submit(Request request, Instant now) {
  auto& impl = *impl_;
  if (impl.counts.queued >= impl.limits.max_waiting)
    return Error{ErrorName::QueueFullError,
                 std::to_string(impl.counts.queued) +
                     " tasks wait already, the most there may be: wait until some have run, or cancel some"};
  auto const size = request.script.size() + request.args.size();
  if (size > impl.limits.max_waiting_bytes - std::min(impl.bytes, impl.limits.max_waiting_bytes))
    return Error{ErrorName::QueueFullError,
                 "the scripts and arguments of the tasks that have not ended take " + std::to_string(impl.bytes) +
                     " bytes and this one is above what is left of " + std::to_string(impl.limits.max_waiting_bytes) +
                     ": wait until some have run"};
  if (impl.tasks.contains(request.id))
    return Error{ErrorName::ConflictError,
                 "the id \"" + request.id + "\" is that of a task that has not ended: choose another one"};
  impl.begin(now);
  Record record;
  record.request = std::move(request);
  record.created = now.wall;
  auto& task = impl.adopt(std::move(record));
  impl.touch(task, Task::Unwritten::insert);
  impl.step.durable = true;
  impl.event(task, "queued", "{}");
  auto const& wait = task.record.request.queue_timeout;
  if (wait) task.queue_deadline = now.mono + *wait;
  auto const& bucket = impl.bucket_of(task);
  if (bucket.tasks.empty()) impl.idle_buckets.push_back(bucket.key);
  if (wait && *wait == 0 && !impl.serving(bucket))
    impl.finish(task, State::failed, impl.why_none(task, bucket));
  else
    impl.to_bucket(task);
  return impl.end();
}

Result<Step> Core::cancel(std::string_view id, Instant now) {
  auto& impl = *impl_;
  auto const found = impl.tasks.find(std::string{id});
  if (found == impl.tasks.end())
    return Error{ErrorName::NotFoundError,
                 "no task with the id \"" + std::string{id} + "\" waits or runs: `any tasks` lists those there are"};
  auto& task = *found->second;
  impl.begin(now);
  if (!task.cancelling) {
    Error error{ErrorName::CancelledError, "cancelled before anything of it ran"};
    if (!with_browser(task.phase)) {
      if (task.record.hop > 0) error.message = "cancelled before its next page";
      impl.end_cancelled(task, std::move(error));
    } else {
      error.message = "cancelled by a program";
      auto const& browser = *task.browser;
      bool const reachable = browser.linked && browser.state.kind == BrowserKind::any;
      if (reachable)
        impl.step.outputs.push_back(SendCancel{
            browser.state.id, {task.record.request.id, task.record.attempts.back().number, task.record.hop}, error});
      if (reachable) {
        task.cancelling = std::move(error);
        task.record.cancelling = true;
        impl.touch(task);
        impl.step.durable = true;
        impl.deadlines.arm(task.limit, now.mono + 5'000);
      } else {
        error.message += browser.linked ? "; the prototype's extension cannot stop a script, it may go on"
                                        : "; its browser is not linked now, it is stopped there when it comes back";
        impl.end_cancelled(task, std::move(error));
      }
    }
  }
  return impl.end();
}

Step Core::undo_submit(std::string_view id, Instant now) {
  auto& impl = *impl_;
  impl.begin(now);
  auto const found = impl.tasks.find(std::string{id});
  if (found != impl.tasks.end()) {
    auto& task = *found->second;
    impl.detach(task);
    impl.set_state(task, State::failed);
    impl.forget(task);
  }
  return impl.end();
}

Step Core::restore(std::vector<Record> records, Instant now) {
  auto& impl = *impl_;
  impl.begin(now);
  for (auto& record : records) {
    if (is_final(record.state) || impl.tasks.contains(record.request.id)) continue;
    bool const had_run = record.state != State::queued;
    bool const due = record.hop_due;
    if (had_run && record.attempts.empty()) record.state = State::queued;  // cannot be: nobody has it
    auto& task = impl.adopt(std::move(record));
    if (task.record.cancelling) {
      impl.end_cancelled(task, Error{ErrorName::CancelledError,
                                     "cancelled by a program; the daemon was restarted before the browser said how the "
                                     "script ended, it is stopped there when the browser comes back"});
      continue;
    }
    auto const& attempts = task.record.attempts;
    for (auto const& attempt : attempts) {
      if (attempt.requeued) ++task.requeues;
      if (attempt.ended && !attempt.requeued) ++task.retries_used;
    }
    for (auto const& line : task.record.console) task.console_bytes += line.text.size();
    task.console_full =
        task.record.console.size() > impl.limits.max_console || task.console_bytes >= impl.limits.max_console_bytes;
    task.progress_events = task.record.last_seq;  // at most so many
    if (auto const& wait = task.record.request.queue_timeout) {
      Millis since = task.record.created;
      for (auto const& attempt : attempts)
        if (attempt.ended && !attempt.requeued) since = *attempt.ended;
      task.queue_deadline = now.mono + std::clamp<Millis>(since + *wait - now.wall, 0, *wait);
    }
    if (task.record.state == State::queued) {
      impl.to_bucket(task);
      continue;
    }
    auto& browser = impl.browser_at(task.record.browser);
    if (!browser.lost.armed()) impl.deadlines.arm(browser.lost, now.mono + impl.limits.link_grace);
    task.browser = &browser;
    browser.runs.insert(&task);
    bool const has_tab = task.record.tab && (task.record.hop > 0 || task.record.state == State::running);
    if (due) {
      task.phase = Phase::ready;
      browser.ready.insert(&task);
    } else {
      task.phase = task.record.state == State::running ? Phase::running : Phase::sent;
      task.taken = task.record.state == State::running;
    }
    if (task.phase == Phase::sent && task.record.hop == 0 && task.record.request.tab.kind == TabSpec::Kind::id)
      impl.hold(browser, task, task.record.request.tab.id);
    if (has_tab) {
      impl.hold(browser, task, task.record.tab->id);
      task.wants = task.held;
    }
  }
  return impl.end();
}

Step Core::tick(Instant now) {
  auto& impl = *impl_;
  impl.begin(now);
  while (auto* timer = impl.deadlines.pop_due(now.mono)) {
    switch (timer->kind) {
      case Timer::Kind::task_limit:
        impl.limit_passed(*timer->task);
        break;
      case Timer::Kind::progress:
        impl.tell_progress(*timer->task);
        break;
      case Timer::Kind::opening:
        impl.opened(*timer->task);
        break;
      case Timer::Kind::link_lost:
        impl.link_lost(*timer->browser);
        break;
      case Timer::Kind::tab_again: {
        auto& browser = *timer->browser;
        auto const tab = timer->tab;  // settle may end the slot that holds the timer
        browser.orphans.erase(tab);
        impl.settle(browser, tab);
        break;
      }
    }
  }
  return impl.end();
}

std::optional<Millis> Core::next_deadline() const {
  return impl_->deadlines.next();
}

Record const* Core::find(std::string_view id) const {
  auto const found = impl_->tasks.find(std::string{id});
  if (found == impl_->tasks.end()) return nullptr;
  auto& task = *found->second;
  if (task.phase == Phase::bucket) task.record.waiting_for = impl_->serving(*task.bucket) ? "" : "browser";
  return &task.record;
}

std::vector<std::string> Core::running_on(std::string_view browser) const {
  std::vector<std::string> ids;
  auto const found = impl_->browsers.find(std::string{browser});
  if (found == impl_->browsers.end()) return ids;
  for (auto const* task : found->second->runs) ids.push_back(task->record.request.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

Core::Counts Core::counts() const {
  return impl_->counts;
}

}  // namespace any::task
