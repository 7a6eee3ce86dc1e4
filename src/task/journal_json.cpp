// A record as the journal's compact text and back. Names are short: there may be a million of them.

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "task/json.hpp"

namespace any::task {
namespace {

namespace json = boost::json;

json::value maybe(std::optional<Millis> const& value) {
  return value ? json::value(*value) : json::value(nullptr);
}
std::optional<Millis> maybe(json::object const& from, std::string_view key) {
  auto const* value = from.if_contains(key);
  return value && value->is_int64() ? std::optional<Millis>{value->get_int64()} : std::nullopt;
}
std::string text(json::object const& from, std::string_view key, std::string_view otherwise = {}) {
  auto const* value = from.if_contains(key);
  return std::string{value ? std::string_view{value->as_string()} : otherwise};
}
std::int64_t number(json::object const& from, std::string_view key, std::int64_t otherwise = 0) {
  auto const* value = from.if_contains(key);
  return value ? value->to_number<std::int64_t>() : otherwise;
}
bool flag(json::object const& from, std::string_view key) {
  auto const* value = from.if_contains(key);
  return value && value->as_bool();
}

json::object line_json(ConsoleLine const& line) {
  return {{"t", line.time}, {"l", line.level}, {"x", line.text}, {"n", line.line}, {"c", line.column}};
}

json::object attempt_json(Attempt const& attempt) {
  json::object out{{"n", attempt.number}, {"b", attempt.browser}, {"d", attempt.dispatched}};
  if (attempt.started) out["s"] = *attempt.started;
  if (attempt.ended) out["e"] = *attempt.ended;
  if (attempt.error) out["x"] = to_json(*attempt.error);
  if (!attempt.instance.empty()) out["i"] = attempt.instance;
  if (attempt.requeued) out["r"] = true;
  return out;
}

Attempt attempt_from(json::object const& from) {
  Attempt attempt;
  attempt.number = static_cast<int>(number(from, "n", 1));
  attempt.browser = text(from, "b");
  attempt.dispatched = number(from, "d");
  attempt.started = maybe(from, "s");
  attempt.ended = maybe(from, "e");
  if (auto const* error = from.if_contains("x")) attempt.error = error_from_json(error->as_object());
  attempt.instance = text(from, "i");
  attempt.requeued = flag(from, "r");
  return attempt;
}

json::object request_json(Request const& request) {
  json::object out{{"id", request.id}, {"file", request.file}};
  if (request.browser) out["browser"] = *request.browser;
  out["tab"] = json::array{static_cast<int>(request.tab.kind), request.tab.id, request.tab.url, request.tab.background,
                           request.tab.keep};
  out["frame"] = json::array{static_cast<int>(request.frame.kind), request.frame.id, request.frame.url};
  out["world"] = to_string(request.world);
  out["timeout"] = maybe(request.timeout);
  out["queue"] = maybe(request.queue_timeout);
  if (request.retries) out["retries"] = request.retries;
  if (request.priority) out["priority"] = request.priority;
  if (!request.labels.empty()) {
    json::object labels;
    for (auto const& [key, value] : request.labels) labels[key] = value;
    out["labels"] = std::move(labels);
  }
  if (request.door == Door::prototype) out["door"] = "prototype";
  return out;
}

Request request_from(json::object const& from) {
  Request request;
  request.id = text(from, "id");
  request.args.clear();
  request.file = text(from, "file");
  if (auto const* browser = from.if_contains("browser"))
    request.browser = std::string{std::string_view{browser->as_string()}};
  auto const& tab = from.at("tab").as_array();
  request.tab = {static_cast<TabSpec::Kind>(tab.at(0).as_int64()), tab.at(1).as_int64(),
                 std::string{std::string_view{tab.at(2).as_string()}}, tab.at(3).as_bool(), tab.at(4).as_bool()};
  auto const& frame = from.at("frame").as_array();
  request.frame = {static_cast<FrameSpec::Kind>(frame.at(0).as_int64()), frame.at(1).as_int64(),
                   std::string{std::string_view{frame.at(2).as_string()}}};
  request.world = world_from(text(from, "world")).value_or(World::main);
  request.timeout = maybe(from, "timeout");
  request.queue_timeout = maybe(from, "queue");
  request.retries = static_cast<int>(number(from, "retries"));
  request.priority = static_cast<int>(number(from, "priority"));
  if (auto const* labels = from.if_contains("labels"))
    for (auto const& member : labels->as_object())
      request.labels[std::string{std::string_view{member.key()}}] =
          std::string{std::string_view{member.value().as_string()}};
  if (text(from, "door") == "prototype") request.door = Door::prototype;
  return request;
}

Record record_from(json::object const& from) {
  Record record;
  record.request = request_from(from.at("request").as_object());
  record.state = state_from(text(from, "state")).value();
  if (auto const* error = from.if_contains("error")) record.error = error_from_json(error->as_object());
  record.result_type = text(from, "result_type");
  record.injection = injection_from(text(from, "injection")).value_or(Injection::none);
  record.browser = text(from, "browser");
  if (auto const* tab = from.if_contains("tab")) {
    auto const& array = tab->as_array();
    record.tab = TabInfo{array.at(0).as_int64(), std::string{std::string_view{array.at(1).as_string()}},
                         std::string{std::string_view{array.at(2).as_string()}}};
  }
  if (auto const* attempts = from.if_contains("attempts"))
    for (auto const& attempt : attempts->as_array()) record.attempts.push_back(attempt_from(attempt.as_object()));
  record.hop = static_cast<int>(number(from, "hop"));
  record.hop_url = text(from, "hop_url");
  record.hop_state = text(from, "hop_state", "null");
  record.opened_tab = flag(from, "opened");
  record.hop_due = flag(from, "due");
  record.cancelling = flag(from, "cancelling");
  if (auto const* console = from.if_contains("console"))
    for (auto const& entry : console->as_array()) {
      auto const& line = entry.as_object();
      record.console.push_back({number(line, "t"), text(line, "l"), text(line, "x"),
                                static_cast<int>(number(line, "n")), static_cast<int>(number(line, "c"))});
    }
  record.progress = text(from, "progress");
  record.created = number(from, "created");
  record.started = maybe(from, "started");
  record.ended = maybe(from, "ended");
  record.has_screenshot = flag(from, "screenshot");
  record.last_seq = static_cast<std::uint64_t>(number(from, "seq"));
  return record;
}

}  // namespace

std::string to_journal(Record const& record) {
  json::object out{{"request", request_json(record.request)}, {"state", to_string(record.state)}};
  if (record.error) out["error"] = to_json(*record.error);
  if (!record.result_type.empty()) out["result_type"] = record.result_type;
  if (record.injection != Injection::none) out["injection"] = to_string(record.injection);
  if (!record.browser.empty()) out["browser"] = record.browser;
  if (record.tab) out["tab"] = json::array{record.tab->id, record.tab->url, record.tab->title};
  json::array attempts;
  for (auto const& attempt : record.attempts) attempts.push_back(attempt_json(attempt));
  if (!attempts.empty()) out["attempts"] = std::move(attempts);
  if (record.hop) {
    out["hop"] = record.hop;
    out["hop_url"] = record.hop_url;
    out["hop_state"] = record.hop_state;  // JSON inside a string: kept to the letter
  }
  if (record.opened_tab) out["opened"] = true;
  if (record.hop_due) out["due"] = true;
  if (record.cancelling) out["cancelling"] = true;
  json::array console;
  for (auto const& line : record.console) console.push_back(line_json(line));
  if (!console.empty()) out["console"] = std::move(console);
  if (!record.progress.empty()) out["progress"] = record.progress;
  out["created"] = record.created;
  if (record.started) out["started"] = *record.started;
  if (record.ended) out["ended"] = *record.ended;
  if (record.has_screenshot) out["screenshot"] = true;
  out["seq"] = static_cast<std::int64_t>(record.last_seq);
  return json::serialize(out);
}

Result<Record> from_journal(std::string_view source) {
  try {
    json::parse_options options;
    options.max_depth = 100'000;
    options.allow_invalid_utf8 = true;
    return record_from(json::parse({source.data(), source.size()}, {}, options).as_object());
  } catch (std::exception const& e) {
    return Error{ErrorName::InternalError, std::string{"a task's entry in the journal is damaged ("} + e.what() + ")"};
  }
}

void fold(Record& record, Event const& event) {
  if (event.seq <= record.last_seq) return;
  record.last_seq = event.seq;
  if (event.kind == "progress") {
    constexpr std::string_view head = "{\"value\":";
    if (event.data.starts_with(head) && event.data.ends_with("}"))
      record.progress = event.data.substr(head.size(), event.data.size() - head.size() - 1);
  } else if (event.kind == "console") {
    json::error_code failed;
    auto const data = json::parse(event.data, failed);
    if (failed || !data.is_object()) return;
    auto const& line = data.get_object();
    auto const whole = [&](std::string_view key) { return static_cast<int>(maybe(line, key).value_or(0)); };
    record.console.push_back({event.time, text(line, "level"), text(line, "text"), whole("line"), whole("column")});
  }
}

}  // namespace any::task
