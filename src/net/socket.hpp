#pragma once
// What the rest of the house sees of a WebSocket. Beast stays behind it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/async.hpp"
#include "base/error.hpp"

namespace any::net {

struct Peer {
  std::string address;  ///< "127.0.0.1", "::1"
  std::uint16_t port = 0;
  std::string local_address;
  std::uint16_t local_port = 0;
  std::optional<unsigned> uid{};  ///< who owns the peer's end; of the HTTP server's connections, where the kernel tells
};

struct SocketLimits {
  std::size_t max_message = std::size_t{64} << 20;  ///< bytes of one incoming message; above: closed with 1009
  std::size_t max_queue = std::size_t{64}
                          << 20;  ///< bytes waiting to go out; above: closed with 1013 and said in the log
};

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// The next text message. An error means the socket has ended: UnavailableError with the cause. One caller at a time.
  virtual Async<Result<std::string>> receive() = 0;
  /// Queues a text message, never waits; messages leave in order. False: the socket has ended or was cut off because
  /// its queue was full.
  virtual bool send(std::string text) = 0;
  /// Says goodbye after what is queued; receive() then ends. Idempotent.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  /// Ends the socket now, without a goodbye.
  virtual void abort() = 0;
  virtual std::size_t queued_bytes() const = 0;
  virtual Peer const& peer() const = 0;
};

}  // namespace any::net
