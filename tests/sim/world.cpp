#include "sim/world.hpp"

#include <algorithm>
#include <cstdio>

namespace any::task::sim {

World::World(std::uint64_t seed, bool trace) : random_{seed}, trace_{trace} {
  if (chance(30)) limits_.max_in_flight = 1 + static_cast<int>(pick(3));
  if (chance(30)) limits_.max_opening = 1 + static_cast<int>(pick(3));
  core_ = std::make_unique<Core>(limits_);
  auto const count = 1 + pick(3);
  for (std::size_t i = 0; i < count; ++i) {
    SimBrowser at;
    at.id = std::string(1, static_cast<char>('a' + i));
    browsers_.push_back(std::move(at));
  }
}

void World::trace(std::string const& text) const {
  if (trace_) std::fprintf(stderr, "%8lld %s\n", static_cast<long long>(now_.mono), text.c_str());
}

void World::submit() {
  Request request;
  request.id = std::to_string(next_id_++);
  request.script = "return 1";
  switch (pick(6)) {
    case 0:
      request.tab.kind = TabSpec::Kind::id;
      request.tab.id = 1 + static_cast<std::int64_t>(pick(3));
      break;
    case 1:
      request.tab.kind = TabSpec::Kind::url;
      request.tab.url = "http://page/*";
      break;
    case 2:
      request.tab.kind = TabSpec::Kind::open;
      request.tab.url = "http://page/";
      break;
    default:
      break;
  }
  if (chance(25)) request.browser = std::string(chance(50) ? "" : "label-") + static_cast<char>('a' + pick(3));
  request.priority = chance(30) ? static_cast<int>(pick(5)) - 2 : 0;
  request.retries = chance(40) ? static_cast<int>(1 + pick(3)) : 0;
  if (chance(20)) request.timeout = 1'000 + static_cast<Millis>(pick(5'000));
  if (chance(10)) request.timeout = std::nullopt;
  if (chance(10)) request.queue_timeout = 0;
  if (chance(10)) request.queue_timeout = 1'000;
  auto const id = request.id;
  trace("submit " + id);
  auto step = core_->submit(std::move(request), now_);
  if (step.has_error()) throw Broken{"a submit was refused: " + step.error().message};
  submitted_.push_back(id);
  take(std::move(step.value()), id);
}

void World::tell_changed(SimBrowser& at) {
  at.to_daemon.push_back([state = state_of(at)](World& w) {
    w.forget_waits(state.id);
    w.take(w.core_->browser_changed(state, w.now_));
  });
}

/// Where those who waited go when their browser goes or pauses is not the business of the check of the order.
void World::forget_waits(std::string const& browser) {
  std::erase_if(told_busy_, [&](auto const& entry) { return entry.second.first == browser; });
}

void World::pass_time(Millis most) {
  auto const passed = static_cast<Millis>(pick(static_cast<std::size_t>(most))) + 1;
  now_.mono += passed;
  now_.wall += passed;
  auto const next = core_->next_deadline();
  if (next && *next <= now_.mono) {
    take(core_->tick(now_));
    auto const after = core_->next_deadline();
    // A lapsed wait may be looked at once more in the same instant; more than that would be a spin.
    if (after && *after <= now_.mono) take(core_->tick(now_));
    if (auto const again = core_->next_deadline(); again && *again <= now_.mono)
      throw Broken{"a deadline that passed comes back"};
  }
}

bool World::deliver(std::deque<Message>& queue) {
  if (queue.empty()) return false;
  auto message = std::move(queue.front());
  queue.pop_front();
  message(*this);
  return true;
}

void World::act() {
  auto& at = browsers_[pick(browsers_.size())];
  auto const what = pick(1000);
  if (what < 120)
    submit();
  else if (what < 270)
    sync();
  else if (what < 440)
    deliver(at.to_daemon);
  else if (what < 610)
    deliver(at.to_extension);
  else if (what < 760)
    step_run(at);
  else if (what < 830)
    pass_time(chance(10) ? 40'000 : 500);
  else if (what < 900) {
    if (!at.link) connect(at);
  } else if (what < 915)
    cut(at);
  else if (what < 920)
    lose_instance(at, chance(50));
  else if (what < 950) {
    if (submitted_.empty()) return;
    auto step = core_->cancel(submitted_[pick(submitted_.size())], now_);
    if (step.has_value()) take(std::move(step.value()));
  } else if (what < 960) {
    at.paused = !at.paused;
    if (at.link) tell_changed(at);
  } else if (what < 985) {
    at.active = *std::next(at.tabs.begin(), static_cast<std::ptrdiff_t>(pick(at.tabs.size())));
    at.used = now_.wall;
    if (at.link) tell_changed(at);
  } else if (what < 990)
    now_.wall -= static_cast<Millis>(pick(7'200'000));
  else if (what < 995)
    crash();
  else if (at.link)
    connect(at);  // a new link before the old one was seen to be dead
}

bool World::all_quiet() const {
  auto const counts = core_->counts();
  return counts.queued + counts.dispatched + counts.running == 0 && queue_.empty() &&
         std::all_of(browsers_.begin(), browsers_.end(),
                     [](SimBrowser const& at) { return at.to_daemon.empty() && at.to_extension.empty(); });
}

/// No more faults: everything there is must come to its end.
void World::settle() {
  chaos_ = false;
  for (auto& at : browsers_) {
    at.paused = false;
    if (!at.link)
      connect(at);
    else
      tell_changed(at);
  }
  for (int round = 0; round < 20'000; ++round) {
    if (all_quiet()) return;
    sync();
    for (auto& at : browsers_) {
      while (deliver(at.to_daemon)) {
      }
      while (deliver(at.to_extension)) {
      }
      step_run(at);
    }
    if (round % 4 == 0) pass_time(200);
  }
  auto const counts = core_->counts();
  throw Broken{"no end: queued " + std::to_string(counts.queued) + ", dispatched " + std::to_string(counts.dispatched) +
               ", running " + std::to_string(counts.running) + ", steps " + std::to_string(queue_.size())};
}

void World::check_end() const {
  for (auto const& id : accepted_) {
    auto const found = journal_.find(id);
    if (found == journal_.end()) throw Broken{"task " + id + " was accepted and is lost"};
    if (found->second.ends != 1) throw Broken{"task " + id + " has no end"};
  }
  for (auto const& [id, entry] : journal_) {
    if (entry.ends != 1) throw Broken{"task " + id + " has no end"};
    if (entry.events.empty() || entry.events.back().kind != "end")
      throw Broken{"the last event of task " + id + " is no end"};
    auto const& record = entry.record;
    int spent = 0;
    for (auto const& attempt : record.attempts) spent += attempt.requeued ? 0 : 1;
    if (spent > record.request.retries + 1) throw Broken{"task " + id + " had more attempts than it has retries"};
    if (record.state != State::queued && !is_final(record.state))
      throw Broken{"task " + id + " ended in no final state"};
  }
  for (auto const& [page, count] : page_starts_)
    if (count > journal_.at(page.first).record.request.retries + 1)
      throw Broken{"task " + page.first + " ran more often on one page than its retries allow"};
  if (core_->next_deadline() && core_->counts().queued == 0) {
    for (auto const& at : browsers_)
      if (!core_->running_on(at.id).empty()) throw Broken{"a browser runs what has ended"};
    throw Broken{"a deadline is left over"};
  }
}

void World::run() {
  auto const steps = 100 + pick(300);
  for (std::size_t i = 0; i < steps; ++i) act();
  settle();
  for (auto const& writes : unsynced_) apply(writes);
  unsynced_.clear();
  check_end();
}

}  // namespace any::task::sim
