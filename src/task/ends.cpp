// How a run ends: the task's own end, its next page, a further attempt, or back to the queue.

#include <boost/json/serialize.hpp>

#include "task/impl.hpp"
#include "task/json.hpp"

namespace any::task {

bool is_infrastructure_failure(ErrorName name) noexcept {
  return name == ErrorName::NavigatedError || name == ErrorName::TabClosedError ||
         name == ErrorName::PageCrashedError || name == ErrorName::BrowserLostError;
}

/// Takes a task from where it stands: out of the sets it waits in, or off the browser and the tab that it has.
void Core::Impl::detach(Task& task) {
  if (!task.browser) {
    if (task.bucket) leave_wait(task);
    return;
  }
  auto& browser = *task.browser;
  bool const had_run = browser.runs.erase(&task) > 0;
  if (!with_browser(task.phase)) leave_wait(task);
  deadlines.disarm(task.limit);
  uncount(task);
  leave_probe(task);
  task.wants.reset();
  task.promoted = false;
  release(task);
  if (had_run) {
    wake_orphans(browser);
    wake(browser);
  }
  task.taken = false;
  task.browser = nullptr;
  task.phase = Phase::bucket;  // of no bucket: whoever detaches it says where it goes
}

void Core::Impl::close_attempt(Task& task, std::optional<Error> error, bool requeued) {
  auto& attempts = task.record.attempts;
  if (attempts.empty() || attempts.back().ended) return;
  attempts.back().ended = now.wall;
  attempts.back().error = std::move(error);
  attempts.back().requeued = requeued;
}

void Core::Impl::finish(Task& task, State state, std::optional<Error> error, std::optional<std::string> result,
                        std::string screenshot) {
  detach(task);
  close_attempt(task, error, false);
  set_state(task, state);
  auto& record = task.record;
  record.ended = now.wall;
  record.waiting_for.clear();
  record.hop_due = record.cancelling = false;
  record.has_screenshot = !screenshot.empty();
  event(task, "end",
        "{\"state\":" + json_text(to_string(state)) +
            ",\"error\":" + (error ? boost::json::serialize(to_json(*error)) : std::string{"null"}) + "}");
  record.error = std::move(error);
  if (task.unwritten == Task::Unwritten::insert) flush_writes();
  auto const bytes_now = record.request.script.size() + record.request.args.size();
  Record last = std::move(record);
  last.request.script.clear();
  last.request.args.clear();
  task.record.request.id = last.request.id;
  task.record.request.script.clear();
  task.record.request.args.clear();
  bytes -= bytes_now;
  forget(task);
  step.writes.push_back(FinishTask{std::move(last), std::move(result), std::move(screenshot)});
  step.durable = true;
}

void Core::Impl::end_cancelled(Task& task, std::optional<Error> error) {
  if (!error) error = task.cancelling ? *task.cancelling : Error{ErrorName::CancelledError, "the task was cancelled"};
  finish(task, State::cancelled, std::move(error));
}

/// The same script on the next page, in the tab that stays the task's own.
void Core::Impl::next_hop(Task& task, std::string url, std::string state) {
  auto& browser = *task.browser;
  auto& record = task.record;
  if (record.hop >= limits.max_hops) {
    fail(task,
         Error{ErrorName::ScriptError,
               "the script asked for more than " + std::to_string(limits.max_hops) +
                   " further pages, the most one task may have; let it end, and submit another one that goes on",
               {{"thrown", nullptr}}},
         false, Outcome::Started::yes);
    return;
  }
  if (auto const size = url.size() + state.size(); size > limits.max_state_bytes) {
    fail(task,
         Error{ErrorName::ResultTooLargeError,
               "the state given to any.next has " + std::to_string(size) + " bytes of JSON, at most " +
                   std::to_string(limits.max_state_bytes >> 20) + " MiB are carried to the next page"},
         false, Outcome::Started::yes);
    return;
  }
  ++record.hop;
  record.hop_url = std::move(url);
  record.hop_state = std::move(state);
  record.hop_due = true;
  event(task, "hop", "{\"hop\":" + std::to_string(record.hop) + ",\"url\":" + json_text(record.hop_url) + "}");
  set_state(task, State::dispatched);
  deadlines.disarm(task.limit);
  leave_probe(task);
  task.taken = false;
  if (record.tab) hold(browser, task, record.tab->id);  // where the browser was the first to say which tab it is
  task.wants = task.held;
  touch(task);
  step.durable = true;
  to_ready(browser, task);
  if (task.held) settle(browser, *task.held);
}

/// Nothing of it ran: back to the queue, no retry used.
void Core::Impl::requeue(Task& task, Error reason) {
  if (task.cancelling) {
    end_cancelled(task, std::nullopt);
    return;
  }
  detach(task);
  event(task, "requeued", "{\"reason\":" + json_text(reason.message) + "}");
  reason.extra["started"] = false;
  close_attempt(task, std::move(reason), true);
  set_state(task, State::queued);
  touch(task);
  step.durable = true;
  enqueue(task);
}

void Core::Impl::fail(Task& task, Error error, bool infrastructure, Outcome::Started started, std::string screenshot) {
  if (task.cancelling) {
    end_cancelled(task, std::nullopt);
    return;
  }
  if (!error.extra.contains("started") && started != Outcome::Started::yes) {
    if (started == Outcome::Started::no)
      error.extra["started"] = false;
    else
      error.extra["started"] = "unknown";
  }
  if (!infrastructure || task.retries_used >= task.record.request.retries) {
    finish(task, State::failed, std::move(error), std::nullopt, std::move(screenshot));
    return;
  }
  ++task.retries_used;
  detach(task);
  event(task, "retry",
        "{\"attempt\":" + std::to_string(task.record.attempts.back().number) +
            ",\"error\":" + boost::json::serialize(to_json(error)) + "}");
  close_attempt(task, std::move(error), false);
  set_state(task, State::queued);
  task.record.hop_due = false;
  if (task.record.request.queue_timeout) task.queue_deadline = now.mono + *task.record.request.queue_timeout;
  touch(task);
  step.durable = true;
  enqueue(task);
}

}  // namespace any::task
