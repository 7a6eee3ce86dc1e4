#pragma once
// A core with a clock that is moved by hand, and short words for what a test looks for in a Step.

#include <gtest/gtest.h>

#include <algorithm>

#include "task/core.hpp"

namespace any::task {

struct Bench {
  Limits limits{};
  Core core{limits};
  Instant now{1'000, 1'700'000'000'000};
  std::uint64_t token = 0;

  Bench() = default;
  explicit Bench(Limits l) : limits{l}, core{l} {}

  void pass(Millis millis) {
    now.mono += millis;
    now.wall += millis;
  }
  static Request request(std::string id) {
    Request r;
    r.id = std::move(id);
    r.script = "return 1";
    return r;
  }
  static Request in_tab(std::string id, std::int64_t tab) {
    auto r = request(std::move(id));
    r.tab.kind = TabSpec::Kind::id;
    r.tab.id = tab;
    return r;
  }
  static BrowserState browser(std::string id) {
    BrowserState b;
    b.id = std::move(id);
    return b;
  }
  static RunKey run(std::string task, int attempt = 1, int hop = 0) { return {std::move(task), attempt, hop}; }
  static TabInfo tab(std::int64_t id) { return {id, "http://page/", "title"}; }

  Step submit(Request r) { return core.submit(std::move(r), now).value(); }
  Step link(std::string id, std::string instance = "i1", std::vector<Hold> const& holds = {}) {
    return core.link_up(browser(std::move(id)), instance, holds, now);
  }
  /// Accepted and begun.
  void begin(std::string const& task, std::int64_t at = 1, int attempt = 1, int hop = 0, std::string const& b = "a") {
    core.accepted(b, run(task, attempt, hop), tab(at), now);
    core.started(b, run(task, attempt, hop), tab(at), Injection::scripting, now);
  }
  Step value(std::string const& task, int attempt = 1, int hop = 0) {
    Outcome o;
    o.value = "1";
    return core.finished("a", run(task, attempt, hop), std::move(o), ++token, now);
  }
  Step next(std::string const& task, std::string url, int attempt = 1, int hop = 0) {
    Outcome o;
    o.kind = Outcome::Kind::next;
    o.url = std::move(url);
    o.state = "{\"n\":1}";
    return core.finished("a", run(task, attempt, hop), std::move(o), ++token, now);
  }
  Step error(std::string const& task, ErrorName name, Outcome::Started started = Outcome::Started::yes,
             int attempt = 1) {
    Outcome o;
    o.kind = Outcome::Kind::error;
    o.error = Error{name, "it went wrong"};
    o.started = started;
    return core.finished("a", run(task, attempt), std::move(o), ++token, now);
  }
};

template <class T>
std::vector<T> outputs(Step const& step) {
  std::vector<T> found;
  for (auto const& output : step.outputs)
    if (auto const* one = std::get_if<T>(&output)) found.push_back(*one);
  return found;
}
inline std::vector<std::string> starts(Step const& step) {
  std::vector<std::string> ids;
  for (auto const& start : outputs<SendStart>(step)) ids.push_back(start.run.task);
  return ids;
}
inline std::optional<FinishTask> end_of(Step const& step, std::string const& task) {
  for (auto const& write : step.writes)
    if (auto const* finish = std::get_if<FinishTask>(&write))
      if (finish->record.request.id == task) return *finish;
  return std::nullopt;
}
inline std::string failure(Step const& step, std::string const& task) {
  auto const end = end_of(step, task);
  return end && end->record.error ? std::string{to_string(end->record.error->name)} : "";
}
inline std::vector<std::string> kinds(Step const& step) {
  std::vector<std::string> found;
  for (auto const& publish : outputs<Publish>(step)) found.push_back(publish.event.kind);
  return found;
}

using Names = std::vector<std::string>;

}  // namespace any::task
