#include "api/rest.hpp"

#include <boost/json/serialize.hpp>
#include <charconv>

#include "api/ops/table.hpp"
#include "api/shape.hpp"
#include "base/log.hpp"
#include "task/json.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

/// JSON has no business being rendered, framed or kept.
std::vector<net::Header> safe_headers() {
  return {{"Cache-Control", "no-store"},
          {"X-Content-Type-Options", "nosniff"},
          {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

/// Names that belong to a task's end have no status of their own; here they tell how a call into a browser ended.
int status_of(ErrorName name) {
  switch (name) {
    case ErrorName::ScriptError:
    case ErrorName::TabNotFoundError:
    case ErrorName::FrameNotFoundError:
    case ErrorName::ForbiddenPageError:
    case ErrorName::WorldUnavailableError:
    case ErrorName::NotSerializableError:
    case ErrorName::ResultTooLargeError:
    case ErrorName::CancelledError:
      return 422;
    case ErrorName::NavigatedError:
    case ErrorName::TabClosedError:
    case ErrorName::PageCrashedError:
    case ErrorName::BrowserLostError:
    case ErrorName::TimeoutError:
    case ErrorName::ProtocolError:
      return 502;
    default:
      return http_status(name);
  }
}

Error no_parameter(std::string_view name, Route const& route) {
  return bad_field(name, "is no parameter of " + std::string(route.method) + " " + std::string(route.pattern));
}

Result<void> read_query(net::Head const& head, Operation const& operation, json::object& into) {
  for (auto const& [name, value] : head.query) {
    if (name == "token") continue;  // the request guard's
    auto const* property = operation.route.method == "GET" ? operation.input.find_property(name) : nullptr;
    if (property == nullptr || property->only == Door::rpc) return no_parameter(name, operation.route);
    auto& place = into[name];
    if (property->schema.takes_list()) {
      if (!place.is_array()) place = json::array();
      place.get_array().push_back(property->schema.read_text(value));
    } else if (!place.is_null()) {
      return bad_field(name, "stands twice in the request");
    } else {
      place = property->schema.read_text(value);
    }
  }
  return {};
}

Result<json::object> read_body(std::string const& body) {
  if (body.empty()) return json::object();
  auto parsed = wire::parse_strict(body, {task::max_json_depth + 1, true});
  if (parsed.has_error()) return parsed.error();
  auto* object = parsed.value().if_object();
  if (object == nullptr) return Error{ErrorName::BadRequestError, "the body must be a JSON object", {}};
  return std::move(*object);
}

/// Where a reader of events was when its connection was lost.
Result<void> read_last_event_id(net::Head const& head, Route const& route, json::object& into) {
  auto const text = head.header("Last-Event-ID");
  if (route.resume.empty() || text.empty()) return {};
  std::int64_t seq = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (failure != std::errc() || end != text.data() + text.size() || seq < 0)
    return bad_field("Last-Event-ID", "must be the number of an event");
  into[route.resume] = seq;
  return {};
}

Result<Input> read_input(net::Exchange& exchange, Operation const& operation, PathParameters const& path) {
  json::object fields;
  if (operation.route.method != "GET") {
    auto body = read_body(exchange.body());
    if (body.has_error()) return body.error();
    fields = std::move(body.value());
    for (auto const& [name, _] : path) {
      if (fields.contains(name)) return bad_field(name, "stands in the path already");
    }
  }
  exchange.body().clear();
  exchange.body().shrink_to_fit();
  for (auto const& [name, value] : path) fields[name] = value;
  if (auto const read = read_query(exchange.head(), operation, fields); read.has_error()) return read.error();
  auto const read = read_last_event_id(exchange.head(), operation.route, fields);
  if (read.has_error()) return read.error();
  return Input::read(std::move(fields), operation.input, Door::rest);
}

Error not_found(net::Head const& head) {
  if (head.path == "/") {
    return Error{ErrorName::NotFoundError,
                 "this is the daemon any; its doors are /health, /v1/… (described in /openapi.json), /v1/rpc "
                 "(WebSocket), /json/version and /devtools/… (CDP), /metrics",
                 {}};
  }
  return Error{ErrorName::NotFoundError,
               "there is no " + head.path.substr(0, 200) + " here; /openapi.json tells what there is",
               {}};
}

}  // namespace

net::Response json_response(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = safe_headers();
  return response;
}

net::Response failure_response(Error const& error) {
  auto response = json_response(status_of(error.name), error_body(error));
  if (error.name == ErrorName::UnauthorizedError) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

Async<void> Rest::serve(net::Exchange& exchange) {
  auto const& head = exchange.head();
  auto found = find_route(head.method, head.path);
  if (found.operation == nullptr) {
    auto response = found.allow.empty() ? failure_response(not_found(head))
                                        : failure_response({ErrorName::MethodNotAllowedError,
                                                            head.method.substr(0, 40) + " is not for " +
                                                                head.path.substr(0, 200) + "; use " + found.allow,
                                                            {}});
    if (!found.allow.empty()) response.headers.push_back({"Allow", found.allow});
    co_await exchange.respond(std::move(response));
    co_return;
  }
  auto input = read_input(exchange, *found.operation, found.path);
  if (input.has_error()) {
    auto response = failure_response(input.error());
    co_await exchange.respond(std::move(response));
    co_return;
  }
  Call call{context_, std::move(input.value())};
  auto answer = co_await run(*found.operation, std::move(call));
  if (answer.has_value() && answer.value().events) {
    co_await stream(exchange, *answer.value().events);
    co_return;
  }
  net::Response response;
  if (answer.has_error()) {
    response = failure_response(answer.error());
  } else {
    auto const status = answer.value().status;
    response = json_response(status, status == 204 ? std::string() : std::move(answer.value().body));
    response.content_type = answer.value().type;
  }
  co_await exchange.respond(std::move(response));
}

Async<void> Rest::stream(net::Exchange& exchange, EventSource& source) {
  auto head = EventStream::head();
  if (exchange.head().method == "HEAD") {
    co_await exchange.respond(std::move(head));
    co_return;
  }
  auto stream = co_await exchange.stream(std::move(head));
  if (!stream) co_return;
  EventStream events(context_.services.io, live_, *stream);
  co_await source.serve(events, *stream);
}

}  // namespace any::api
