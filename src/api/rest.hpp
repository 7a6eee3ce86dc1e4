#pragma once
// Requests to answers, by the table of routes.

#include "api/live.hpp"
#include "api/operations.hpp"
#include "api/routes.hpp"

namespace any::api {

/// An error as every door answers it.
net::Response failure_response(Error const& error);
net::Response json_response(int status, std::string body);

class Rest {
 public:
  Rest(Operations& operations, Live& live, Metrics& metrics)
      : operations_{operations}, live_{live}, metrics_{metrics} {}

  /// Answers the request from that table, whatever it is.
  Async<void> serve(net::Exchange& exchange, std::span<Route const> routes);

  // Answers that are not JSON made by an operation.
  Async<void> task_result(Call call);
  Async<void> task_script(Call call);
  Async<void> task_screenshot(Call call);
  Async<void> task_events(Call call);
  Async<void> browser_forget(Call call);
  Async<void> logs(Call call);
  Async<void> metrics(Call call);
  Async<void> openapi(Call call);

 private:
  Async<void> follow_logs(Call call, std::size_t limit, std::uint64_t since);

  Operations& operations_;
  Live& live_;
  Metrics& metrics_;
};

}  // namespace any::api
