// Who has a tab, who waits for it, and when the next one may go.

#include <algorithm>
#include <iterator>

#include "task/impl.hpp"

namespace any::task {
namespace {

constexpr std::size_t probes = 8;  ///< so many of one tab spec are asked about while others of it wait for a tab

}  // namespace

void Core::Impl::hold(Browser& browser, Task& task, std::int64_t tab) {
  if (task.held == tab) return;
  release(task);
  task.held = tab;
  auto& slot = browser.tabs[tab];
  slot.holders.push_back(&task);
  settle(browser, tab);
}

void Core::Impl::release(Task& task) {
  if (!task.held) return;
  auto& browser = *task.browser;
  auto const tab = *task.held;
  task.held.reset();
  std::erase(browser.tabs[tab].holders, &task);
  settle(browser, tab);
}

/// The task waits for that tab; it stands nowhere when this is called.
void Core::Impl::park(Browser& browser, Task& task, std::int64_t tab) {
  task.phase = Phase::parked;
  task.browser = &browser;
  task.wants = tab;
  browser.tabs[tab].waiters.insert(&task);
  browser.contested.insert(tab);
  if (!task.spec.empty() && task.record.hop == 0) browser.groups[task.spec].parked.insert(&task);
  tell_waiting(task, true, "waiting for tab " + std::to_string(tab) + ", where another task runs");
  settle(browser, tab);
}

/// Brings a tab's books in order after any change: the best waiter goes on where the tab is free.
void Core::Impl::settle(Browser& browser, std::int64_t tab) {
  auto const found = browser.tabs.find(tab);
  if (found == browser.tabs.end()) return;
  auto& slot = found->second;
  if (!slot.holders.empty() || slot.waiters.empty()) {
    deadlines.disarm(slot.again);
    browser.orphans.erase(tab);
  }
  if (slot.holders.empty() && !slot.promoted && !slot.waiters.empty() && !slot.again.armed()) {
    auto& task = **slot.waiters.begin();
    slot.waiters.erase(slot.waiters.begin());
    if (!task.spec.empty() && task.record.hop == 0) {
      browser.groups[task.spec].parked.erase(&task);
      enter_probe(task);
    }
    slot.promoted = &task;
    task.promoted = true;
    to_ready(browser, task);
  }
  bool const goes_on = std::any_of(slot.holders.begin(), slot.holders.end(), [](Task const* t) { return !t->taken; });
  if (!slot.waiters.empty() || slot.promoted || goes_on)
    browser.contested.insert(tab);
  else
    browser.contested.erase(tab);
  if (slot.holders.empty() && slot.waiters.empty() && !slot.promoted) {
    deadlines.disarm(slot.again);
    browser.orphans.erase(tab);
    browser.tabs.erase(found);
  }
}

/// A run of that browser has ended: what was busy for a reason of its own may be free now.
void Core::Impl::wake_orphans(Browser& browser) {
  auto const tabs = std::vector<std::int64_t>(browser.orphans.begin(), browser.orphans.end());
  for (auto const tab : tabs) {
    deadlines.disarm(browser.tabs[tab].again);
    browser.orphans.erase(tab);
    settle(browser, tab);
  }
}

/// While some of a spec wait for a tab, no more than a few further ones are sent to be told the same.
bool Core::Impl::group_allows(Browser& browser, Task& task) {
  auto const found = browser.groups.find(task.spec);
  if (found == browser.groups.end()) return true;
  auto const& parked = found->second.parked;
  return parked.size() < probes || precedes(task, **std::next(parked.begin(), probes - 1));
}

void Core::Impl::block(Browser& browser, Task& task) {
  task.phase = Phase::blocked;
  browser.groups[task.spec].blocked.insert(&task);
  tell_waiting(task, true, "waiting for a tab, behind other tasks for the same one");
}

void Core::Impl::enter_probe(Task& task) {
  if (task.probing) return;
  task.probing = true;
  ++task.browser->groups[task.spec].probing;
}

void Core::Impl::leave_probe(Task& task) {
  if (!task.probing) return;
  task.probing = false;
  --task.browser->groups[task.spec].probing;
  unblock(*task.browser, task.spec);
}

void Core::Impl::unblock(Browser& browser, std::string const& spec) {
  auto const found = browser.groups.find(spec);
  if (found == browser.groups.end()) return;
  auto& group = found->second;
  while (!group.blocked.empty() && group.probing < probes && group_allows(browser, **group.blocked.begin())) {
    auto& task = **group.blocked.begin();
    group.blocked.erase(group.blocked.begin());
    enter_probe(task);
    to_ready(browser, task);
  }
  if (group.blocked.empty() && group.parked.empty() && group.probing == 0) browser.groups.erase(found);
}

}  // namespace any::task
