#pragma once
// Requests to answers, by the table of operations.

#include "api/ops/operation.hpp"

namespace any::api {

/// An error as every door answers it.
net::Response failure_response(Error const& error);
net::Response json_response(int status, std::string body);

class Rest {
 public:
  Rest(Context const& context, Live& live) : context_{context}, live_{live} {}

  /// Answers the request, whatever it is.
  Async<void> serve(net::Exchange& exchange);

 private:
  Async<void> stream(net::Exchange& exchange, EventSource& source);

  Context const& context_;
  Live& live_;
};

}  // namespace any::api
