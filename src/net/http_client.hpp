#pragma once
// Outgoing calls to a daemon on loopback. Never through a proxy.

#include <chrono>

#include "net/http_server.hpp"

namespace any::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  ///< http://127.0.0.1:8766/path?query
  std::vector<Header> headers{};
  std::string body{};
  std::chrono::milliseconds timeout{30'000};
};

/// Errors: UnavailableError (refused, reset, not HTTP), TimeoutError.
Async<Result<Response>> http_call(ClientRequest request);
/// ws:// or http:// address. Errors as above, or the server's own error where it answered with another status than 101.
Async<Result<std::unique_ptr<WebSocket>>> connect_websocket(std::string url, std::vector<Header> headers,
                                                            SocketLimits limits);

}  // namespace any::net
