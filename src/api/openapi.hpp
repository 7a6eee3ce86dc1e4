#pragma once
// /openapi.json: the paths from the table of operations, the shapes from openapi/schemas.json.

#include <string>

namespace any::api {

/// OpenAPI 3.1 as JSON text, made once.
std::string const& openapi_text();

}  // namespace any::api
