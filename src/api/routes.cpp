#include "api/routes.hpp"

#include "api/rest.hpp"

namespace any::api {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view wait_schema = R"({"type": "number", "minimum": 0})";
constexpr std::string_view text_schema = R"({"type": "string"})";
constexpr std::string_view wait_about = "seconds to wait for the end; more than 300 count as 300";

Reply failure(int status, std::string_view about) {
  return {status, json_type, "Failure", about};
}

std::vector<Route> make_main_routes() {
  using Body = Route::Body;
  auto const not_found = failure(404, "NotFoundError");
  auto const full = failure(429, "QueueFullError");
  auto const disk = failure(507, "DiskFullError");
  auto const no_browser = failure(503, "NoBrowserError, BrowserLostError and their like");
  // What chrome.* itself throws, or a call that is never answered.
  auto const in_browser = failure(502, "the browser's own error");
  return {
      {"POST",
       "/v1/tasks",
       "tasks.submit",
       "TaskCommands in a task. 201: it is on disk.",
       &Operations::tasks_submit,
       {},
       Body::object,
       "Request",
       {{201, json_type, "Record", "taken in"},
        {200, json_type, "Record", "the id was known with the same body"},
        failure(409, "ConflictError: the id is known with another body"),
        failure(413, "TooLargeError"),
        full,
        disk}},
      {"GET",
       "/v1/tasks",
       "tasks.list",
       "Tasks, newest first, without result, console and args.",
       &Operations::tasks_list,
       {{"state", R"({"enum": ["queued", "dispatched", "running", "completed", "failed", "cancelled"]})", "only those"},
        {"label", R"({"type": "string", "pattern": "^[^:]+:[\\s\\S]*$"})", "NAME:VALUE"},
        {"browser", text_schema, "id or label"},
        {"limit", R"({"type": "integer", "minimum": 1, "maximum": 1000, "default": 50})", "how many"},
        {"before", text_schema, "id of the last task of the page before"}},
       Body::none,
       "",
       {{200, json_type, "TaskPage", "a page of tasks"}}},
      {"GET",
       "/v1/tasks/{id}",
       "tasks.get",
       "All that is known of a task.",
       &Operations::tasks_get,
       {{"wait", wait_schema, wait_about}},
       Body::none,
       "",
       {{200, json_type, "Record", "the record"}, not_found}},
      {"GET",
       "/v1/tasks/{id}/result",
       "tasks.result",
       "The result alone.",
       &Rest::task_result,
       {{"wait", wait_schema, wait_about}},
       Body::none,
       "",
       {{200, json_type, "", "the result"},
        {204, "", "", "the script returned nothing"},
        not_found,
        failure(409, "ConflictError: it has not ended"),
        failure(422, "the task's own error")}},
      {"GET",
       "/v1/tasks/{id}/script",
       "tasks.script",
       "The script.",
       &Rest::task_script,
       {},
       Body::none,
       "",
       {{200, "text/javascript; charset=utf-8", "", "the script"}, not_found}},
      {"GET",
       "/v1/tasks/{id}/screenshot",
       "tasks.screenshot",
       "What the tab looked like when the task failed.",
       &Rest::task_screenshot,
       {},
       Body::none,
       "",
       {{200, "image/png", "", "the picture"}, not_found}},
      {"POST",
       "/v1/tasks/{id}/cancel",
       "tasks.cancel",
       "Cancels a task.",
       &Operations::tasks_cancel,
       {},
       Body::optional_empty,
       "",
       {{200, json_type, "Record", "the record"}, not_found, failure(409, "ConflictError: it has ended"), disk}},
      {"GET",
       "/v1/tasks/{id}/events",
       "tasks.events",
       "Server-sent events from the beginning, or behind Last-Event-ID, until `end`.",
       &Rest::task_events,
       {},
       Body::none,
       "",
       {{200, "text/event-stream", "", "events"}, not_found}},
      {"GET",
       "/v1/browsers",
       "browsers.list",
       "The browsers that the daemon knows.",
       &Operations::browsers_list,
       {},
       Body::none,
       "",
       {{200, json_type, "Browsers", "all of them"}}},
      {"PATCH",
       "/v1/browsers/{id}",
       "browsers.label",
       "Gives a browser a label.",
       &Operations::browsers_label,
       {},
       Body::object,
       "Label",
       {{200, json_type, "Browser", "the browser"},
        not_found,
        failure(409, "ConflictError: another browser has that label"),
        disk}},
      {"DELETE",
       "/v1/browsers/{id}",
       "browsers.forget",
       "Forgets a browser that is not linked.",
       &Rest::browser_forget,
       {},
       Body::optional_empty,
       "",
       {{204, "", "", "forgotten"}, not_found, failure(409, "ConflictError: it is linked"), disk}},
      {"POST",
       "/v1/browsers/{id}/chrome",
       "browsers.chrome",
       "Any chrome.* call.",
       &Operations::browsers_chrome,
       {},
       Body::object,
       "ChromeCall",
       {{200, json_type, "ChromeResult", "what it gave"},
        not_found,
        failure(422, "the call's own error"),
        in_browser,
        no_browser}},
      {"POST",
       "/v1/browsers/{id}/reload",
       "browsers.reload",
       "Has the extension reload itself.",
       &Operations::browsers_reload,
       {},
       Body::optional_empty,
       "",
       {{200, json_type, "Empty", "it will"}, not_found, in_browser, no_browser}},
      {"GET",
       "/v1/tabs",
       "tabs.list",
       "The tabs of one browser, or of all that are linked.",
       &Operations::tabs_list,
       {{"browser", text_schema, "id or label"}},
       Body::none,
       "",
       {{200, json_type, "Tabs", "tabs"}, not_found, in_browser, no_browser}},
      {"GET",
       "/v1/logs",
       "logs.list",
       "Log lines of the daemon and of the extensions.",
       &Rest::logs,
       {{"limit", R"({"type": "integer", "minimum": 1, "maximum": 10000, "default": 200})", "how many of the newest"},
        {"since", R"({"type": "integer", "minimum": 0})", "only lines with a higher seq"},
        {"follow", R"({"enum": [0, 1]})", "1: server-sent events, which go on"}},
       Body::none,
       "",
       {{200, json_type, "Lines", "lines"}, {200, "text/event-stream", "", "with follow"}}},
      {"GET",
       "/health",
       "health",
       "Whether the daemon is well, and what it has.",
       &Operations::health,
       {},
       Body::none,
       "",
       {{200, json_type, "Health", "as it stands"}}},
      {"GET",
       "/metrics",
       "metrics",
       "For Prometheus.",
       &Rest::metrics,
       {},
       Body::none,
       "",
       {{200, "text/plain; version=0.0.4; charset=utf-8", "", "figures"}}},
      {"GET",
       "/openapi.json",
       "openapi",
       "This description.",
       &Rest::openapi,
       {},
       Body::none,
       "",
       {{200, json_type, "", "OpenAPI 3.1"}}},
      {"POST",
       "/v1/shutdown",
       "shutdown",
       "Ends the daemon in order.",
       &Operations::shutdown,
       {},
       Body::optional_empty,
       "",
       {{200, json_type, "Empty", "it ends"}}},
  };
}

}  // namespace

std::span<Route const> main_routes() {
  static auto const routes = make_main_routes();
  return routes;
}

std::optional<PathParameters> match(std::string_view pattern, std::string_view path) {
  PathParameters out;
  while (true) {
    auto const pattern_end = pattern.find('/', 1);
    auto const path_end = path.find('/', 1);
    auto const wanted = pattern.substr(0, pattern_end);
    auto const given = path.substr(0, path_end);
    if (wanted.starts_with("/{")) {
      if (given.size() < 2) return std::nullopt;
      out.emplace_back(wanted.substr(2, wanted.size() - 3), given.substr(1));
    } else if (wanted != given) {
      return std::nullopt;
    }
    if ((pattern_end == std::string_view::npos) != (path_end == std::string_view::npos)) return std::nullopt;
    if (pattern_end == std::string_view::npos) return out;
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
}

Found find_route(std::span<Route const> routes, std::string_view method, std::string_view path) {
  Found found;
  auto const wanted = method == "HEAD" ? "GET" : method;
  for (auto const& route : routes) {
    auto parameters = match(route.pattern, path);
    if (!parameters) continue;
    if (route.method == wanted) {
      found.route = &route;
      found.path = std::move(*parameters);
      found.allow.clear();
      return found;
    }
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += route.method;
    if (route.method == "GET") found.allow += ", HEAD";
  }
  return found;
}

}  // namespace any::api
