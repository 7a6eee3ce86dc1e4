#pragma once
// The one table of routes: what is served under which method and path, and what /openapi.json tells of it.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/operations.hpp"

namespace any::api {

class Rest;
/// One request that has found its route.
struct Call {
  net::Exchange& exchange;
  Fields fields;  ///< of the path, the query and the body
};

struct Parameter {
  std::string_view name;
  std::string_view schema;  ///< JSON schema, as text
  std::string_view about;
};

struct Reply {
  int status;
  std::string_view type;    ///< content type; empty: no body
  std::string_view schema;  ///< name in openapi/schemas.json; empty: any
  std::string_view about;
};

struct Route {
  using Special = Async<void> (Rest::*)(Call);
  enum class Body : unsigned char { none, optional_empty, object };

  std::string_view method;
  std::string_view pattern;  ///< "/v1/tasks/{id}"
  std::string_view name;     ///< operationId
  std::string_view about;
  std::variant<Operations::Operation, Special> handler;
  std::vector<Parameter> query;
  Body body = Body::none;
  std::string_view body_schema;
  std::vector<Reply> replies;  ///< the first is that of success
};

/// The daemon's own routes.
std::span<Route const> main_routes();

using PathParameters = std::vector<std::pair<std::string_view, std::string>>;
/// The path's parameters if it fits the pattern. A parameter is one segment that is not empty.
std::optional<PathParameters> match(std::string_view pattern, std::string_view path);

struct Found {
  Route const* route = nullptr;
  PathParameters path;
  std::string allow;  ///< where the path is known and the method is not: for the header Allow
};
/// HEAD finds what GET finds.
Found find_route(std::span<Route const> routes, std::string_view method, std::string_view path);

}  // namespace any::api
