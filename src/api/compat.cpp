#include "api/compat.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "api/rest.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

constexpr std::string_view prefix = "/task/";

struct Problem {
  std::string_view field, message, type;
};

/// As the prototype's framework reports a body that does not fit.
net::Response unprocessable(Problem const& problem) {
  json::array where{"body"};
  if (!problem.field.empty()) where.emplace_back(problem.field);
  json::object const item{{"loc", std::move(where)}, {"msg", problem.message}, {"type", problem.type}};
  return json_response(422, json::serialize(json::object{{"detail", json::array{item}}}));
}

net::Response service_failure(Error const& error) {
  return detail_response(error.name == ErrorName::BadRequestError ? 422 : http_status(error.name), error.message);
}

Result<json::object> read_object(std::string const& body) {
  wire::JsonLimits const limits{wire::max_payload_depth};
  auto parsed = wire::parse_strict(body, limits);
  if (parsed.has_error()) return parsed.error();
  auto* object = parsed.value().if_object();
  if (object == nullptr) return Error{ErrorName::BadRequestError, "the body must be a JSON object", {}};
  return std::move(*object);
}

std::optional<std::string> text_of(json::object const& object, std::string_view key) {
  auto const* found = object.if_contains(key);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

bool is_good_id(std::string_view id) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
  return !id.empty() && id.size() <= 128 && id.find_first_not_of(allowed) == std::string_view::npos;
}

/// The prototype knew four states.
std::string_view status_of(task::State state) {
  switch (state) {
    case task::State::running:
      return "dispatched";
    case task::State::cancelled:
      return "failed";
    default:
      return to_string(state);
  }
}

std::string error_text(Error const& error) {
  // What the prototype's extension posted, or what a script threw, stands for itself.
  if (error.name == ErrorName::ScriptError) return error.message;
  return std::string(to_string(error.name)) + ": " + error.message;
}

std::string number_text(Millis millis) {
  return millis % 1000 == 0 ? std::to_string(millis / 1000)
                            : json::serialize(json::value(static_cast<double>(millis) / 1000));
}

std::string task_text(store::Stored const& stored) {
  auto const& record = stored.record;
  auto const& request = record.request;
  auto const status = std::string(status_of(record.state));
  std::string out = "{\"task\":{\"id\":" + wire::quote(request.id) + ",\"script\":" + wire::quote(request.script) +
                    ",\"timeout\":" + (request.timeout ? number_text(*request.timeout) : "null") + "},\"status\":\"" +
                    status + "\",\"result\":";
  if (!task::is_final(record.state)) return out + "null}";
  out += "{\"task_id\":" + wire::quote(request.id) + ",\"status\":\"" + status + "\",\"output\":";
  out += stored.result ? *stored.result : "null";
  out += ",\"error\":";
  out += record.error ? wire::quote(error_text(*record.error)) : "null";
  return out + "}}";
}

}  // namespace

net::Response detail_response(int status, std::string_view detail) {
  return json_response(status, json::serialize(json::object{{"detail", detail}}));
}

bool Compat::takes(std::string_view path) {
  return path == "/task" || path.starts_with(prefix);
}

Async<void> Compat::serve(net::Exchange& exchange) {
  auto const& head = exchange.head();
  auto const method = head.method == "HEAD" ? std::string("GET") : head.method;
  net::Response response;
  auto id = head.path.size() > prefix.size() ? head.path.substr(prefix.size()) : std::string();
  if (id.find('/') != std::string::npos) id.clear();
  if (head.path == "/task") {
    if (method == "POST") {
      response = co_await create(std::move(exchange.body()));
    } else {
      response = detail_response(405, "Method Not Allowed");
      response.headers.push_back({"Allow", "POST"});
    }
  } else if (id.empty()) {
    response = detail_response(404, "Not Found");
  } else if (method == "GET") {
    response = co_await get(std::move(id));
  } else if (method == "POST") {
    response = co_await finish(std::move(id), std::move(exchange.body()));
  } else {
    response = detail_response(405, "Method Not Allowed");
    response.headers.push_back({"Allow", "GET, HEAD, POST"});
  }
  co_await exchange.respond(std::move(response));
}

Async<net::Response> Compat::create(std::string body) {
  auto read = read_object(body);
  if (read.has_error()) co_return unprocessable({"", read.error().message, "json_invalid"});
  auto const& object = read.value();
  auto id = text_of(object, "id");
  auto script = text_of(object, "script");
  if (!id) co_return unprocessable({"id", "Input should be a text", object.contains("id") ? "string_type" : "missing"});
  if (!script)
    co_return unprocessable(
        {"script", "Input should be a text", object.contains("script") ? "string_type" : "missing"});
  if (!is_good_id(*id))
    co_return unprocessable({"id", "An id has 1 to 128 characters of A-Z a-z 0-9 . _ : -", "value_error"});
  task::Request request;
  request.id = *id;
  request.script = std::move(*script);
  request.queue_timeout = std::nullopt;  // the prototype waited for ever
  request.door = task::Door::prototype;
  if (auto const* timeout = object.if_contains("timeout")) {
    auto const seconds = timeout->is_number() ? timeout->to_number<double>() : -1;
    if (!(seconds > 0) || seconds > 1e9)
      co_return unprocessable({"timeout", "Input should be a number of seconds above 0", "value_error"});
    request.timeout = static_cast<Millis>(std::ceil(seconds * 1000));
  }
  auto submitted = co_await services_.tasks.submit(std::move(request));
  if (submitted.has_error() && submitted.error().name != ErrorName::ConflictError)
    co_return service_failure(submitted.error());
  if (submitted.has_error() || !submitted.value().created)
    co_return detail_response(400, "Task " + *id + " already exists");
  co_return json_response(200, "{\"ok\":true,\"id\":" + wire::quote(*id) + "}");
}

Async<net::Response> Compat::get(std::string id) {
  auto stored = co_await services_.tasks.get(id, 0);
  if (stored.has_error() && stored.error().name == ErrorName::NotFoundError)
    co_return detail_response(404, "Task " + id + " not found");
  if (stored.has_error()) co_return service_failure(stored.error());
  co_return json_response(200, task_text(stored.value()));
}

Async<net::Response> Compat::finish(std::string id, std::string body) {
  auto read = read_object(body);
  if (read.has_error()) co_return unprocessable({"", read.error().message, "json_invalid"});
  auto const& object = read.value();
  service::Tasks::PrototypeEnd end;
  auto status = text_of(object, "status");
  if (!status || (*status != "completed" && *status != "failed")) {
    co_return unprocessable({"status", "Input should be \"completed\" or \"failed\"",
                             object.contains("status") ? "value_error" : "missing"});
  }
  if (auto const* named = object.if_contains("task_id"); named != nullptr && *named != json::value(id)) {
    co_return unprocessable({"task_id", "Input should be the id in the path", "value_error"});
  }
  end.status = std::move(*status);
  if (auto const* output = object.if_contains("output")) end.output = json::serialize(*output);
  if (auto const* error = object.if_contains("error"); error != nullptr && !error->is_null()) {
    end.error = error->is_string() ? std::string(error->get_string()) : json::serialize(*error);
  }
  auto finished = co_await services_.tasks.finish_prototype(id, std::move(end));
  if (finished.has_error() && finished.error().name == ErrorName::NotFoundError)
    co_return detail_response(404, "Task " + id + " not found");
  if (finished.has_error()) co_return service_failure(finished.error());
  co_return json_response(200, R"({"ok":true})");
}

}  // namespace any::api
