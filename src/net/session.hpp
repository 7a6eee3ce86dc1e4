#pragma once
// One accepted connection of the HTTP server: its requests one after another. Inside net/ only.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>

#include "async/spawn.hpp"
#include "async/timer.hpp"
#include "net/http_parser.hpp"
#include "net/http_server.hpp"
#include "net/read_buffer.hpp"
#include "net/stream.hpp"
#include "net/websocket.hpp"

namespace any::net {

class Session;

/// What all connections of a server share. Lives as long as the last of them.
struct ServerState {
  ServerState(boost::asio::io_context& loop, Handler what, ServerLimits bounds)
      : io{loop},
        handler{std::move(what)},
        limits{bounds},
        changed{loop},
        ticker_{loop.get_executor(), "the deadlines of connections"} {}
  /// Sees to it that deadlines are looked at at least that often; 0 asks for nothing.
  void watch_deadlines(std::chrono::milliseconds pace);

  boost::asio::io_context& io;
  Handler handler;
  ServerLimits limits;
  std::list<Session*> sessions;
  bool stopping = false;
  boost::asio::steady_timer changed;  ///< cancelled whenever a session ends: stop() waits on it

 private:
  void run_ticker(std::chrono::milliseconds pace);
  void check_deadlines();

  async::Timer ticker_;
  std::chrono::milliseconds tick_{0};  // the pace the ticker goes at; 0: it stands still
};

class Session final : public std::enable_shared_from_this<Session> {
 public:
  using Clock = std::chrono::steady_clock;

  Session(std::shared_ptr<ServerState> server, boost::asio::ip::tcp::socket socket);
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session();

  static Async<void> run(std::shared_ptr<Session> self);
  /// Ends what has gone beyond its time.
  void check_deadline(Clock::time_point now);
  /// How soon the deadline must be looked at again; 0: there is none.
  std::chrono::milliseconds pace() const noexcept;
  /// The server stops: an idle connection ends now, sockets and streams are told.
  void wind_up();
  void abort();
  /// Of what its coroutine waits for on behalf of the peer.
  async::Cancellation const& cancellation() const noexcept { return cancellation_; }

 private:
  friend class ServerExchange;
  enum class Phase : unsigned char { idle, head, body, handling, writing, streaming, socket, over };

  void enter(Phase phase);
  Async<bool> serve_one();
  Async<Result<Head>> read_head(HttpParser& parser, bool& silent);
  Async<Result<void>> read_body(HttpParser& parser, Head const& head, bool& silent);
  Async<bool> read_more(std::size_t count);
  Async<void> handle(class ServerExchange& exchange);
  /// While a request is handled: cancels it as soon as the peer has gone.
  void watch_peer();
  void peer_readable();
  void check_handler(Clock::duration since);
  Async<void> refuse(Error error);
  /// False: the peer took it not or too slowly, and the connection is closed.
  Async<bool> write(std::string head, std::string_view body);
  Response failure(Error const& error) const;

  std::shared_ptr<ServerState> server_;
  std::list<Session*>::iterator place_;
  boost::asio::ip::tcp::socket socket_;
  Peer peer_;
  ReadBuffer in_;
  Phase phase_ = Phase::idle;
  bool expired_ = false;
  bool watching_ = false;  // peer_readable() will be called
  bool late_ = false;      // the handler has been told that its time is over
  Clock::time_point entered_ = Clock::now(), progress_ = entered_;
  std::size_t body_bytes_ = 0;
  std::weak_ptr<SocketControl> opened_;
  std::shared_ptr<StreamState> stream_;
  async::Cancellation cancellation_;
  std::string handled_;  // for the log
};

}  // namespace any::net
