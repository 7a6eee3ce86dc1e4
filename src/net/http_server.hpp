#pragma once
// The HTTP server: listens on several addresses, hands each request to one handler.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "net/socket.hpp"

namespace any::net {

struct Header {
  std::string name, value;
};

struct Head {
  std::string method;                                      ///< "GET"
  std::string target;                                      ///< as sent, e.g. "/v1/tasks?limit=5"
  std::string path;                                        ///< percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  std::vector<Header> headers;
  Peer peer;
  bool upgrade = false;  ///< asks for a WebSocket
  /// The header's value, compared without case; empty if absent.
  std::string_view header(std::string_view name) const;
  /// How often that header stands there (a second Host or Origin is refused).
  std::size_t count(std::string_view name) const;
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<Header> headers{};
};

/// An answer of unknown length, e.g. server-sent events.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual bool write(std::string chunk) = 0;  ///< as WebSocket::send
  virtual void finish() = 0;
  virtual Async<void> closed() = 0;  ///< until the peer has gone or finish() is through
};

/// One request on its way to its answer. Exactly one of the three answers must be given.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual Head const& head() const = 0;
  virtual std::string& body() = 0;
  virtual Async<void> respond(Response response) = 0;
  virtual Async<std::unique_ptr<Stream>> stream(Response head) = 0;
  virtual Async<Result<std::unique_ptr<WebSocket>>> accept(SocketLimits limits) = 0;
};

struct Handler {
  /// After the head, before the body: a response here refuses the request (and closes the connection after it).
  std::function<std::optional<Response>(Head const&)> admit;
  std::function<Async<void>(Exchange&)> handle;
  /// For what never becomes a request: a malformed head, a body over the limit, a client too slow.
  std::function<Response(Error const&)> failure;
};

struct ServerLimits {
  std::size_t max_body = std::size_t{64} << 20;
  std::size_t max_head = 16 << 10;
  int head_seconds = 10;       ///< for a head to arrive whole once it began
  int body_idle_seconds = 30;  ///< a body that stands still this long is given up
  int body_rate = 1024;        ///< bytes a second a body must keep on average after its first 30 s
  int keep_alive_seconds = 600;
  int handling_seconds = 360;  ///< for an answer to begin; longer than any wait that a caller may ask for
};

class HttpServer {
 public:
  HttpServer(boost::asio::io_context& io, Handler handler, ServerLimits limits);
  ~HttpServer();
  /// Listens on HOST:PORT ("[::1]:8766", "127.0.0.1:0"); the port it got. Errors: UnavailableError, with who holds the
  /// port where the kernel tells; BadRequestError for what is no address of loopback.
  Result<std::uint16_t> listen(std::string_view address);
  std::size_t connections() const;
  /// Stops listening, closes idle connections, gives running exchanges up to `grace_ms`.
  Async<void> stop(int grace_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The uid that owns the peer's end of a loopback TCP connection, from the kernel's socket table; nothing if it cannot
/// be told.
std::optional<unsigned> peer_uid(Peer const& peer);
/// "pid 123 (node)" of whoever listens on that port, or "another program".
std::string port_holder(std::uint16_t port);

}  // namespace any::net
