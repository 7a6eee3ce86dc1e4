#include "service/task_log.hpp"

#include <algorithm>
#include <cstdio>

#include "base/log.hpp"

namespace any::service {
namespace {

/// "1.25 s"
std::string seconds(Millis duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(std::max<Millis>(duration, 0)) / 1000);
  return text;
}

std::string asked(task::Request const& request) {
  std::string text;
  switch (request.tab.kind) {
    case task::TabSpec::Kind::active:
      text = "the active tab";
      break;
    case task::TabSpec::Kind::id:
      text = "tab " + std::to_string(request.tab.id);
      break;
    case task::TabSpec::Kind::url:
      text = "the tab that matches " + request.tab.url;
      break;
    case task::TabSpec::Kind::open:
      text = "a new tab at " + request.tab.url;
      break;
  }
  if (request.browser) text += " of browser " + *request.browser;
  return text;
}

std::string hop_number(task::Record const& record) {
  return record.hop == 0 ? std::string() : " (hop " + std::to_string(record.hop) + ")";
}

/// The reason why the newest attempt ended.
std::string reason(task::Record const& record) {
  for (auto attempt = record.attempts.rbegin(); attempt != record.attempts.rend(); ++attempt) {
    if (attempt->error) return std::string(to_string(attempt->error->name)) + ": " + attempt->error->message;
  }
  return "";
}

void log_event(std::string_view kind, task::Record const& record) {
  log::About const about{.task = record.request.id, .browser = record.browser};
  if (kind == "started") {
    std::string text = "started";
    if (record.tab) text += " in tab " + std::to_string(record.tab->id) + ", " + record.tab->url;
    if (record.injection != task::Injection::none) text.append(", by ").append(to_string(record.injection));
    log::info(text + hop_number(record), about);
  } else if (kind == "hop") {
    log::info("goes on at " + record.hop_url + hop_number(record), about);
  } else if (kind == "requeued") {
    log::info("back in the queue: " + reason(record), about);
  } else if (kind == "retry") {
    log::warn("is tried again: " + reason(record), about);
  }
}

void log_end(task::Record const& record) {
  log::About const about{.task = record.request.id, .browser = record.browser};
  std::string text(to_string(record.state));
  text += " after " + seconds(record.ended.value_or(record.created) - record.created);
  if (record.error) text.append(": ").append(to_string(record.error->name)).append(": ").append(record.error->message);
  log::write(record.state == task::State::failed ? log::Level::warn : log::Level::info, text, about);
}

/// A step writes the record of each task that it tells an event of: behind its events where it ended, else before them.
task::Record const* record_of(std::vector<task::Write> const& writes, std::size_t event, std::string const& task) {
  for (auto at = event; at < writes.size(); ++at) {
    auto const* finish = std::get_if<task::FinishTask>(&writes[at]);
    if (finish != nullptr && finish->record.request.id == task) return &finish->record;
    if (finish == nullptr && !std::holds_alternative<task::AppendEvent>(writes[at])) break;  // the next step
  }
  for (auto at = event; at-- > 0;) {
    auto const* update = std::get_if<task::UpdateTask>(&writes[at]);
    if (update != nullptr && update->record.request.id == task) return &update->record;
  }
  return nullptr;
}

}  // namespace

void log_steps(std::vector<task::Write> const& writes) {
  if (!log::takes(log::Level::warn)) return;
  bool const info = log::takes(log::Level::info);
  for (std::size_t at = 0; at < writes.size(); ++at) {
    if (auto const* insert = std::get_if<task::InsertTask>(&writes[at])) {
      if (!info) continue;
      auto const& request = insert->record.request;
      log::info("accepted: " + request.file + ", for " + asked(request), {.task = request.id});
    } else if (auto const* finish = std::get_if<task::FinishTask>(&writes[at])) {
      log_end(finish->record);
    } else if (auto const* append = std::get_if<task::AppendEvent>(&writes[at])) {
      auto const& kind = append->event.kind;
      if (kind != "started" && kind != "hop" && kind != "requeued" && kind != "retry") continue;
      if (auto const* record = record_of(writes, at, append->task)) log_event(kind, *record);
    }
  }
}

}  // namespace any::service
