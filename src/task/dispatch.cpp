// What is sent next: by browser, highest priority first, then the oldest.

#include <algorithm>

#include "task/impl.hpp"
#include "task/json.hpp"

namespace any::task {

/// A queued task that stands nowhere: to its own browser if it goes on in a later page there, else to any that fits.
void Core::Impl::enqueue(Task& task) {
  auto const found = browsers.find(task.record.browser);
  auto& bucket = bucket_of(task);
  if (bucket.tasks.empty()) idle_buckets.push_back(bucket.key);
  if (task.record.hop > 0 && found != browsers.end() && fits(*found->second, bucket)) {
    to_ready(*found->second, task);
    return;
  }
  to_bucket(task);
}

void Core::Impl::to_bucket(Task& task) {
  auto& bucket = bucket_of(task);
  task.phase = Phase::bucket;
  task.bucket = &bucket;
  task.browser = nullptr;
  task.wants.reset();
  bucket.tasks.insert(&task);
  if (task.queue_deadline) deadlines.arm(task.limit, *task.queue_deadline);
  if (auto* browser = choose(bucket)) {
    wake(*browser);
    task.record.waiting_for.clear();
  } else {
    if (!serving(bucket)) tell_waiting(task, false, why_none(task, bucket).message);
  }
}

void Core::Impl::to_ready(Browser& browser, Task& task) {
  task.phase = Phase::ready;
  task.browser = &browser;
  browser.ready.insert(&task);
  wake(browser);
}

/// Takes a task out of whatever set it waits in.
void Core::Impl::leave_wait(Task& task) {
  switch (task.phase) {
    case Phase::bucket: {
      deadlines.disarm(task.limit);
      task.bucket->tasks.erase(&task);
      if (task.lapsed) task.bucket->lapsed.erase(&task);
      task.lapsed = false;
      if (task.bucket->tasks.empty()) idle_buckets.push_back(task.bucket->key);
      task.bucket = nullptr;
      break;
    }
    case Phase::blocked:
      task.browser->groups[task.spec].blocked.erase(&task);
      break;
    case Phase::parked: {
      auto& browser = *task.browser;
      auto const tab = *task.wants;
      browser.tabs[tab].waiters.erase(&task);
      if (!task.spec.empty()) {
        browser.groups[task.spec].parked.erase(&task);
        unblock(browser, task.spec);
      }
      settle(browser, tab);
      break;
    }
    case Phase::ready: {
      auto& browser = *task.browser;
      browser.ready.erase(&task);
      if (task.promoted) {
        task.promoted = false;
        auto const tab = *task.wants;
        browser.tabs[tab].promoted = nullptr;
        settle(browser, tab);
      }
      leave_probe(task);
      break;
    }
    default:
      break;
  }
}

void Core::Impl::queue_expired(Task& task) {
  auto& bucket = *task.bucket;
  if (serving(bucket)) {
    task.lapsed = true;
    bucket.lapsed.insert(&task);
    return;
  }
  auto const wait = std::min(*task.record.request.queue_timeout, limits.link_grace);
  if (bucket.unserved_since && now.mono < *bucket.unserved_since + wait) {
    deadlines.arm(task.limit, *bucket.unserved_since + wait);
    return;
  }
  auto error = why_none(task, bucket);
  finish(task, State::failed, std::move(error));
}

bool Core::Impl::takes_more(Browser const& browser, Limits const& limits) {
  if (!browser.linked || browser.state.paused) return false;
  // It answers nothing, and runs side by side what it has.
  if (browser.state.kind == BrowserKind::prototype) return browser.runs.size() < limits.max_at_prototype;
  return browser.in_flight < static_cast<std::size_t>(std::max(1, limits.max_in_flight));
}

bool Core::Impl::opens_enough(Browser const& browser, Limits const& limits) {
  return browser.opening >= static_cast<std::size_t>(std::max(1, limits.max_opening));
}

/// A start has its answer, or its run is over: it counts no more.
void Core::Impl::uncount(Task& task) {
  if (task.counted) {
    task.counted = false;
    --task.browser->in_flight;
  }
  opened(task);
}

/// Its page is there, or takes so long that the others go on without it.
void Core::Impl::opened(Task& task) {
  if (!task.opens) return;
  task.opens = false;
  deadlines.disarm(task.opening);
  --task.browser->opening;
  wake(*task.browser);
}

void Core::Impl::pump(Browser& browser) {
  if (!takes_more(browser, limits)) return;
  std::vector<Bucket*> open;
  for (auto const& key : browser.keys)
    if (auto* bucket = find_bucket(key)) {
      if (!bucket->tasks.empty() && choose(*bucket) == &browser) open.push_back(bucket);
    }
  while (takes_more(browser, limits)) {
    Task* best = browser.ready.empty() ? nullptr : *browser.ready.begin();
    for (auto const* bucket : open) {
      if (bucket->tasks.empty() || (bucket->opens && opens_enough(browser, limits))) continue;
      auto* const first = *bucket->tasks.begin();
      if (!best || precedes(*first, *best)) best = first;
    }
    if (!best) return;
    offer(browser, *best);
  }
}

/// Sends the task, or lets it wait where it cannot go yet.
void Core::Impl::offer(Browser& browser, Task& task) {
  if (task.phase == Phase::bucket) {
    leave_wait(task);
    task.browser = &browser;
    if (task.record.hop > 0) {
      if (task.record.browser == browser.state.id && task.record.tab) task.wants = task.record.tab->id;
    } else if (task.record.request.tab.kind == TabSpec::Kind::id) {
      task.wants = task.record.request.tab.id;
    } else if (!task.spec.empty()) {
      if (!group_allows(browser, task)) {
        block(browser, task);
        return;
      }
    }
  } else {
    browser.ready.erase(&task);
    if (task.promoted) browser.tabs[*task.wants].promoted = nullptr;
    task.promoted = false;
    if (task.record.hop > 0 && !task.wants && task.record.browser == browser.state.id && task.record.tab)
      task.wants = task.record.tab->id;
  }
  // A due hop of a run that goes on never waits for its tab: it has it.
  if (task.record.state == State::queued && task.wants && task.held != task.wants) {
    auto const found = browser.tabs.find(*task.wants);
    if (found != browser.tabs.end()) {
      auto const& slot = found->second;
      bool const taken = !slot.holders.empty();
      bool const behind = !slot.waiters.empty() && precedes(**slot.waiters.begin(), task);
      bool const next = slot.promoted && precedes(*slot.promoted, task);
      if (taken || behind || next) {
        leave_probe(task);
        park(browser, task, *task.wants);
        return;
      }
    }
  }
  send(browser, task);
}

/// Tabs that a task may not be given though they may look free: somebody with precedence waits for them, or goes on
/// there.
std::vector<std::int64_t> Core::Impl::to_avoid(Browser const& browser, Task const& task) const {
  std::vector<std::int64_t> tabs;
  if (task.spec.empty() || task.record.hop > 0) return tabs;
  for (auto const tab : browser.contested) {
    if (task.held == tab) continue;
    auto const& slot = browser.tabs.at(tab);
    bool const waits = !slot.waiters.empty() && precedes(**slot.waiters.begin(), task);
    bool const next = slot.promoted && precedes(*slot.promoted, task);
    bool const goes_on =
        std::any_of(slot.holders.begin(), slot.holders.end(), [](Task const* holder) { return !holder->taken; });
    if (waits || next || goes_on) tabs.push_back(tab);
  }
  return tabs;
}

void Core::Impl::arm_hop(Task& task, Millis least) {
  auto const& timeout = task.record.request.timeout;
  if (!timeout) {
    deadlines.disarm(task.limit);
    return;
  }
  // The prototype's extension keeps no time itself.
  bool const alone = task.browser->state.kind == BrowserKind::prototype;
  deadlines.arm(task.limit, now.mono + std::max(*timeout + (alone ? 0 : limits.answer_grace), least));
}

void Core::Impl::send(Browser& browser, Task& task) {
  auto& record = task.record;
  bool const goes_on = record.state == State::dispatched;  // the next hop of the same attempt
  bool const same_browser = record.browser == browser.state.id;
  if (!goes_on) {
    Attempt attempt;
    attempt.number = record.attempts.empty() ? 1 : record.attempts.back().number + 1;
    attempt.browser = browser.state.id;
    attempt.dispatched = now.wall;
    record.attempts.push_back(std::move(attempt));
    set_state(task, State::dispatched);
  }
  record.attempts.back().instance = browser.instance;
  record.browser = browser.state.id;
  record.hop_due = false;
  record.waiting_for.clear();
  task.browser = &browser;
  task.phase = Phase::sent;
  task.taken = false;
  task.counted = true;
  browser.runs.insert(&task);
  ++browser.in_flight;
  if (record.hop == 0 && record.request.tab.kind == TabSpec::Kind::open) {
    task.opens = true;
    ++browser.opening;
    deadlines.arm(task.opening, now.mono + limits.slow_page);
  }
  if (task.wants)
    hold(browser, task, *task.wants);
  else if (!task.spec.empty() && record.hop == 0)
    enter_probe(task);

  RunKey run{record.request.id, record.attempts.back().number, record.hop};
  SendStart start{.browser = browser.state.id,
                  .run = run,
                  .request = record.request,
                  .avoid = to_avoid(browser, task),
                  .hop_url = record.hop_url,
                  .hop_state = record.hop_state,
                  .hop_tab = std::nullopt,
                  .opened_tab = false};
  if (record.hop > 0) {
    // A tab of another browser is nobody's here: -1 makes the extension open a new one.
    start.hop_tab = same_browser && record.tab ? record.tab->id : -1;
    start.opened_tab = record.opened_tab;
  }
  if (!goes_on)
    event(task, "dispatched",
          "{\"attempt\":" + std::to_string(run.attempt) + ",\"browser\":" + json_text(browser.state.id) + "}");
  touch(task);
  step.outputs.push_back(std::move(start));
  step.durable = true;
  arm_hop(task);
  if (browser.state.kind == BrowserKind::prototype) {
    answered(task);
    note_started(task, std::nullopt, Injection::none);
  }
}

}  // namespace any::task
