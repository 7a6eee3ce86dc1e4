// Browsers and their tabs.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/operations.hpp"
#include "api/shape.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

/// A chrome.* call may wait for the person (permissions.request, downloads with a dialog).
constexpr Millis chrome_timeout = 120'000;
constexpr Millis tabs_timeout = 10'000;

json::value member(json::object const& object, std::string_view key, json::value fallback) {
  auto const* found = object.if_contains(key);
  return found != nullptr && !found->is_null() ? *found : fallback;
}

std::ptrdiff_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

Error not_linked(browser::Info const& info) {
  return Error{ErrorName::NoBrowserError,
               "browser \"" + info.label + "\" is not linked now; start it, and see its extension's popup if it runs",
               {}};
}

}  // namespace

json::object Operations::told(browser::Info const& info) const {
  return browser_json(info, services_.tasks.running_on(info.id), services_.cdp.counts(info.id));
}

Async<Result<Answer>> Operations::browsers_list(Fields in) {
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  json::array all;
  for (auto const& info : services_.browsers.list()) all.push_back(told(info));
  Answer answer;
  answer.json = json::serialize(json::object{{"browsers", std::move(all)}});
  co_return answer;
}

Async<Result<Answer>> Operations::browsers_label(Fields in) {
  auto const name = in.text("id");
  auto label = in.text("label");
  if (characters(label) > 100) in.fail(bad_field("label", "must not be longer than 100 characters"));
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto found = services_.browsers.find(name);
  if (found.has_error()) co_return found.error();
  auto id = found.value().id;
  auto labelled = co_await services_.browsers.set_label(std::move(id), std::move(label));
  if (labelled.has_error()) co_return labelled.error();
  Answer answer;
  answer.json = json::serialize(told(labelled.value()));
  co_return answer;
}

Async<Result<Answer>> Operations::browsers_forget(Fields in) {
  auto const name = in.text("id");
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto found = services_.browsers.find(name);
  if (found.has_error()) co_return found.error();
  auto id = found.value().id;
  auto const gone = co_await services_.browsers.forget(std::move(id));
  if (gone.has_error()) co_return gone.error();
  co_return Answer();
}

Async<Result<Answer>> Operations::browsers_chrome(Fields in) {
  auto const name = in.text("id");
  auto path = in.text("path");
  auto args = in.value("args");
  if (args.is_null()) args = json::array();
  if (!args.is_array()) in.fail(bad_field("args", "must be a list"));
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto found = services_.browsers.find(name);
  if (found.has_error()) co_return found.error();
  if (!found.value().linked) co_return not_linked(found.value());
  auto id = found.value().id;
  auto params = json::serialize(json::object{{"path", std::move(path)}, {"args", std::move(args)}});
  auto result = co_await services_.browsers.call(std::move(id), "chrome.call", std::move(params), chrome_timeout);
  if (result.has_error()) co_return result.error();
  auto const members = wire::members(result.value());
  if (members.has_error()) co_return members.error();
  auto const value = wire::member(members.value(), "value");
  Answer answer;
  answer.json = "{\"result\":";
  answer.json.append(value.empty() ? "null" : value).append("}");
  co_return answer;
}

Async<Result<Answer>> Operations::browsers_reload(Fields in) {
  auto const name = in.text("id");
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto found = services_.browsers.find(name);
  if (found.has_error()) co_return found.error();
  if (!found.value().linked) co_return not_linked(found.value());
  auto id = found.value().id;
  auto const result = co_await services_.browsers.call(std::move(id), "extension.reload", "{}", tabs_timeout);
  if (result.has_error()) co_return result.error();
  co_return Answer();
}

Async<Result<Answer>> Operations::browsers_wait(Fields in) {
  auto const timeout = in.seconds("timeout", longest_wait).value_or(longest_wait);
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto found = co_await services_.browsers.wait_for_any(timeout);
  if (found.has_error()) co_return found.error();
  Answer answer;
  answer.json = json::serialize(told(found.value()));
  co_return answer;
}

Async<Result<json::value>> Operations::chrome(std::string browser, std::string path, json::array args) {
  auto params = json::serialize(json::object{{"path", std::move(path)}, {"args", std::move(args)}});
  auto result = co_await services_.browsers.call(std::move(browser), "chrome.call", std::move(params), tabs_timeout);
  if (result.has_error()) co_return result.error();
  wire::JsonLimits const limits{wire::max_payload_depth};
  auto parsed = wire::parse_strict(result.value(), limits);
  if (parsed.has_error()) co_return parsed.error();
  auto const* object = parsed.value().if_object();
  auto const* value = object != nullptr ? object->if_contains("value") : nullptr;
  co_return value != nullptr ? *value : json::value();
}

Async<Result<void>> Operations::tabs_of(std::string browser, json::array& into) {
  json::array every;
  every.emplace_back(json::object());
  auto tabs = co_await chrome(browser, "tabs.query", std::move(every));
  if (tabs.has_error()) co_return tabs.error();
  json::array none;
  auto windows = co_await chrome(browser, "windows.getAll", std::move(none));
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

Async<Result<Answer>> Operations::tabs_list(Fields in) {
  auto const name = in.optional_text("browser");
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  std::vector<std::string> asked;
  if (name) {
    auto found = services_.browsers.find(*name);
    if (found.has_error()) co_return found.error();
    if (!found.value().linked) co_return not_linked(found.value());
    asked.push_back(found.value().id);
  } else {
    for (auto const& info : services_.browsers.list()) {
      if (info.linked && !info.prototype) asked.push_back(info.id);
    }
  }
  json::array tabs, errors;
  for (auto const& id : asked) {
    auto const told = co_await tabs_of(id, tabs);
    if (told.has_value()) continue;
    // One browser that does not answer does not hide the tabs of the others.
    if (asked.size() == 1) co_return told.error();
    errors.push_back(json::object{{"browser", id}, {"error", to_json(told.error())}});
  }
  json::object out{{"tabs", std::move(tabs)}};
  if (!errors.empty()) out["errors"] = std::move(errors);
  Answer answer;
  answer.json = json::serialize(out);
  co_return answer;
}

}  // namespace any::api
