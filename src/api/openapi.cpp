#include "api/openapi.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/ops/table.hpp"

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

/// What a query can carry of it: one value, and no null.
json::object in_query(json::object schema) {
  for (auto const* key : {"x-door", "description"}) schema.erase(key);
  if (auto* choices = schema.if_contains("enum")) {
    json::array kept;
    for (auto const& choice : choices->as_array())
      if (!choice.is_null()) kept.push_back(choice);
    *choices = std::move(kept);
  }
  auto* types = schema.if_contains("type");
  if (types == nullptr || !types->is_array()) return schema;
  json::array kept;
  for (auto const& type : types->as_array())
    if (type != "null" && type != "array" && type != "object") kept.push_back(type);
  if (kept.size() == 1) {
    *types = json::value(kept.front());
  } else {
    *types = std::move(kept);
  }
  return schema;
}

json::object parameter_json(Schema::Property const& property, std::string_view in) {
  auto const& source = property.schema.source().as_object();
  json::object out{{"name", property.name}, {"in", in}};
  if (in == "path") out["required"] = true;
  if (auto const* about = source.if_contains("description")) out["description"] = *about;
  out["schema"] = in_query(source);
  return out;
}

/// The shape without what is for other doors.
json::value of_rest(json::value source) {
  auto* object = source.if_object();
  auto* properties = object != nullptr ? object->if_contains("properties") : nullptr;
  if (properties == nullptr) return source;
  json::object kept;
  for (auto const& [name, property] : properties->as_object()) {
    auto const* door = property.as_object().if_contains("x-door");
    if (door == nullptr || *door == "rest") kept[name] = property;
  }
  *properties = std::move(kept);
  return source;
}

bool in_path(Route const& route, std::string_view name) {
  return route.pattern.find("{" + std::string(name) + "}") != std::string_view::npos;
}

/// Null where it takes none.
json::value body_json(Operation const& operation) {
  if (!operation.input.name().empty()) return reference(operation.input.name());
  json::object properties;
  json::array required;
  for (auto const& property : operation.input.properties()) {
    if (in_path(operation.route, property.name) || property.only == Door::rpc) continue;
    properties[property.name] = property.schema.source();
    if (operation.input.requires_property(property.name)) required.emplace_back(property.name);
  }
  if (properties.empty()) return {};
  return json::object{{"type", "object"},
                      {"properties", std::move(properties)},
                      {"required", std::move(required)},
                      {"additionalProperties", false}};
}

std::vector<Reply> replies_of(Operation const& operation) {
  std::vector<Reply> replies;
  auto const success = [](Reply const& reply) { return reply.status < 300; };
  if (std::ranges::none_of(operation.replies, success)) replies.push_back({200, "done", operation.output});
  replies.insert(replies.end(), operation.replies.begin(), operation.replies.end());
  return replies;
}

json::object operation_json(Operation const& operation) {
  auto const& route = operation.route;
  json::object out{{"operationId", operation.name}, {"summary", operation.about}};
  json::array parameters;
  for (auto const& property : operation.input.properties()) {
    if (in_path(route, property.name))
      parameters.push_back(parameter_json(property, "path"));
    else if (route.method == "GET" && property.only != Door::rpc)
      parameters.push_back(parameter_json(property, "query"));
  }
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (auto body = route.method == "GET" ? json::value() : body_json(operation); !body.is_null()) {
    out["requestBody"] = json::object{
        {"required", true}, {"content", json::object{{"application/json", json::object{{"schema", std::move(body)}}}}}};
  }
  out["x-reads"] = operation.effect == Effect::reads;
  out["x-repeatable"] = operation.effect != Effect::once;
  json::object replies;
  for (auto const& reply : replies_of(operation)) {
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
  replies["default"] = reply_json({0, "any other error"});
  replies["400"] = reply_json({400, "BadRequestError: `path` names what is wrong"});
  replies["403"] = reply_json({403, "ForbiddenError: Host, Origin, Sec-Fetch-Site or user of the caller"});
  if (route.pattern != "/health")
    replies["401"] = reply_json({401, "UnauthorizedError: token missing or wrong"});
  else
    out["security"] = json::array();
  out["responses"] = std::move(replies);
  return out;
}

std::string make_text() {
  json::object schemas;
  for (auto const& [name, shape] : shared_shapes()) schemas[name] = of_rest(shape);
  json::object paths;
  for (auto const& operation : operations()) {
    auto const& route = operation.route;
    if (route.method.empty()) continue;
    std::string method(route.method);
    for (auto& c : method) c = static_cast<char>(c - 'A' + 'a');
    if (!paths.contains(route.pattern)) paths[route.pattern] = json::object();
    paths[route.pattern].as_object()[method] = operation_json(operation);
  }
  json::object out;
  out["openapi"] = "3.1.0";
  out["info"] = json::object{{"title", "any"},
                             {"version", ANY_VERSION},
                             {"description",
                              "Any program can drive the browser you already use. The RPC socket /v1/rpc takes the "
                              "same calls, and a few more: GET /v1/operations lists all; docs/protocol.md."}};
  out["servers"] = json::array{json::object{{"url", "/"}}};
  out["security"] = json::array{json::object(), json::object{{"token", json::array()}}};
  out["paths"] = std::move(paths);
  out["components"] =
      json::object{{"schemas", std::move(schemas)},
                   {"securitySchemes", json::object{{"token", json::object{{"type", "http"}, {"scheme", "bearer"}}}}}};
  return json::serialize(out);
}

}  // namespace

std::string const& openapi_text() {
  static auto const text = make_text();
  return text;
}

}  // namespace any::api
