// Browsers and their tabs.
#include <boost/json/serialize.hpp>

#include "api/ops/table.hpp"
#include "api/shape.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

/// A chrome.* call may wait for the person (permissions.request, downloads with a dialog).
constexpr Millis chrome_timeout = 120'000;
constexpr Millis tabs_timeout = 10'000;

json::value member(json::object const& object, std::string_view key, json::value const& fallback) {
  auto const* found = object.if_contains(key);
  return found != nullptr && !found->is_null() ? *found : fallback;
}

Answer json_answer(json::value const& body) {
  Answer answer;
  answer.body = json::serialize(body);
  return answer;
}

json::object info_json(Services const& services, browser::Info const& info) {
  return browser_json(info, services.tasks.running_on(info.id), services.cdp.counts(info.id));
}

/// The browser of that id or label if it is linked.
Result<browser::Info> linked(Services const& services, std::string const& name) {
  auto found = services.browsers.find(name);
  if (found.has_value() && !found.value().linked) {
    return Error{
        ErrorName::NoBrowserError,
        "browser \"" + found.value().label + "\" is not linked now; start it, and see its extension's popup if it runs",
        {}};
  }
  return found;
}

Async<Result<Answer>> list(Call call) {
  auto const& services = call.context.services;
  json::array all;
  for (auto const& info : services.browsers.list()) all.push_back(info_json(services, info));
  co_return json_answer(json::object{{"browsers", std::move(all)}});
}

Async<Result<Answer>> label(Call call) {
  auto const& services = call.context.services;
  auto const found = services.browsers.find(call.in.text("id"));
  if (found.has_error()) co_return found.error();
  auto const labelled = co_await services.browsers.set_label(found.value().id, call.in.text("label"));
  if (labelled.has_error()) co_return labelled.error();
  co_return json_answer(info_json(services, labelled.value()));
}

Async<Result<Answer>> forget(Call call) {
  auto& browsers = call.context.services.browsers;
  auto const found = browsers.find(call.in.text("id"));
  if (found.has_error()) co_return found.error();
  auto const gone = co_await browsers.forget(found.value().id);
  if (gone.has_error()) co_return gone.error();
  Answer answer;
  answer.status = 204;
  co_return answer;
}

/// Any chrome.* call.
Async<Result<Answer>> chrome(Call call) {
  auto& browsers = call.context.services.browsers;
  auto const found = linked(call.context.services, call.in.text("id"));
  if (found.has_error()) co_return found.error();
  auto args = call.in.take("args");
  if (args.is_null()) args = json::array();
  auto params = json::serialize(json::object{{"path", call.in.text("path")}, {"args", std::move(args)}});
  auto const result = co_await browsers.call(found.value().id, "chrome.call", std::move(params), chrome_timeout);
  if (result.has_error()) co_return result.error();
  auto const members = wire::members(result.value());
  if (members.has_error()) co_return members.error();
  auto const value = wire::member(members.value(), "value");
  Answer answer;
  answer.body = "{\"result\":";
  answer.body.append(value.empty() ? "null" : value).append("}");
  co_return answer;
}

Async<Result<Answer>> reload(Call call) {
  auto& browsers = call.context.services.browsers;
  auto const found = linked(call.context.services, call.in.text("id"));
  if (found.has_error()) co_return found.error();
  auto const result = co_await browsers.call(found.value().id, "extension.reload", "{}", tabs_timeout);
  if (result.has_error()) co_return result.error();
  co_return Answer();
}

Async<Result<Answer>> wait(Call call) {
  auto const& services = call.context.services;
  auto const timeout = call.in.seconds("timeout", longest_wait).value_or(longest_wait);
  auto const found = co_await services.browsers.wait_for_any(timeout);
  if (found.has_error()) co_return found.error();
  co_return json_answer(info_json(services, found.value()));
}

/// What a chrome.* call answers, read.
Async<Result<json::value>> ask(browser::Browsers& browsers, std::string browser, std::string path, json::array args) {
  auto params = json::serialize(json::object{{"path", std::move(path)}, {"args", std::move(args)}});
  auto result = co_await browsers.call(std::move(browser), "chrome.call", std::move(params), tabs_timeout);
  if (result.has_error()) co_return result.error();
  wire::JsonLimits const limits{wire::max_payload_depth};
  auto parsed = wire::parse_strict(result.value(), limits);
  if (parsed.has_error()) co_return parsed.error();
  auto const* object = parsed.value().if_object();
  auto const* value = object != nullptr ? object->if_contains("value") : nullptr;
  co_return value != nullptr ? *value : json::value();
}

Async<Result<void>> tabs_of(browser::Browsers& browsers, std::string browser, json::array& into) {
  json::array every;
  every.emplace_back(json::object());
  auto tabs = co_await ask(browsers, browser, "tabs.query", std::move(every));
  if (tabs.has_error()) co_return tabs.error();
  json::array none;
  auto windows = co_await ask(browsers, browser, "windows.getAll", std::move(none));
  if (windows.has_error()) co_return windows.error();
  std::int64_t focused = -1;
  if (auto const* all = windows.value().if_array()) {
    for (auto const& window : *all) {
      auto const* object = window.if_object();
      if (object == nullptr || member(*object, "focused", false) != json::value(true)) continue;
      auto const id = member(*object, "id", -1);
      if (id.is_int64()) focused = id.get_int64();
    }
  }
  auto const* all = tabs.value().if_array();
  if (all == nullptr)
    co_return Error{ErrorName::ProtocolError, "the browser did not answer chrome.tabs.query with a list", {}};
  for (auto const& entry : *all) {
    auto const* tab = entry.if_object();
    if (tab == nullptr) continue;
    auto const window = member(*tab, "windowId", -1);
    auto const used = member(*tab, "lastAccessed", nullptr);
    json::object out;
    out["browser"] = browser;
    out["id"] = member(*tab, "id", -1);
    out["window"] = window;
    // Of a tab that has no page yet, or whose first never came, Chrome knows where it was sent.
    auto const url = member(*tab, "url", "");
    out["url"] = url == json::value("") ? member(*tab, "pendingUrl", "") : url;
    out["title"] = member(*tab, "title", "");
    out["active"] = member(*tab, "active", false);
    out["focused"] = out["active"] == json::value(true) && window == json::value(focused);
    out["discarded"] = member(*tab, "discarded", false);
    out["incognito"] = member(*tab, "incognito", false);
    out["status"] = member(*tab, "status", "");
    out["last_used"] = used.is_number() ? time_json(static_cast<Millis>(used.to_number<double>())) : json::value();
    into.push_back(std::move(out));
  }
  co_return Result<void>();
}

Async<Result<Answer>> list_tabs(Call call) {
  auto const& services = call.context.services;
  std::vector<std::string> asked;
  if (auto const name = call.in.optional_text("browser")) {
    auto const found = linked(services, *name);
    if (found.has_error()) co_return found.error();
    asked.push_back(found.value().id);
  } else {
    for (auto const& info : services.browsers.list()) {
      if (info.linked && !info.prototype) asked.push_back(info.id);
    }
  }
  json::array tabs, errors;
  for (auto const& id : asked) {
    auto const listed = co_await tabs_of(services.browsers, id, tabs);
    if (listed.has_value()) continue;
    // One browser that does not answer does not hide the tabs of the others.
    if (asked.size() == 1) co_return listed.error();
    errors.push_back(json::object{{"browser", id}, {"error", to_json(listed.error())}});
  }
  json::object out{{"tabs", std::move(tabs)}};
  if (!errors.empty()) out["errors"] = std::move(errors);
  co_return json_answer(out);
}

constexpr char const* one_browser = R"({
  "properties": {"id": {"$ref": "#/components/schemas/BrowserName"}},
  "required": ["id"],
  "additionalProperties": false
})";

}  // namespace

std::vector<Operation> browser_operations() {
  Reply const not_found{404, "NotFoundError"};
  Reply const disk{507, "DiskFullError"};
  Reply const no_browser{503, "NoBrowserError, BrowserLostError and their like"};
  Reply const in_browser{502, "the browser's own error"};  // what chrome.* throws, or a call that is never answered
  return {
      {.name = "browsers.list",
       .about = "The browsers that the daemon knows.",
       .effect = Effect::reads,
       .output = "Browsers",
       .route = {"GET", "/v1/browsers"},
       .run = &list},
      {.name = "browsers.wait",
       .about = "The linked browser that was used last, else the next one to link.",
       .effect = Effect::reads,
       .input = R"({
         "properties": {"timeout": {"type": ["number", "null"], "minimum": 0, "description": "seconds to wait for one; more than 300 count as 300"}},
         "additionalProperties": false
       })",
       .output = "Browser",
       .run = &wait},
      {.name = "browsers.label",
       .about = "Gives a browser a label.",
       .effect = Effect::repeatable,
       .input = R"({
         "properties": {
           "id": {"$ref": "#/components/schemas/BrowserName"},
           "label": {"type": "string", "maxLength": 100, "description": "empty: the browser's own again"}
         },
         "required": ["id", "label"],
         "additionalProperties": false
       })",
       .output = "Browser",
       .route = {"PATCH", "/v1/browsers/{id}"},
       .replies = {not_found, {409, "ConflictError: another browser has that label"}, disk},
       .run = &label},
      {.name = "browsers.forget",
       .about = "Forgets a browser that is not linked.",
       .effect = Effect::repeatable,
       .input = one_browser,
       .output = "Empty",
       .route = {"DELETE", "/v1/browsers/{id}"},
       .replies = {{204, "forgotten", "", ""}, not_found, {409, "ConflictError: it is linked"}, disk},
       .run = &forget},
      {.name = "browsers.chrome",
       .about = "Any chrome.* call.",
       .input = R"({
         "properties": {
           "id": {"$ref": "#/components/schemas/BrowserName"},
           "path": {"type": "string", "examples": ["tabs.query"]},
           "args": {"type": ["array", "null"]}
         },
         "required": ["id", "path"],
         "additionalProperties": false
       })",
       .output = "ChromeResult",
       .route = {"POST", "/v1/browsers/{id}/chrome"},
       .replies = {not_found, {422, "the call's own error"}, in_browser, no_browser},
       .run = &chrome},
      {.name = "browsers.reload",
       .about = "Has the extension reload itself.",
       .input = one_browser,
       .output = "Empty",
       .route = {"POST", "/v1/browsers/{id}/reload"},
       .replies = {not_found, in_browser, no_browser},
       .run = &reload},
      {.name = "tabs.list",
       .about = "The tabs of one browser, or of all that are linked.",
       .effect = Effect::reads,
       .input = R"({
         "properties": {"browser": {"type": ["string", "null"], "description": "id or label"}},
         "additionalProperties": false
       })",
       .output = "Tabs",
       .route = {"GET", "/v1/tabs"},
       .replies = {not_found, in_browser, no_browser},
       .run = &list_tabs},
  };
}

}  // namespace any::api
