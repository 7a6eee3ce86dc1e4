// What a browser says of a run: the three answers to a start, its beginning, its progress, its end.

#include <algorithm>

#include "task/impl.hpp"
#include "task/json.hpp"

namespace any::task {
namespace {

constexpr Millis first_backoff = 250, longest_backoff = 2'000;
constexpr int most_requeues = 5;

/// Of a task of which nothing has run. A page that was loaded for it is not loaded once more unasked.
bool may_begin_again(Task const& task, ErrorName name) {
  if (name == ErrorName::BrowserLostError || name == ErrorName::NoBrowserError) return true;
  bool const loads = task.record.hop > 0 || task.record.request.tab.kind == TabSpec::Kind::open;
  return is_infrastructure_failure(name) && !loads;
}

std::string tab_json(std::optional<TabInfo> const& tab) {
  if (!tab) return "null";
  return "{\"id\":" + std::to_string(tab->id) + ",\"url\":" + json_text(tab->url) +
         ",\"title\":" + json_text(tab->title) + "}";
}

}  // namespace

/// The task, if `run` is the run that it has in that browser now.
Task* Core::Impl::current(std::string_view browser, RunKey const& run) {
  auto const found = tasks.find(run.task);
  if (found == tasks.end()) return nullptr;
  auto& task = *found->second;
  bool const same = with_browser(task.phase) && task.browser->state.id == browser &&
                    task.record.attempts.back().number == run.attempt && task.record.hop == run.hop;
  return same ? &task : nullptr;
}

/// A start has its answer: the browser takes one more.
void Core::Impl::answered(Task& task) {
  if (task.phase == Phase::sent) task.phase = Phase::accepted;
  if (!task.counted && !task.opens) return;
  uncount(task);
  wake(*task.browser);
}

void Core::Impl::note_started(Task& task, std::optional<TabInfo> tab, Injection injection) {
  if (task.phase == Phase::running) return;
  answered(task);
  task.taken = true;
  auto& record = task.record;
  if (tab) {
    hold(*task.browser, task, tab->id);
    record.tab = std::move(tab);
  }
  if (task.held) settle(*task.browser, *task.held);
  leave_probe(task);
  if (injection != Injection::none) record.injection = injection;
  set_state(task, State::running);
  task.phase = Phase::running;
  if (!record.started) record.started = now.wall;
  auto& attempt = record.attempts.back();
  if (!attempt.started) attempt.started = now.wall;
  event(task, "started",
        "{\"attempt\":" + std::to_string(attempt.number) + ",\"hop\":" + std::to_string(record.hop) +
            ",\"tab\":" + tab_json(record.tab) + ",\"injection\":" +
            (record.injection == Injection::none ? "null" : json_text(to_string(record.injection))) + "}");
  touch(task);
  if (!task.cancelling) arm_hop(task);
}

void Core::Impl::add_line(Task& task, ConsoleLine line) {
  if (task.console_full) return;
  if (line.text.size() > limits.max_line_bytes) {
    auto cut = limits.max_line_bytes;
    while (cut > 0 && (static_cast<unsigned char>(line.text[cut]) & 0xC0U) == 0x80U) --cut;
    auto const more = line.text.size() - cut;
    line.text.resize(cut);
    line.text += "… (" + std::to_string(more) + " bytes more)";
  }
  auto& lines = task.record.console;
  if (lines.size() >= limits.max_console || task.console_bytes + line.text.size() > limits.max_console_bytes) {
    task.console_full = true;
    line = {line.time, "warn", "more lines followed; only the first " + std::to_string(lines.size()) + " are kept", 0,
            0};
  }
  task.console_bytes += line.text.size();
  event(task, "console", console_data(line));
  lines.push_back(std::move(line));
}

/// The time of the task's present stage is over.
void Core::Impl::limit_passed(Task& task) {
  if (task.phase == Phase::bucket) {
    queue_expired(task);
    return;
  }
  if (!with_browser(task.phase)) return;
  if (task.cancelling) {
    auto error = *task.cancelling;
    error.message += "; the browser did not say within 5 s how the script ended, it may go on";
    end_cancelled(task, std::move(error));
    return;
  }
  auto const seconds = static_cast<double>(*task.record.request.timeout) / 1000;
  auto text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  Error error{ErrorName::TimeoutError,
              "the script ran longer than its timeout of " + text +
                  " s, and the browser did not say how it ended; give it a longer timeout, or see `any logs`"};
  if (task.phase != Phase::running) {
    error.message = "the page did not begin to run the script within " + text + " s; the page may hang: see `any logs`";
    error.extra["started"] = "unknown";
  }
  step.outputs.push_back(SendCancel{
      task.browser->state.id, {task.record.request.id, task.record.attempts.back().number, task.record.hop}, error});
  finish(task, State::failed, std::move(error));
}

void Core::Impl::ended(Task& task, Outcome outcome) {
  bool const ran = outcome.kind != Outcome::Kind::error || outcome.started == Outcome::Started::yes;
  if (ran && task.phase != Phase::running) note_started(task, outcome.tab, outcome.injection);
  if (outcome.tab) task.record.tab = outcome.tab;
  if (outcome.injection != Injection::none) task.record.injection = outcome.injection;
  if (outcome.kind == Outcome::Kind::value) {
    task.record.result_type = outcome.value ? "json" : "undefined";
    finish(task, State::completed, std::nullopt, std::move(outcome.value), std::move(outcome.screenshot));
    return;
  }
  if (task.cancelling) {
    auto error = std::move(*task.cancelling);
    if (outcome.kind == Outcome::Kind::error) {
      if (outcome.error.name == ErrorName::CancelledError)
        error = std::move(outcome.error);
      else
        error.message +=
            "; the script ended with " + std::string{to_string(outcome.error.name)} + ": " + outcome.error.message;
    }
    end_cancelled(task, std::move(error));
    return;
  }
  if (outcome.kind == Outcome::Kind::next) {
    next_hop(task, std::move(outcome.url), std::move(outcome.state));
    return;
  }
  auto const name = outcome.error.name;
  bool const untouched = outcome.started == Outcome::Started::no && task.phase != Phase::running;
  if (name == ErrorName::CancelledError) {
    end_cancelled(task, std::move(outcome.error));
  } else if (untouched && name == ErrorName::PausedError) {
    auto state = task.browser->state;
    state.paused = true;
    change_state(*task.browser, std::move(state));
    requeue(task, Error{ErrorName::PausedError, "the browser is paused"});
  } else if (untouched && may_begin_again(task, name) && task.requeues < most_requeues) {
    ++task.requeues;
    requeue(task, std::move(outcome.error));
  } else {
    fail(task, std::move(outcome.error), is_infrastructure_failure(name), outcome.started,
         std::move(outcome.screenshot));
  }
}

Step Core::accepted(std::string_view browser, RunKey const& run, TabInfo tab, Instant now) {
  impl_->begin(now);
  if (auto* task = impl_->current(browser, run); task && task->phase == Phase::sent) {
    auto& record = task->record;
    bool const opened =
        record.hop > 0 ? !task->wants || *task->wants != tab.id : record.request.tab.kind == TabSpec::Kind::open;
    record.opened_tab = record.opened_tab || opened;
    impl_->answered(*task);
    task->taken = true;
    impl_->hold(*task->browser, *task, tab.id);
    task->browser->tabs[tab.id].backoff = 0;
    impl_->settle(*task->browser, tab.id);
    record.tab = std::move(tab);
    impl_->leave_probe(*task);
    if (!task->cancelling) impl_->arm_hop(*task);
  }
  return impl_->end();
}

Step Core::busy(std::string_view browser, RunKey const& run, std::int64_t tab, Instant now) {
  impl_->begin(now);
  auto* task = impl_->current(browser, run);
  if (!task || task->phase != Phase::sent) return impl_->end();
  if (task->cancelling) {
    impl_->end_cancelled(*task, std::nullopt);
    return impl_->end();
  }
  auto& there = *task->browser;
  if (task->record.hop > 0)
    impl_->close_attempt(*task, std::nullopt, true);  // its earlier pages stay in the record
  else
    task->record.attempts.pop_back();  // nothing was done: the number is used again
  impl_->set_state(*task, State::queued);
  impl_->touch(*task);
  if (task->held == tab) {
    // Let go without calling the next one: that would be told the same.
    std::erase(there.tabs[tab].holders, task);
    task->held.reset();
  }
  auto& slot = there.tabs[tab];
  there.runs.erase(task);
  impl_->answered(*task);
  impl_->deadlines.disarm(task->limit);
  impl_->leave_probe(*task);
  impl_->release(*task);
  if (slot.holders.empty() && !slot.promoted && !slot.again.armed()) {
    slot.backoff = slot.backoff == 0 ? first_backoff : std::min(2 * slot.backoff, longest_backoff);
    slot.again.kind = Timer::Kind::tab_again;
    slot.again.browser = &there;
    slot.again.tab = tab;
    impl_->deadlines.arm(slot.again, now.mono + slot.backoff);
    there.orphans.insert(tab);
  }
  impl_->park(there, *task, tab);
  return impl_->end();
}

Step Core::refused(std::string_view browser, RunKey const& run, Error error, Instant now) {
  impl_->begin(now);
  if (auto* task = impl_->current(browser, run); task && task->phase == Phase::sent) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::error;
    outcome.error = std::move(error);
    outcome.started = Outcome::Started::no;
    impl_->ended(*task, std::move(outcome));
  }
  return impl_->end();
}

Step Core::started(std::string_view browser, RunKey const& run, std::optional<TabInfo> tab, Injection injection,
                   Instant now) {
  impl_->begin(now);
  if (auto* task = impl_->current(browser, run)) impl_->note_started(*task, std::move(tab), injection);
  return impl_->end();
}

Step Core::progress(std::string_view browser, RunKey const& run, std::string value, Instant now) {
  impl_->begin(now);
  if (auto* task = impl_->current(browser, run)) {
    auto const& limits = impl_->limits;
    auto const size = value.size();
    if (size > limits.max_value_bytes) {
      impl_->add_line(*task, {now.wall, "warn",
                              "a value given to any.progress was dropped: it has " + std::to_string(size) +
                                  " bytes of JSON, at most " + std::to_string(limits.max_value_bytes) + " are told",
                              0, 0});
    } else if (task->progress_events < limits.max_progress &&
               task->progress_bytes + size <= limits.max_progress_bytes) {
      ++task->progress_events;
      task->progress_bytes += size;
      impl_->event(*task, "progress", "{\"value\":" + value + "}");
      task->record.progress = std::move(value);
    } else {
      task->record.progress = std::move(value);
      if (!task->news.armed()) impl_->deadlines.arm(task->news, now.mono + limits.progress_pause);
    }
  }
  return impl_->end();
}

Step Core::console(std::string_view browser, RunKey const& run, ConsoleLine line, Instant now) {
  impl_->begin(now);
  if (auto* task = impl_->current(browser, run)) impl_->add_line(*task, std::move(line));
  return impl_->end();
}

Step Core::finished(std::string_view browser, RunKey const& run, Outcome outcome, std::uint64_t token, Instant now) {
  impl_->begin(now);
  if (auto* task = impl_->current(browser, run)) impl_->ended(*task, std::move(outcome));
  // Durable also where the end came too late: the end that counted may still be on its way to the disk.
  impl_->step.durable = true;
  auto step = impl_->end();
  step.outputs.push_back(AckFinish{std::string{browser}, token});  // last: the start of a next page goes before it
  return step;
}

}  // namespace any::task
