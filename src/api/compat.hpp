#pragma once
// The prototype's routes, with its own JSON (docs/compat.md): POST /task, GET /task/{id}, POST /task/{id}.

#include "api/api.hpp"

namespace any::api {

class Compat {
 public:
  explicit Compat(Services const& services) : services_{services} {}

  /// Whether the path is one of the prototype's.
  static bool takes(std::string_view path);
  /// Answers whatever is asked under such a path.
  Async<void> serve(net::Exchange& exchange);

 private:
  Async<net::Response> create(std::string body);
  Async<net::Response> get(std::vector<std::string> ids);
  Async<net::Response> finish(std::vector<std::string> ids, std::string body);

  Services const& services_;
};

/// An error as the prototype's framework wrote it: {"detail": …}.
net::Response detail_response(int status, std::string_view detail);

}  // namespace any::api
