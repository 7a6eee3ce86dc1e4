#include "api/ops/table.hpp"

#include <boost/json/serialize.hpp>
#include <iterator>
#include <map>

namespace any::api {
namespace json = boost::json;
namespace {

std::vector<Operation> make_table() {
  std::vector<Operation> all;
  for (auto* rows : {&task_operations, &browser_operations, &cdp_operations, &daemon_operations})
    std::ranges::move(rows(), std::back_inserter(all));
  return all;
}

/// References lead into /openapi.json, where the shared shapes stand.
json::value outside(json::value source) {
  if (auto* list = source.if_array()) {
    for (auto& item : *list) item = outside(std::move(item));
  } else if (auto* members = source.if_object()) {
    for (auto& [key, value] : *members) {
      if (key == "$ref")
        value = "/openapi.json" + std::string(value.as_string());
      else
        value = outside(std::move(value));
    }
  }
  return source;
}

json::object row_json(Operation const& operation) {
  json::object out{{"name", operation.name}, {"about", operation.about}};
  out["reads"] = operation.effect == Effect::reads;
  out["repeatable"] = operation.effect != Effect::once;
  out["input"] = outside(operation.input.source());
  out["output"] = operation.output.empty()
                      ? json::value()
                      : json::object{{"$ref", "/openapi.json#/components/schemas/" + std::string(operation.output)}};
  out["rpc"] = operation.rpc;
  out["rest"] = operation.route.method.empty()
                    ? json::value()
                    : json::object{{"method", operation.route.method}, {"path", operation.route.pattern}};
  return out;
}

std::string make_text() {
  json::array rows;
  for (auto const& operation : operations()) rows.push_back(row_json(operation));
  return json::serialize(json::object{{"operations", std::move(rows)}});
}

}  // namespace

std::span<Operation const> operations() {
  static auto const table = make_table();
  return table;
}

Operation const* find_operation(std::string_view name) {
  static auto const names = [] {
    std::map<std::string_view, Operation const*> out;
    for (auto const& operation : operations())
      if (operation.rpc) out.emplace(operation.name, &operation);
    return out;
  }();
  auto const found = names.find(name);
  return found == names.end() ? nullptr : found->second;
}

Async<Result<Answer>> run(Operation const& operation, Call call) {
  ++call.context.metrics.calls[operation.name];
  return operation.run(std::move(call));
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

Found find_route(std::string_view method, std::string_view path) {
  Found found;
  auto const wanted = method == "HEAD" ? "GET" : method;
  for (auto const& operation : operations()) {
    auto const& route = operation.route;
    if (route.method.empty()) continue;
    auto parameters = match(route.pattern, path);
    if (!parameters) continue;
    if (route.method == wanted) {
      found.operation = &operation;
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

std::string const& operations_text() {
  static auto const text = make_text();
  return text;
}

}  // namespace any::api
