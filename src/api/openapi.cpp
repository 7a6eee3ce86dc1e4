#include "api/openapi.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/routes.hpp"
#include "base/embedded.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

json::value reference(std::string_view name) {
  return json::object{{"$ref", "#/components/schemas/" + std::string(name)}};
}

json::object reply_json(Reply const& reply) {
  json::object out{{"description", reply.about}};
  if (reply.type.empty()) return out;
  json::value schema = json::object();
  if (!reply.schema.empty()) schema = reference(reply.schema);
  if (reply.type == "image/png")
    schema = json::object{{"type", "string"}, {"format", "binary"}};
  else if (reply.schema.empty() && reply.type.starts_with("text/") && reply.type != "text/event-stream")
    schema = json::object{{"type", "string"}};
  out["content"] = json::object{{reply.type, json::object{{"schema", std::move(schema)}}}};
  return out;
}

json::array parameters_json(Route const& route) {
  json::array out;
  for (auto at = route.pattern.find('{'); at != std::string_view::npos; at = route.pattern.find('{', at + 1)) {
    auto const name = route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1);
    auto const schema = route.pattern.starts_with("/v1/tasks/") ? "TaskId" : "BrowserName";
    out.push_back(json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", reference(schema)}});
  }
  for (auto const& parameter : route.query) {
    out.push_back(json::object{{"name", parameter.name},
                               {"in", "query"},
                               {"description", parameter.about},
                               {"schema", json::parse(parameter.schema)}});
  }
  return out;
}

json::object operation_json(Route const& route) {
  json::object out{{"operationId", route.name}, {"summary", route.about}};
  if (auto parameters = parameters_json(route); !parameters.empty()) out["parameters"] = std::move(parameters);
  if (route.body == Route::Body::object) {
    out["requestBody"] = json::object{
        {"required", true},
        {"content", json::object{{"application/json", json::object{{"schema", reference(route.body_schema)}}}}}};
  }
  json::object replies;
  for (auto const& reply : route.replies) {
    auto told = reply_json(reply);
    auto* known = replies.if_contains(std::to_string(reply.status));
    // One status, several content types.
    if (known != nullptr) {
      for (auto& [type, content] : told.at("content").as_object())
        known->as_object()["content"].as_object()[type] = std::move(content);
    } else {
      replies[std::to_string(reply.status)] = std::move(told);
    }
  }
  replies["default"] = reply_json({0, "application/json", "Failure", "any other error"});
  replies["400"] = reply_json({400, "application/json", "Failure", "BadRequestError: `path` names what is wrong"});
  replies["403"] = reply_json(
      {403, "application/json", "Failure", "ForbiddenError: Host, Origin, Sec-Fetch-Site or user of the caller"});
  if (route.pattern != "/health")
    replies["401"] = reply_json({401, "application/json", "Failure", "UnauthorizedError: token missing or wrong"});
  else
    out["security"] = json::array();
  out["responses"] = std::move(replies);
  return out;
}

std::string make_text() {
  auto const* schemas = embedded_file("api", "schemas.json");
  json::object paths;
  for (auto const& route : main_routes()) {
    std::string method(route.method);
    for (auto& c : method) c = static_cast<char>(c - 'A' + 'a');
    if (!paths.contains(route.pattern)) paths[route.pattern] = json::object();
    paths[route.pattern].as_object()[method] = operation_json(route);
  }
  json::object out;
  out["openapi"] = "3.1.0";
  out["info"] = json::object{{"title", "any"},
                             {"version", ANY_VERSION},
                             {"description",
                              "Any program can drive the browser you already use. The RPC socket /v1/rpc takes the "
                              "same calls: docs/protocol.md."}};
  out["servers"] = json::array{json::object{{"url", "/"}}};
  out["security"] = json::array{json::object(), json::object{{"token", json::array()}}};
  out["paths"] = std::move(paths);
  out["components"] =
      json::object{{"schemas", schemas != nullptr ? json::parse(schemas->bytes) : json::object()},
                   {"securitySchemes", json::object{{"token", json::object{{"type", "http"}, {"scheme", "bearer"}}}}}};
  return json::serialize(out);
}

}  // namespace

std::string const& openapi_text() {
  static auto const text = make_text();
  return text;
}

}  // namespace any::api
