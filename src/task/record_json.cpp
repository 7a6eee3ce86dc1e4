// The record and the events as the doors give them. Values of scripts are put in as they came, never parsed again.

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "task/json.hpp"

namespace any::task {
namespace {

namespace json = boost::json;

std::string seconds_text(std::optional<Millis> const& millis) {
  if (!millis) return "null";
  if (*millis % 1000 == 0) return std::to_string(*millis / 1000);
  return json::serialize(json::value(static_cast<double>(*millis) / 1000));
}

std::string time_text(std::optional<Millis> const& wall) {
  return wall ? '"' + iso_time(*wall) + '"' : "null";
}

std::string error_text(std::optional<Error> const& error) {
  return error ? json::serialize(to_json(*error)) : "null";
}

std::string text_or_null(std::string_view text) {
  return text.empty() ? "null" : json_text(text);
}

std::string target_text(TabSpec const& tab) {
  switch (tab.kind) {
    case TabSpec::Kind::active:
      return "\"active\"";
    case TabSpec::Kind::id:
      return std::to_string(tab.id);
    case TabSpec::Kind::url:
      return "{\"url\":" + json_text(tab.url) + "}";
    case TabSpec::Kind::open:
      break;
  }
  return "{\"open\":" + json_text(tab.url) + ",\"background\":" + (tab.background ? "true" : "false") +
         ",\"keep\":" + (tab.keep ? "true" : "false") + "}";
}

std::string frame_text(FrameSpec const& frame) {
  switch (frame.kind) {
    case FrameSpec::Kind::main:
      return "\"main\"";
    case FrameSpec::Kind::all:
      return "\"all\"";
    case FrameSpec::Kind::id:
      return std::to_string(frame.id);
    case FrameSpec::Kind::url:
      break;
  }
  return "{\"url\":" + json_text(frame.url) + "}";
}

std::string labels_text(std::map<std::string, std::string> const& labels) {
  std::string out = "{";
  for (auto const& [key, value] : labels) out += (out.size() > 1 ? "," : "") + json_text(key) + ":" + json_text(value);
  return out + "}";
}

std::string line_members(ConsoleLine const& line) {
  return "\"level\":" + json_text(line.level) + ",\"text\":" + json_text(line.text) +
         ",\"line\":" + (line.line > 0 ? std::to_string(line.line) : "null") +
         ",\"column\":" + (line.column > 0 ? std::to_string(line.column) : "null") + "}";
}

std::string attempts_text(std::vector<Attempt> const& attempts) {
  std::string out = "[";
  for (auto const& attempt : attempts) {
    if (out.size() > 1) out += ',';
    out += "{\"number\":" + std::to_string(attempt.number) + ",\"dispatched\":" + time_text(attempt.dispatched) +
           ",\"started\":" + time_text(attempt.started) + ",\"ended\":" + time_text(attempt.ended) +
           ",\"browser\":" + text_or_null(attempt.browser) + ",\"error\":" + error_text(attempt.error) + "}";
  }
  return out + "]";
}

/// Members in the order of their names, at every depth.
void sort_members(json::value& value) {
  if (auto* array = value.if_array()) {
    for (auto& element : *array) sort_members(element);
  } else if (auto* object = value.if_object()) {
    std::map<std::string, json::value> sorted;
    for (auto& member : *object) {
      sort_members(member.value());
      sorted.emplace(std::string{member.key().data(), member.key().size()}, std::move(member.value()));
    }
    object->clear();
    for (auto& [key, element] : sorted) object->emplace(key, std::move(element));
  }
}

json::parse_options deep() {
  json::parse_options options;
  options.max_depth = 100'000;
  return options;
}

std::string record_text(Record const& record, bool full, std::optional<std::string_view> result) {
  auto const& request = record.request;
  std::string out = "{\"id\":" + json_text(request.id) + ",\"state\":" + json_text(to_string(record.state));
  if (result) {
    out += ",\"result\":";
    out += result->empty() ? "null" : *result;
  } else if (full) {
    out += ",\"result\":null";
  }
  out += ",\"result_type\":" + text_or_null(record.result_type) + ",\"error\":" + error_text(record.error) +
         ",\"injection\":" + text_or_null(to_string(record.injection)) +
         ",\"browser\":" + text_or_null(record.browser) + ",\"tab\":";
  if (record.tab)
    out += "{\"id\":" + std::to_string(record.tab->id) + ",\"url\":" + json_text(record.tab->url) +
           ",\"title\":" + json_text(record.tab->title) + "}";
  else
    out += "null";
  out += ",\"attempts\":" + attempts_text(record.attempts) + ",\"hops\":" + std::to_string(record.hop) +
         ",\"state_value\":" + (record.hop_state.empty() ? "null" : record.hop_state) +
         ",\"progress\":" + (record.progress.empty() ? "null" : record.progress);
  if (full) {
    out += ",\"console\":[";
    bool first = true;
    for (auto const& line : record.console) {
      out += std::string{first ? "" : ","} + "{\"time\":" + time_text(line.time) + "," + line_members(line);
      first = false;
    }
    out += "]";
  }
  out += ",\"created\":" + time_text(record.created) + ",\"started\":" + time_text(record.started) +
         ",\"ended\":" + time_text(record.ended) + ",\"waiting_for\":" + text_or_null(record.waiting_for) +
         ",\"screenshot\":" + (record.has_screenshot ? json_text("/v1/tasks/" + request.id + "/screenshot") : "null") +
         ",\"file\":" + json_text(request.file);
  if (full) out += ",\"args\":" + (request.args.empty() ? "null" : request.args);
  out += ",\"frame\":" + frame_text(request.frame) + ",\"world\":" + json_text(to_string(request.world)) +
         ",\"target\":" + target_text(request.tab) + ",\"timeout\":" + seconds_text(request.timeout) +
         ",\"queue_timeout\":" + seconds_text(request.queue_timeout) +
         ",\"retries\":" + std::to_string(request.retries) + ",\"priority\":" + std::to_string(request.priority) +
         ",\"labels\":" + labels_text(request.labels) + "}";
  return out;
}

}  // namespace

std::string json_text(std::string_view text) {
  // json::serialize passes bytes on as they are; the doors and the journal want UTF-8.
  std::string clean;
  std::size_t i = 0;
  bool changed = false;
  auto const at = [&](std::size_t n) { return n < text.size() ? static_cast<unsigned char>(text[n]) : 0U; };
  while (i < text.size()) {
    auto const c = at(i);
    std::size_t length = 1;
    bool good = c < 0x80;
    if (c >= 0xC2 && c <= 0xDF) length = 2;
    if (c >= 0xE0 && c <= 0xEF) length = 3;
    if (c >= 0xF0 && c <= 0xF4) length = 4;
    if (length > 1) {
      good = true;
      for (std::size_t n = 1; n < length; ++n) good = good && (at(i + n) & 0xC0U) == 0x80U;
      if (c == 0xE0) good = good && at(i + 1) >= 0xA0;
      if (c == 0xED) good = good && at(i + 1) < 0xA0;
      if (c == 0xF0) good = good && at(i + 1) >= 0x90;
      if (c == 0xF4) good = good && at(i + 1) < 0x90;
    }
    if (!good && !changed) {
      clean.assign(text.substr(0, i));
      changed = true;
    }
    if (!good) {
      clean += "\xEF\xBF\xBD";
      ++i;
      continue;
    }
    if (changed) clean.append(text.substr(i, length));
    i += length;
  }
  auto const& out = changed ? std::string_view{clean} : text;
  return json::serialize(json::string_view{out.data(), out.size()});
}

std::string console_data(ConsoleLine const& line) {
  return "{" + line_members(line);
}

std::string request_to_canonical(Request const& request) {
  json::error_code failed;
  auto args = json::parse(request.args, failed, {}, deep());
  if (!failed) sort_members(args);
  return "{\"script\":" + json_text(request.script) + ",\"args\":" + (failed ? request.args : json::serialize(args)) +
         ",\"file\":" + json_text(request.file) +
         ",\"browser\":" + (request.browser ? json_text(*request.browser) : "null") +
         ",\"tab\":" + target_text(request.tab) + ",\"frame\":" + frame_text(request.frame) +
         ",\"world\":" + json_text(to_string(request.world)) + ",\"timeout\":" + seconds_text(request.timeout) +
         ",\"queue_timeout\":" + seconds_text(request.queue_timeout) +
         ",\"retries\":" + std::to_string(request.retries) + ",\"priority\":" + std::to_string(request.priority) +
         ",\"labels\":" + labels_text(request.labels) +
         ",\"door\":" + (request.door == Door::prototype ? "\"prototype\"}" : "\"v1\"}");
}

std::string record_to_json(Record const& record, std::optional<std::string_view> result) {
  return record_text(record, true, result);
}

std::string summary_to_json(Record const& record) {
  return record_text(record, false, std::nullopt);
}

std::string event_to_json(Event const& event) {
  std::string out = "{\"seq\":" + std::to_string(event.seq) + ",\"time\":" + time_text(event.time) +
                    ",\"kind\":" + json_text(event.kind);
  if (!event.journaled) out += ",\"live\":true";
  auto const open = event.data.find('{');
  auto const rest = open == std::string::npos ? std::string_view{"}"} : std::string_view{event.data}.substr(open + 1);
  auto const first = rest.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && rest[first] != '}') out += ',';
  return out.append(rest);
}

}  // namespace any::task
