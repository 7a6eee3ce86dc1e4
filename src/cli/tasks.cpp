#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"
#include "cli/outcome.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

constexpr double longest_wait = 300;  // of one request, in seconds; docs/protocol.md

void field(char const* name, std::string const& value) {
  constexpr std::size_t column = 13;
  if (value.empty()) return;
  std::cout << inked(Ink::plain, name) << std::string(column - std::min(column - 1, std::string_view(name).size()), ' ')
            << harmless_block(value, column) << '\n';
}

std::string describe(json::object const& error) {
  return error.empty() ? std::string() : text_of(error, "name") + ": " + text_of(error, "message");
}

void show_task(json::object const& record) {
  field("id", text_of(record, "id"));
  field("state", text_of(record, "state"));
  field("file", text_of(record, "file"));
  field("browser", text_of(record, "browser"));
  auto const& tab = object_of(record, "tab");
  if (!tab.empty()) field("tab", text_of(tab, "id") + "  " + text_of(tab, "url") + "  " + text_of(tab, "title"));
  field("waiting for", text_of(record, "waiting_for"));
  field("created", text_of(record, "created"));
  field("started", text_of(record, "started"));
  field("ended", text_of(record, "ended"));
  field("injection", text_of(record, "injection"));
  if (text_of(record, "hops") != "0") field("hops", text_of(record, "hops"));
  field("progress", text_of(record, "progress"));
  field("error", describe(object_of(record, "error")));
  field("stack", text_of(object_of(record, "error"), "stack"));
  field("screenshot", text_of(record, "screenshot"));
  for (auto const& value : array_of(record, "attempts")) {
    auto const& attempt = value.as_object();
    auto const error = describe(object_of(attempt, "error"));
    field("attempt", text_of(attempt, "number") + "  " + text_of(attempt, "dispatched") + " – " +
                         text_of(attempt, "ended") + (error.empty() ? "" : "  " + error));
  }
  for (auto const& value : array_of(record, "console")) {
    auto const& line = value.as_object();
    field("console", text_of(line, "level") + "  " + text_of(line, "text"));
  }
  if (auto const* result = record.if_contains("result"); result != nullptr && text_of(record, "state") == "completed") {
    field("result", json::serialize(*result));
  }
}

/// The labels asked for, as the daemon takes them: NAME=TEXT, or NAME:TEXT as REST writes it.
Result<json::object> wanted_labels(std::vector<std::string> const& flags) {
  json::object out;
  for (auto const& flag : flags) {
    auto const at = flag.find_first_of("=:");
    if (at == std::string::npos || at == 0)
      return Error{ErrorName::BadRequestError, "--label takes NAME=TEXT, not " + flag};
    auto const name = flag.substr(0, at), text = flag.substr(at + 1);
    if (auto const* other = out.if_contains(name); other != nullptr && other->as_string() != text)
      return Error{ErrorName::BadRequestError,
                   "--label " + name + " is given with two values, and no task has both; ask for one of them"};
    out[name] = text;
  }
  return out;
}

}  // namespace

int tasks(Reach const& reach, TasksOptions const& options) {
  auto labels = wanted_labels(options.labels);
  if (labels.has_error()) return fail(labels.error());
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  json::object query{{"limit", options.limit}};
  if (options.status) query["state"] = *options.status;
  if (options.browser) query["browser"] = *options.browser;
  if (!labels.value().empty()) query["label"] = std::move(labels.value());
  auto answer = daemon.value()->ask("tasks.list", query);
  if (answer.has_error()) return fail(answer.error());
  auto const& found = array_of(answer.value().as_object(), "tasks");
  if (options.json) {
    for (auto const& record : found) std::cout << json::serialize(record) << '\n';
    return exit_ok;
  }
  if (found.empty()) {
    say("no task matches");
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "STATE", "CREATED", "FILE", "PAGE", "ERROR"}};
  for (auto const& value : found) {
    auto const& record = value.as_object();
    rows.push_back({text_of(record, "id"), text_of(record, "state"), age(text_of(record, "created")),
                    text_of(record, "file"), text_of(object_of(record, "tab"), "url"),
                    describe(object_of(record, "error"))});
  }
  print_table(std::move(rows));
  return exit_ok;
}

int task(Reach const& reach, TaskOptions const& options) {
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  auto const wait = std::min(options.wait.value_or(0), longest_wait);
  auto const limit = Duration(static_cast<long>(wait * 1000) + 30'000);
  if (options.json) {
    auto record = daemon.value()->call("tasks.get", {{"id", options.id}, {"wait", wait}}, limit);
    if (record.has_error()) return fail(record.error());
    std::cout << record.value() << '\n';
    return exit_ok;
  }
  auto record = daemon.value()->ask("tasks.get", {{"id", options.id}, {"wait", wait}}, limit);
  if (record.has_error()) return fail(record.error());
  show_task(record.value().as_object());
  return exit_ok;
}

int result(Reach const& reach, TaskOptions const& options) {
  // A task may be asked for after a reboot: then the daemon must be started to tell it.
  auto daemon = Daemon::reach(reach, Daemon::Start::if_none);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  auto const end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.wait.value_or(1e9));
  for (;;) {
    auto const left = std::chrono::duration<double>(end - std::chrono::steady_clock::now()).count();
    auto const wait = std::clamp(left, 0.0, longest_wait);
    auto record = daemon.value()->call("tasks.get", {{"id", options.id}, {"wait", wait}},
                                       Duration(static_cast<long>(wait * 1000) + 30'000));
    if (record.has_error()) return fail(record.error());
    if (has_ended(record.value()) || left <= 0) return show_outcome(record.value(), false);
  }
}

int cancel(Reach const& reach, TaskOptions const& options) {
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  auto record = daemon.value()->ask("tasks.cancel", {{"id", options.id}});
  if (record.has_error()) return fail(record.error());
  auto final = daemon.value()->ask("tasks.get", {{"id", options.id}, {"wait", 10}}, Duration(40'000));
  if (final.has_error()) return fail(final.error());
  auto const& object = final.value().as_object();
  say("task " + options.id + " is " + text_of(object, "state") + ". " + text_of(object_of(object, "error"), "message"));
  return exit_ok;
}

}  // namespace any::cli
