// Browsers come, go and come back: what they still hold is compared with what the core thinks they have.

#include "task/impl.hpp"

namespace any::task {

Browser& Core::Impl::browser_at(std::string const& id) {
  auto& owned = browsers[id];
  if (!owned) {
    owned = std::make_unique<Browser>();
    owned->state.id = id;
    owned->lost.kind = Timer::Kind::link_lost;
    owned->lost.browser = owned.get();
  }
  return *owned;
}

/// Tasks that only wait in this browser may go to another one, if there is one.
void Core::Impl::unbind_waiting(Browser& browser) {
  std::vector<Task*> waiting;
  for (auto& [tab, slot] : browser.tabs) {
    waiting.insert(waiting.end(), slot.waiters.begin(), slot.waiters.end());
    slot.waiters.clear();
    slot.promoted = nullptr;
    deadlines.disarm(slot.again);
  }
  for (auto& [spec, group] : browser.groups) waiting.insert(waiting.end(), group.blocked.begin(), group.blocked.end());
  TaskSet due;
  for (auto* task : browser.ready) {
    if (task->record.state == State::dispatched)
      due.insert(task);
    else
      waiting.push_back(task);
  }
  browser.ready = std::move(due);
  browser.orphans.clear();
  browser.groups.clear();
  for (auto* run : browser.runs) run->probing = false;
  for (auto* task : waiting) {
    task->promoted = task->probing = false;
    task->wants.reset();
    task->browser = nullptr;
    task->record.waiting_for.clear();
    to_bucket(*task);
  }
  std::vector<std::int64_t> tabs;
  tabs.reserve(browser.tabs.size());
  for (auto const& [tab, slot] : browser.tabs) tabs.push_back(tab);
  for (auto const tab : tabs) settle(browser, tab);
}

void Core::Impl::drop_link(Browser& browser) {
  unbind_waiting(browser);
  browser.linked = false;
  sort_by_use();
  auto const runs = std::vector<Task*>(browser.runs.begin(), browser.runs.end());
  for (auto* task : runs) {
    uncount(*task);
    deadlines.disarm(task->limit);
    if (task->cancelling) {
      auto error = *task->cancelling;
      error.message += "; the link to the browser was lost meanwhile, it is stopped there when it comes back";
      end_cancelled(*task, std::move(error));
    }
  }
  deadlines.arm(browser.lost, now.mono + limits.link_grace);
  choice_changed(browser.keys);
  wake(browser);
}

void Core::Impl::link_lost(Browser& browser) {
  auto const runs = std::vector<Task*>(browser.runs.begin(), browser.runs.end());
  for (auto* task : runs) {
    bool const started = task->phase == Phase::running;
    fail(*task,
         Error{ErrorName::BrowserLostError,
               "the link to the browser was lost and did not come back within " +
                   std::to_string(limits.link_grace / 1000) +
                   " s: it was closed, crashed or sleeps; start it and submit the task again, or give it retries"},
         true,
         started                       ? Outcome::Started::yes
         : task->phase == Phase::ready ? Outcome::Started::no
                                       : Outcome::Started::unknown);
  }
  wake(browser);
}

void Core::Impl::reconcile(Browser& browser, std::vector<Hold> const& holds) {
  auto const stamp = browser.linked_at;
  for (auto const& held : holds) {
    auto* task = current(browser.state.id, held.run);
    if (!task) {
      step.durable = true;  // what makes it void may still be on its way to the disk
      if (held.phase == Hold::Phase::finished)
        step.outputs.push_back(SendForget{browser.state.id, held.run});
      else
        step.outputs.push_back(SendCancel{browser.state.id, held.run,
                                          Error{ErrorName::CancelledError, "the daemon waits for this run no more"}});
      continue;
    }
    task->confirmed = stamp;
    if (task->phase == Phase::sent) task->phase = Phase::accepted;
    task->taken = true;
    if (held.phase == Hold::Phase::running) note_started(*task, std::nullopt, Injection::none);
  }
  auto const runs = std::vector<Task*>(browser.runs.begin(), browser.runs.end());
  for (auto* task : runs) {
    if (!with_browser(task->phase)) continue;  // a due hop: sent anew
    if (task->confirmed == stamp || browser.state.kind == BrowserKind::prototype) {
      auto const& attempt = task->record.attempts.back();
      auto const gone = attempt.started && task->record.hop == 0 ? now.wall - *attempt.started : 0;
      auto const& timeout = task->record.request.timeout;
      if (timeout && gone > 0)
        deadlines.arm(task->limit, now.mono + std::max(*timeout + limits.answer_grace - gone, limits.answer_grace));
      else
        arm_hop(*task);
      continue;
    }
    bool const same_instance = !browser.instance.empty() && task->record.attempts.back().instance == browser.instance;
    if (same_instance && !task->taken) {
      requeue(*task, Error{ErrorName::BrowserLostError, "the browser never got it"});
      continue;
    }
    bool const started = task->phase == Phase::running;
    fail(*task,
         Error{ErrorName::BrowserLostError, same_instance ? "the browser came back and knows nothing of this run any "
                                                            "more; submit the task again, or give it retries"
                                                          : "the browser or its extension was restarted under the "
                                                            "script; submit the task again, or give it retries"},
         true, started ? Outcome::Started::yes : Outcome::Started::unknown);
  }
}

void Core::Impl::change_state(Browser& browser, BrowserState state) {
  auto const before = browser.keys;
  bool const stops = state.paused && !browser.state.paused;
  bool const lost_worlds =
      (browser.state.user_scripts || browser.state.debugger) && !state.user_scripts && !state.debugger;
  if ((stops || lost_worlds || state.label != browser.state.label) && browser.linked) unbind_waiting(browser);
  browser.state = std::move(state);
  browser.keys = keys_of(browser.state);
  sort_by_use();
  choice_changed(before);
  choice_changed(browser.keys);
  wake(browser);
}

Step Core::link_up(BrowserState state, std::string_view instance, std::vector<Hold> const& holds, Instant now) {
  impl_->begin(now);
  auto& browser = impl_->browser_at(state.id);
  if (browser.linked) impl_->drop_link(browser);
  impl_->deadlines.disarm(browser.lost);
  browser.linked = true;
  browser.linked_at = impl_->next_link++;
  browser.instance = std::string{instance};
  impl_->change_state(browser, std::move(state));
  impl_->reconcile(browser, holds);
  return impl_->end();
}

Step Core::link_down(std::string_view id, Instant now) {
  impl_->begin(now);
  auto const found = impl_->browsers.find(std::string{id});
  if (found != impl_->browsers.end() && found->second->linked) impl_->drop_link(*found->second);
  return impl_->end();
}

Step Core::browser_changed(BrowserState state, Instant now) {
  impl_->begin(now);
  auto const found = impl_->browsers.find(state.id);
  if (found != impl_->browsers.end() && found->second->linked) impl_->change_state(*found->second, std::move(state));
  return impl_->end();
}

}  // namespace any::task
