// The journal as the world's disk: what is synced survives, of the rest a prefix may.

#include <algorithm>

#include "sim/world.hpp"
#include "task/json.hpp"

namespace any::task::sim {

void World::take(Step step, std::string submitted) {
  check_order(step);
  Waiting waiting{std::move(step), std::move(submitted), {}};
  for (auto const& at : browsers_) waiting.links[at.id] = at.link;
  queue_.push_back(std::move(waiting));
  flush_released();
}

/// Nobody is sent to a tab for which somebody with a higher priority, or of the same and older, waits.
void World::check_order(Step const& step) {
  for (auto const& output : step.outputs) {
    auto const* start = std::get_if<SendStart>(&output);
    if (!start) continue;
    auto const& request = start->request;
    told_busy_.erase(request.id);
    bool const resolved_there = request.tab.kind == TabSpec::Kind::active || request.tab.kind == TabSpec::Kind::url;
    if (start->run.hop > 0 || request.tab.kind == TabSpec::Kind::open) continue;
    for (auto const& [id, where] : told_busy_) {
      auto const* other = core_->find(id);
      if (!other || other->state != State::queued || other->waiting_for != "tab" || where.first != start->browser)
        continue;
      auto const priority = other->request.priority;
      bool const first =
          priority != request.priority ? priority > request.priority : std::stoi(id) < std::stoi(request.id);
      if (!first) continue;
      if (resolved_there && !std::count(start->avoid.begin(), start->avoid.end(), where.second))
        throw Broken{"task " + request.id + " may take tab " + std::to_string(where.second) + " before task " + id};
      if (!resolved_there && request.tab.id == where.second)
        throw Broken{"task " + request.id + " was sent to tab " + std::to_string(where.second) + " before task " + id};
    }
  }
}

/// Steps that need no sync leave at once, but never before an earlier one.
void World::flush_released() {
  while (!queue_.empty() && !queue_.front().step.durable) {
    auto waiting = std::move(queue_.front());
    queue_.pop_front();
    unsynced_.push_back(waiting.step.writes);
    release(waiting);
  }
}

void World::sync() {
  if (queue_.empty()) return;
  auto waiting = std::move(queue_.front());
  queue_.pop_front();
  for (auto const& writes : unsynced_) apply(writes);
  unsynced_.clear();
  apply(waiting.step.writes);
  release(waiting);
  flush_released();
}

void World::apply(std::vector<Write> const& writes) {
  for (auto const& write : writes) {
    if (auto const* insert = std::get_if<InsertTask>(&write)) {
      if (!journal_.emplace(insert->record.request.id, Entry{insert->record, {}, 0}).second)
        throw Broken{"a task was inserted twice"};
    } else if (auto const* update = std::get_if<UpdateTask>(&write)) {
      auto& entry = journal_.at(update->record.request.id);
      if (entry.ends) throw Broken{"a task was written after its end"};
      auto record = from_journal(to_journal(update->record)).value();
      record.request.script = entry.record.request.script;
      record.request.args = entry.record.request.args;
      entry.record = std::move(record);
    } else if (auto const* finish = std::get_if<FinishTask>(&write)) {
      auto& entry = journal_.at(finish->record.request.id);
      if (++entry.ends > 1) throw Broken{"task " + finish->record.request.id + " ended twice"};
      if (!is_final(finish->record.state)) throw Broken{"an end in a state that is none"};
      entry.record = finish->record;
      ++ended_;
    } else {
      auto const& append = std::get<AppendEvent>(write);
      auto& events = journal_.at(append.task).events;
      if (append.event.seq != (events.empty() ? 0 : events.back().seq) + 1)
        throw Broken{"task " + append.task + ": event " + std::to_string(append.event.seq) +
                     " does not follow the one before"};
      events.push_back(append.event);
    }
  }
}

void World::release(Waiting& waiting) {
  if (!waiting.submitted.empty()) accepted_.insert(waiting.submitted);
  for (auto& output : waiting.step.outputs) {
    auto const to = [&](std::string const& id, Message message) {
      auto* at = browser(id);
      if (at->link != 0 && at->link == waiting.links[id]) at->to_extension.push_back(std::move(message));
    };
    if (auto* start = std::get_if<SendStart>(&output)) {
      auto const& entry = journal_.at(start->run.task);
      if (entry.ends || entry.record.attempts.empty() || entry.record.attempts.back().number < start->run.attempt ||
          entry.record.hop < start->run.hop)
        throw Broken{"a start left before its dispatch was on disk: " + start->run.task};
      to(start->browser, [s = *start](World& w) { w.on_start(*w.browser(s.browser), s); });
    } else if (auto* cancel = std::get_if<SendCancel>(&output)) {
      to(cancel->browser, [c = *cancel](World& w) { w.on_cancel(*w.browser(c.browser), c); });
    } else if (auto* forget = std::get_if<SendForget>(&output)) {
      to(forget->browser, [f = *forget](World& w) {
        w.check_acked(f.run);
        w.drop_run(*w.browser(f.browser), f.run);
      });
    } else if (auto* ack = std::get_if<AckFinish>(&output)) {
      to(ack->browser, [a = *ack](World& w) {
        auto& at = *w.browser(a.browser);
        for (auto const& run : at.runs)
          if (run.token == a.token && run.phase == Hold::Phase::finished) {
            w.check_acked(run.key);
            w.drop_run(at, RunKey{run.key});
            return;
          }
      });
    }
  }
}

/// Whatever the extension may drop must be on disk, or void.
void World::check_acked(RunKey const& run) const {
  auto const found = journal_.find(run.task);
  if (found == journal_.end()) throw Broken{"an end was acknowledged of a task that is not on disk: " + run.task};
  auto const& record = found->second.record;
  bool const over = found->second.ends > 0 || record.hop > run.hop || record.attempts.empty() ||
                    record.attempts.back().number > run.attempt || record.attempts.back().ended;
  if (!over) throw Broken{"an end was acknowledged before it was on disk: " + run.task};
}

/// kill -9 of the daemon.
void World::crash() {
  trace("crash");
  std::vector<std::vector<Write>> lost = std::move(unsynced_);
  unsynced_.clear();
  for (auto& waiting : queue_) lost.push_back(std::move(waiting.step.writes));
  queue_.clear();
  auto const kept = pick(lost.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) apply(lost[i]);
  for (auto& at : browsers_) {
    at.link = 0;
    at.to_daemon.clear();
    at.to_extension.clear();
  }
  told_busy_.clear();
  std::vector<Record> live;
  for (auto const& [id, entry] : journal_) {
    if (entry.ends) continue;
    auto record = entry.record;
    for (auto const& event : entry.events) fold(record, event);
    live.push_back(std::move(record));
  }
  std::sort(live.begin(), live.end(),
            [](auto const& a, auto const& b) { return std::stoi(a.request.id) < std::stoi(b.request.id); });
  core_ = std::make_unique<Core>(limits_);
  take(core_->restore(std::move(live), now_));
}

}  // namespace any::task::sim
