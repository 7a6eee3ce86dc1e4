// What the extension says about tasks, read into values.

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdio>

#include "base/encoding.hpp"
#include "browser/messages.hpp"
#include "wire/json.hpp"

namespace any::browser {

namespace json = boost::json;

namespace {

constexpr std::size_t max_result = std::size_t{128} << 20;

Error bad(std::string message) {
  return {ErrorName::BadRequestError, std::move(message)};
}

std::optional<task::Hold::Phase> phase_from(std::string_view text) {
  using Phase = task::Hold::Phase;
  if (text == "received") return Phase::received;
  if (text == "starting") return Phase::starting;
  if (text == "running") return Phase::running;
  if (text == "finished") return Phase::finished;
  return std::nullopt;
}

Error read_task_error(Fields const& params) {
  auto const error = params.object("error");
  if (!error)
    return {ErrorName::InternalError, "The extension said that the task failed, but not why; see `any logs`."};
  json::object members;
  for (auto const& [key, raw] : error->all()) {
    if (auto value = wire::parse_strict(raw)) {
      members[key] = std::move(*value);
    } else if (raw.starts_with('"')) {
      members[key] = error->text(key);
    }
  }
  return error_from_json(members);
}

task::Outcome::Started read_started(Fields const& params) {
  auto const started = params.raw("started");
  if (started == "true") return task::Outcome::Started::yes;
  return started == "false" ? task::Outcome::Started::no : task::Outcome::Started::unknown;
}

}  // namespace

Result<task::RunKey> read_run(Fields const& params) {
  task::RunKey run{params.text("task"), static_cast<int>(params.number("attempt").value_or(0)),
                   static_cast<int>(params.number("hop").value_or(-1))};
  if (run.task.empty()) return bad("\"task\" must be the id of a task.");
  if (run.attempt < 1) return bad("\"attempt\" must be a number from 1 on.");
  if (run.hop < 0) return bad("\"hop\" must be a number from 0 on.");
  return run;
}

std::optional<task::TabInfo> read_tab(Fields const& params) {
  auto const tab = params.object("tab");
  if (!tab) return std::nullopt;
  return task::TabInfo{tab->number("id").value_or(-1), tab->text("url"), tab->text("title")};
}

std::vector<task::Hold> read_holds(Fields const& params) {
  std::vector<task::Hold> holds;
  for (auto const& hold : params.objects("holds")) {
    auto run = read_run(hold);
    auto const phase = phase_from(hold.text("state"));
    if (run && phase) holds.push_back({std::move(*run), *phase});
  }
  return holds;
}

Capabilities read_capabilities(Fields const& params) {
  auto const said = params.object("capabilities").value_or(Fields());
  return {.user_scripts = said.flag("user_scripts"),
          .debugger = said.flag("debugger"),
          .incognito = said.flag("incognito"),
          .file_urls = said.flag("file_urls"),
          .all_sites = !said.has("all_sites") || said.flag("all_sites"),
          .javascript = !said.has("javascript") || said.flag("javascript")};
}

int read_ordinary_tabs(Fields const& params) {
  auto const tabs = params.object("tabs");
  return tabs ? static_cast<int>(tabs->number("ordinary").value_or(-1)) : -1;
}

task::ConsoleLine read_console(Fields const& params, Millis wall) {
  return {wall, params.text("level"), params.text("text"), static_cast<int>(params.number("line").value_or(0)),
          static_cast<int>(params.number("column").value_or(0))};
}

log::Level read_level(std::string_view level) {
  if (level == "error") return log::Level::error;
  if (level == "warn" || level == "warning") return log::Level::warn;
  if (level == "debug") return log::Level::debug;
  return log::Level::info;
}

std::optional<Millis> read_time(Fields const& object, std::string_view name) {
  if (auto const number = object.number(name)) return number;
  auto const text = object.text(name);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, milli = 0;
  auto const* format = "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ";
  if (std::sscanf(text.c_str(), format, &year, &month, &day, &hour, &minute, &second, &milli) < 6) {
    return std::nullopt;
  }
  auto const date = std::chrono::year(year) / month / day;
  if (!date.ok()) return std::nullopt;
  auto const days = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(days).count() +
         ((hour * 60 + minute) * 60 + second) * Millis{1000} + milli;
}

Result<StartAnswer> read_start_answer(std::string_view result) {
  auto const fields = Fields::read(result);
  if (!fields) return fields.error();
  StartAnswer answer;
  answer.busy = fields->number("busy");
  if (answer.busy) return answer;
  auto tab = read_tab(*fields);
  if (!fields->flag("accepted") || !tab) {
    return bad("the answer to task.start is neither {\"accepted\", \"tab\"} nor {\"busy\"}.");
  }
  answer.tab = std::move(*tab);
  return answer;
}

Result<Finish> read_finish(std::string_view text) {
  auto const params = Fields::read(text);
  if (!params) return params.error();
  auto run = read_run(*params);
  if (!run) return run.error();
  Finish finish{std::move(*run), {}};

  task::Outcome& outcome = finish.outcome;
  outcome.injection = task::injection_from(params->text("injection")).value_or(task::Injection::none);
  outcome.tab = read_tab(*params);
  outcome.started = read_started(*params);
  auto const kind = params->text("outcome");
  auto const value = params->raw("value");
  if (kind == "value" && value.size() <= max_result) {
    if (!value.empty()) outcome.value.emplace(value);
  } else if (kind == "next") {
    outcome.kind = task::Outcome::Kind::next;
    outcome.url = params->text("url");
    if (params->has("state")) outcome.state = params->raw("state");
  } else {
    outcome.kind = task::Outcome::Kind::error;
    if (kind == "error") {
      outcome.error = read_task_error(*params);
    } else if (kind == "value") {
      outcome.error = {ErrorName::ResultTooLargeError,
                       "The result is " + std::to_string(value.size()) +
                           " bytes of JSON; at most 128 MiB can be kept. Return less, or in parts."};
    } else {
      outcome.error = {ErrorName::InternalError, "The extension ended the task with the outcome \"" + kind +
                                                     "\", which the daemon does not know; see `any doctor`."};
    }
  }
  auto const screenshot = params->raw("screenshot");  // base64 has nothing to unescape
  if (screenshot.size() > 2 && screenshot.starts_with('"')) {
    outcome.screenshot = from_base64(screenshot.substr(1, screenshot.size() - 2)).value_or("");
  }
  return finish;
}

}  // namespace any::browser
