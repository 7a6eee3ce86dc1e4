// One CDP command, by a client of the gateway inside the daemon.
#include <boost/json/serialize.hpp>

#include "api/ops/table.hpp"
#include "service/cdp_client.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

constexpr Millis tabs_timeout = 10'000;
constexpr Millis call_timeout = 30'000;
constexpr int unknown_method = -32601;

Error tab_not_found(std::string const& which) {
  return {ErrorName::TabNotFoundError, "there is no tab " + which + ": `any tabs` lists the open ones"};
}

/// The tab that "active" or a pattern means, the one used last where there are several.
Async<Result<std::int64_t>> find_tab(browser::Browsers& browsers, std::string browser, std::string which) {
  json::object query;
  if (which == "active") {
    query["active"] = true;
    query["lastFocusedWindow"] = true;
  } else {
    query["url"] = which;
  }
  auto params = json::serialize(json::object{{"path", "tabs.query"}, {"args", json::array{std::move(query)}}});
  auto const found = co_await browsers.call(std::move(browser), "chrome.call", std::move(params), tabs_timeout);
  if (found.has_error()) co_return found.error();
  auto const parsed = wire::parse_strict(found.value(), {wire::max_payload_depth});
  if (parsed.has_error()) co_return parsed.error();
  auto const* answer = parsed.value().if_object();
  auto const* tabs = answer != nullptr ? answer->if_contains("value") : nullptr;
  if (tabs == nullptr || !tabs->is_array())
    co_return Error{ErrorName::ProtocolError, "the browser did not answer chrome.tabs.query with a list"};
  std::optional<std::int64_t> best;
  double used = -1;
  for (auto const& row : tabs->get_array()) {
    auto const* tab = row.if_object();
    auto const* id = tab != nullptr ? tab->if_contains("id") : nullptr;
    if (id == nullptr || !id->is_int64()) continue;
    auto const* when = tab->if_contains("lastAccessed");
    auto const at = when != nullptr && when->is_number() ? when->to_number<double>() : 0;
    if (best && at <= used) continue;
    best = id->get_int64();
    used = at;
  }
  if (!best) co_return tab_not_found(which == "active" ? "that is active" : "whose address fits " + which);
  co_return *best;
}

Error error_of(cdp::Failure const& failure, std::string const& method, bool on_tab) {
  if (failure.code == cdp::link_lost) return {ErrorName::BrowserLostError, failure.message};
  if (failure.code == service::CdpClient::too_late) return {ErrorName::TimeoutError, failure.message};
  Error error{ErrorName::BadRequestError, method + ": " + failure.message};
  if (failure.code == unknown_method && !on_tab) {
    error.message +=
        "; without a tab the browser itself is asked: what is a page's needs one (\"active\", an id or a pattern)";
  }
  json::object said{{"code", failure.code}, {"message", failure.message}};
  if (!failure.data.empty()) said["data"] = failure.data;
  error.extra["cdp"] = std::move(said);
  return error;
}

/// A client of the browser, or of the page in the tab, that the call means.
struct Chosen {
  std::shared_ptr<service::CdpClient> client;
  bool on_tab = false;
};

Async<Result<Chosen>> choose(Services const& services, std::string name, json::value which, std::string method) {
  auto const browser = co_await services.cdp.choose(std::move(name), 0);
  if (browser.has_error()) co_return browser.error();
  std::optional<std::int64_t> tab;
  if (which.is_int64()) tab = which.get_int64();
  if (which.is_string()) {
    auto const found = co_await find_tab(services.browsers, browser.value().id, std::string(which.get_string()));
    if (found.has_error()) co_return found.error();
    tab = found.value();
  }
  auto made = co_await services.cdp.client(browser.value().id, tab);
  if (made) co_return Chosen{std::move(*made), tab.has_value()};
  if (tab && made.error().code != cdp::link_lost) co_return tab_not_found(std::to_string(*tab));
  co_return error_of(made.error(), method, tab.has_value());
}

Async<Result<Answer>> ask(Call call, std::optional<std::string> events) {
  auto const method = call.in.text("method");
  auto const timeout = call.in.seconds("timeout", longest_wait).value_or(call_timeout);
  auto which = call.in.take("tab");
  auto const params = call.in.take("params");
  if (method.find('.') == std::string::npos) co_return bad_field("method", "is no CDP method such as Page.navigate");
  auto chosen =
      co_await choose(call.context.services, call.in.optional_text("browser").value_or(""), std::move(which), method);
  if (chosen.has_error()) co_return chosen.error();
  auto const& [client, on_tab] = chosen.value();
  if (events) call.subscriber->watch_cdp(client, std::move(*events));  // it hears what comes before the answer too
  auto const result = co_await client->call(method, params.is_null() ? "{}" : json::serialize(params), timeout);
  if (!result && client->closed_because()) {
    co_return Error{
        on_tab ? ErrorName::TabClosedError : ErrorName::BrowserLostError,
        method + " was not answered (" + *client->closed_because() + "): it may or may not have been carried out"};
  }
  if (!result) co_return error_of(result.error(), method, on_tab);
  Answer answer;
  answer.body = "{\"result\":" + *result + "}";
  co_return answer;
}

Async<Result<Answer>> call_cdp(Call call) {
  return ask(std::move(call), std::nullopt);
}

Async<Result<Answer>> watch_cdp(Call call) {
  auto events = call.in.text("events");
  return ask(std::move(call), std::move(events));
}

/// What both take; `more`: further properties, `needs`: further names that must be there.
std::string input(std::string const& more, std::string const& needs) {
  return R"({
    "properties": {)" +
         more + R"(
      "method": {"type": "string", "minLength": 1, "examples": ["Page.captureScreenshot"]},
      "params": {"type": ["object", "null"]},
      "browser": {"type": ["string", "null"], "description": "id or label; default: the one used last"},
      "tab": {"type": ["integer", "string", "null"], "minLength": 1, "description": "an id, \"active\", or a pattern like https://*.example/*; default: none, the browser itself"},
      "timeout": {"type": ["number", "null"], "minimum": 0, "description": "seconds to wait for the answer (default 30); more than 300 count as 300"}
    },
    "required": ["method")" +
         needs + R"(],
    "additionalProperties": false
  })";
}

}  // namespace

std::vector<Operation> cdp_operations() {
  return {
      {.name = "cdp.call",
       .about = "One command of the Chrome DevTools Protocol. What it has switched on ends with it.",
       .input = input("", "").c_str(),
       .output = "CdpResult",
       .route = {"POST", "/v1/cdp"},
       .replies = {{400, "BadRequestError: Chrome's own error stands in \"cdp\""},
                   {404, "NotFoundError: no such browser"},
                   {422, "TabNotFoundError"},
                   {502, "TabClosedError, BrowserLostError; TimeoutError: not answered in time"},
                   {503, "NoBrowserError, PausedError"}},
       .run = &call_cdp},
      {.name = "cdp.watch",
       .about = "As cdp.call; the events that fit come as notifications until the socket ends or watches anew.",
       .input =
           input(
               R"("events": {"type": "string", "minLength": 1, "examples": ["Network.*"], "description": "a method, a domain with .*, or *"},)",
               R"(, "events")")
               .c_str(),
       .output = "CdpResult",
       .run = &watch_cdp},
  };
}

}  // namespace any::api
