#include "api/rest.hpp"

#include <boost/json/serialize.hpp>

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

Result<void> read_query(net::Head const& head, Route const& route, Fields& into) {
  json::array labels;
  for (auto const& [name, value] : head.query) {
    if (name == "token") continue;  // the door's
    bool known = false;
    for (auto const& parameter : route.query) known = known || parameter.name == name;
    if (!known)
      return bad_field(name, "is no parameter of " + std::string(route.method) + " " + std::string(route.pattern));
    if (name == "label") {
      labels.emplace_back(value);
      continue;
    }
    if (into.has(name)) return bad_field(name, "stands twice in the query");
    into.put_text(name, value);
  }
  if (!labels.empty()) into.put("label", std::move(labels));
  return {};
}

Result<json::object> read_body(std::string const& body, Route const& route) {
  if (body.empty() && route.body != Route::Body::object) return json::object();
  auto parsed = wire::parse_strict(body, {task::max_json_depth + 1, true});
  if (parsed.has_error()) return parsed.error();
  auto* object = parsed.value().if_object();
  if (object == nullptr) return Error{ErrorName::BadRequestError, "the body must be a JSON object", {}};
  return std::move(*object);
}

Result<Fields> read_fields(net::Exchange& exchange, Route const& route, PathParameters const& path) {
  json::object body;
  if (route.body != Route::Body::none) {
    auto read = read_body(exchange.body(), route);
    if (read.has_error()) return read.error();
    body = std::move(read.value());
    for (auto const& [name, _] : path) {
      if (body.contains(name)) return bad_field(name, "stands in the path already");
    }
  }
  exchange.body().clear();
  exchange.body().shrink_to_fit();
  Fields fields(std::move(body));
  for (auto const& [name, value] : path) fields.put(name, json::string(value));
  if (auto const read = read_query(exchange.head(), route, fields); read.has_error()) return read.error();
  return fields;
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

Async<void> Rest::serve(net::Exchange& exchange, std::span<Route const> routes) {
  auto const& head = exchange.head();
  auto found = find_route(routes, head.method, head.path);
  if (found.route == nullptr) {
    auto response = found.allow.empty() ? failure_response(not_found(head))
                                        : failure_response({ErrorName::MethodNotAllowedError,
                                                            head.method.substr(0, 40) + " is not for " +
                                                                head.path.substr(0, 200) + "; use " + found.allow,
                                                            {}});
    if (!found.allow.empty()) response.headers.push_back({"Allow", found.allow});
    co_await exchange.respond(std::move(response));
    co_return;
  }
  auto fields = read_fields(exchange, *found.route, found.path);
  if (fields.has_error()) {
    auto response = failure_response(fields.error());
    co_await exchange.respond(std::move(response));
    co_return;
  }
  if (auto const* special = std::get_if<Route::Special>(&found.route->handler)) {
    Call call{exchange, std::move(fields.value())};
    co_await (this->**special)(std::move(call));
    co_return;
  }
  auto const operation = std::get<Operations::Operation>(found.route->handler);
  auto answer = co_await (operations_.*operation)(std::move(fields.value()));
  net::Response response;
  if (answer.has_error()) {
    response = failure_response(answer.error());
  } else {
    response = json_response(answer.value().created ? 201 : 200, std::move(answer.value().json));
  }
  co_await exchange.respond(std::move(response));
}

}  // namespace any::api
