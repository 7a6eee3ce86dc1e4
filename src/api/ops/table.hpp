#pragma once
// The table of operations, which REST, the RPC socket and /openapi.json are made from. A new operation is a row in the
// file of its subject.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/ops/operation.hpp"

namespace any::api {

std::vector<Operation> task_operations();     // tasks.cpp
std::vector<Operation> browser_operations();  // browsers.cpp
std::vector<Operation> cdp_operations();      // cdp.cpp
std::vector<Operation> daemon_operations();   // daemon.cpp

std::span<Operation const> operations();
/// The operation that the RPC socket knows by that name, or null.
Operation const* find_operation(std::string_view name);

/// Carries it out, and counts it.
Async<Result<Answer>> run(Operation const& operation, Call call);

using PathParameters = std::vector<std::pair<std::string_view, std::string>>;
/// The path's parameters if it fits the pattern. A parameter is one segment that is not empty.
std::optional<PathParameters> match(std::string_view pattern, std::string_view path);

struct Found {
  Operation const* operation = nullptr;
  PathParameters path;
  std::string allow;  ///< where the path is known and the method is not: for the header Allow
};
/// HEAD finds what GET finds.
Found find_route(std::string_view method, std::string_view path);

/// The table as JSON text: what operations.list answers.
std::string const& operations_text();

}  // namespace any::api
