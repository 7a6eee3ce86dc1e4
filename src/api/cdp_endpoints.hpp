#pragma once
// The doors of a Chrome with a debugging port: /json/…, and the sockets that speak CDP.

#include "api/api.hpp"
#include "api/cdp_paths.hpp"
#include "api/live.hpp"

namespace any::api {

class CdpEndpoints {
 public:
  CdpEndpoints(Services const& services, Live& live) : services_{services}, live_{live} {}

  /// Answers whatever is asked there.
  Async<void> serve(net::Exchange& exchange, CdpDoor door);

 private:
  Async<void> serve_socket(net::Exchange& exchange, CdpDoor door);
  Async<net::Response> answer(net::Exchange& exchange, CdpDoor door);
  Async<net::Response> list(net::Head const& head, std::string browser);
  net::Response version(net::Head const& head, browser::Info const& browser);
  net::Response protocol() const;
  Async<net::Response> create(net::Head const& head, std::string browser);
  Async<net::Response> act(CdpDoor door, std::string browser);
  /// The browser in which that target is: of those that are linked where none is named.
  Async<Result<browser::Info>> choose_for_target(CdpDoor door);

  Services const& services_;
  Live& live_;
};

}  // namespace any::api
