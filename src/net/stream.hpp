#pragma once
// An answer that is written bit by bit. Inside net/ only.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>

#include "net/http_server.hpp"

namespace any::net {

/// Shared by the connection, which owns the socket and outlives it, and the handler's Stream.
class StreamState : public std::enable_shared_from_this<StreamState> {
 public:
  StreamState(boost::asio::ip::tcp::socket& socket, Peer const& peer, bool chunked, bool silent);

  /// Begins to notice the peer's leaving.
  void start();
  bool write(std::string chunk);
  void finish();
  /// Ends it for both sides; nothing more is sent.
  void give_up();
  /// Tells the handler that it is over, but lets what is queued go out.
  void wind_up();
  /// Until nothing more will be written.
  Async<void> over();
  /// Until the handler need not go on.
  Async<void> closed();
  bool clean() const noexcept { return finished_ && !gone_; }
  /// A peer that takes nothing for this long is given up.
  void check_deadline(std::chrono::steady_clock::time_point now);

 private:
  void write_next();
  void watch_peer();
  void wake();

  boost::asio::ip::tcp::socket& socket_;
  boost::asio::steady_timer event_;
  std::string peer_;
  std::list<std::string> queue_;
  std::size_t queued_ = 0;
  std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
  bool chunked_, silent_;
  bool finishing_ = false, finished_ = false, gone_ = false, told_ = false;
};

/// The handler's end. One that goes without finish() cuts the answer off, so that nobody takes it for whole.
std::unique_ptr<Stream> stream_of(std::shared_ptr<StreamState> state);

}  // namespace any::net
