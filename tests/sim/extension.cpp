// A simulated browser: an extension that does what docs/protocol.md asks of it, and tabs that scripts run in.

#include <algorithm>

#include "sim/world.hpp"

namespace any::task::sim {

SimBrowser* World::browser(std::string_view id) {
  for (auto& at : browsers_)
    if (at.id == id) return &at;
  throw Broken{"something was said to a browser that there is not"};
}

BrowserState World::state_of(SimBrowser const& at) const {
  BrowserState state;
  state.id = at.id;
  state.label = "label-" + at.id;
  state.paused = at.paused;
  state.used = at.used;
  return state;
}

Run* World::find_run(SimBrowser& at, RunKey const& key) {
  for (auto& run : at.runs)
    if (run.key == key) return &run;
  return nullptr;
}

void World::drop_run(SimBrowser& at, RunKey const& key) {
  std::erase_if(at.runs, [&](Run const& run) { return run.key == key; });
}

/// A tab is taken while a script runs in it, and after any.next until the daemon has that on disk.
bool World::occupied(SimBrowser const& at, std::int64_t tab, std::string const& by) const {
  return std::any_of(at.runs.begin(), at.runs.end(), [&](Run const& run) {
    bool const there = run.phase != Hold::Phase::finished || run.outcome.kind == Outcome::Kind::next;
    return there && run.tab == tab && run.key.task != by;
  });
}

void World::on_start(SimBrowser& at, SendStart const& start) {
  auto const key = start.run;
  auto const answer = [&](auto call) {
    at.to_daemon.push_back([id = at.id, key, call](World& w) { w.take(call(*w.core_, id, key, w.now_)); });
  };
  auto const accept = [&](std::int64_t tab) {
    answer([tab](Core& core, std::string const& id, RunKey const& run, Instant now) {
      return core.accepted(id, run, TabInfo{tab, "http://page/", "t"}, now);
    });
  };
  auto const refuse = [&](ErrorName name) {
    answer([name](Core& core, std::string const& id, RunKey const& run, Instant now) {
      return core.refused(id, run, Error{name, "refused"}, now);
    });
  };
  if (auto const* known = find_run(at, key)) {
    accept(known->tab);
    return;
  }
  if (at.paused) {
    refuse(ErrorName::PausedError);
    return;
  }
  std::int64_t tab = 0;
  bool opened = false;
  auto const& spec = start.request.tab;
  if (start.run.hop > 0) {
    tab = start.hop_tab.value_or(-1);
    opened = !at.tabs.contains(tab);
  } else if (spec.kind == TabSpec::Kind::id) {
    tab = spec.id;
    if (!at.tabs.contains(tab)) {
      refuse(ErrorName::TabNotFoundError);
      return;
    }
  } else if (spec.kind == TabSpec::Kind::open) {
    opened = true;
  } else if (spec.kind == TabSpec::Kind::url) {
    tab = *std::next(at.tabs.begin(), static_cast<std::ptrdiff_t>(pick(at.tabs.size())));
  } else {
    tab = at.active;
  }
  if (!opened && (occupied(at, tab, key.task) || std::count(start.avoid.begin(), start.avoid.end(), tab))) {
    trace("busy " + key.task + " tab " + std::to_string(tab));
    at.to_daemon.push_back([id = at.id, key, tab](World& w) {
      auto step = w.core_->busy(id, key, tab, w.now_);
      auto const* record = w.core_->find(key.task);
      if (record && record->state == State::queued) w.told_busy_[key.task] = {id, tab};
      w.take(std::move(step));
    });
    return;
  }
  if (chaos_ && chance(4)) {
    refuse(chance(50) ? ErrorName::ForbiddenPageError : ErrorName::NavigatedError);
    return;
  }
  if (opened) {
    tab = at.next_tab++;
    at.tabs.insert(tab);
  }
  trace("accept " + key.task + " tab " + std::to_string(tab));
  at.runs.push_back(Run{key, Hold::Phase::received, tab, opened, {}, 0});
  accept(tab);
}

void World::on_cancel(SimBrowser& at, SendCancel const& cancel) {
  auto* run = find_run(at, cancel.run);
  if (!run || run->phase == Hold::Phase::finished) return;
  if (chaos_ && chance(20)) return;  // it cannot be stopped
  Outcome outcome;
  outcome.kind = Outcome::Kind::error;
  outcome.error = cancel.error;
  outcome.started = run->phase == Hold::Phase::running ? Outcome::Started::yes : Outcome::Started::no;
  finish_with(at, *run, std::move(outcome));
}

void World::begin_run(SimBrowser& at, Run& run) {
  auto const name = run.key.task + "/" + std::to_string(run.key.attempt) + "/" + std::to_string(run.key.hop);
  if (++starts_[name] > 1) throw Broken{"a script was started twice in one attempt: " + name};
  ++total_starts_;
  ++page_starts_[{run.key.task, run.key.hop}];
  for (auto const& other : at.runs)
    if (&other != &run && other.tab == run.tab && other.phase == Hold::Phase::running)
      throw Broken{"two scripts run in one tab"};
  run.phase = Hold::Phase::running;
  if (chaos_ && chance(10)) return;  // the word of it is lost
  at.to_daemon.push_back([id = at.id, key = run.key, tab = run.tab](World& w) {
    w.take(w.core_->started(id, key, TabInfo{tab, "http://page/", "t"}, Injection::scripting, w.now_));
  });
}

void World::say_finish(SimBrowser& at, Run& run) {
  if (!at.link) return;
  at.to_daemon.push_back([id = at.id, key = run.key, outcome = run.outcome, token = run.token](World& w) {
    w.take(w.core_->finished(id, key, outcome, token, w.now_));
  });
}

void World::finish_with(SimBrowser& at, Run& run, Outcome outcome) {
  run.phase = Hold::Phase::finished;
  run.outcome = std::move(outcome);
  run.outcome.tab = TabInfo{run.tab, "http://page/", "t"};
  run.token = next_token_++;
  trace("finish " + run.key.task + "/" + std::to_string(run.key.attempt) + "/" + std::to_string(run.key.hop));
  say_finish(at, run);
}

void World::end_run(SimBrowser& at, Run& run) {
  Outcome outcome;
  auto const kind = pick(100);
  if (kind < 50 || (!chaos_ && kind < 90)) {
    outcome.value = "\"" + run.key.task + "\"";
  } else if (kind < 70 && run.key.hop < 4) {
    outcome.kind = Outcome::Kind::next;
    outcome.url = "http://page/" + std::to_string(run.key.hop + 1);
    outcome.state = std::to_string(run.key.hop);
  } else {
    outcome.kind = Outcome::Kind::error;
    bool const infrastructure = chance(60);
    outcome.error = Error{infrastructure ? ErrorName::NavigatedError : ErrorName::ScriptError, "it failed"};
    outcome.started = Outcome::Started::yes;
  }
  finish_with(at, run, std::move(outcome));
}

/// One of its runs goes a step further.
void World::step_run(SimBrowser& at) {
  if (at.runs.empty()) return;
  auto& run = at.runs[pick(at.runs.size())];
  switch (run.phase) {
    case Hold::Phase::received:
      if (chaos_ && chance(5)) {
        Outcome outcome;
        outcome.kind = Outcome::Kind::error;
        outcome.error = Error{ErrorName::TabClosedError, "closed before it ran"};
        outcome.started = chance(70) ? Outcome::Started::no : Outcome::Started::unknown;
        finish_with(at, run, std::move(outcome));
      } else {
        begin_run(at, run);
      }
      break;
    case Hold::Phase::starting:
      break;
    case Hold::Phase::running:
      if (chance(30))
        at.to_daemon.push_back(
            [id = at.id, key = run.key](World& w) { w.take(w.core_->progress(id, key, "1", w.now_)); });
      else if (chance(20))
        at.to_daemon.push_back([id = at.id, key = run.key](World& w) {
          w.take(w.core_->console(id, key, ConsoleLine{w.now_.wall, "log", "hello", 1, 1}, w.now_));
        });
      else
        end_run(at, run);
      break;
    case Hold::Phase::finished:
      if (chaos_ && chance(10)) say_finish(at, run);  // twice
      break;
  }
  if (!at.link) at.to_daemon.clear();
}

void World::connect(SimBrowser& at) {
  at.link = next_link_++;
  at.to_daemon.clear();
  at.to_extension.clear();
  std::vector<Hold> holds;
  for (auto const& run : at.runs) holds.push_back({run.key, run.phase});
  trace("link up " + at.id);
  forget_waits(at.id);
  take(core_->link_up(state_of(at), at.id + std::to_string(at.instance), holds, now_));
  for (auto& run : at.runs)
    if (run.phase == Hold::Phase::finished) say_finish(at, run);
}

void World::cut(SimBrowser& at) {
  if (!at.link) return;
  trace("cut " + at.id);
  at.link = 0;
  at.to_daemon.clear();
  at.to_extension.clear();
  forget_waits(at.id);
  take(core_->link_down(at.id, now_));
}

void World::lose_instance(SimBrowser& at, bool whole_browser) {
  trace("instance lost " + at.id);
  cut(at);
  std::erase_if(at.runs, [&](Run const& run) { return run.phase != Hold::Phase::finished || chance(10); });
  ++at.instance;
  if (!whole_browser) return;
  at.tabs = {at.next_tab, at.next_tab + 1, at.next_tab + 2};
  at.active = at.next_tab;
  at.next_tab += 3;
}

}  // namespace any::task::sim
