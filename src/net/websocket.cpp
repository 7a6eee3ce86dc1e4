#include "net/websocket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <list>

#include "async/timer.hpp"
#include "base/log.hpp"

namespace any::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ws = boost::beast::websocket;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {
constexpr auto goodbye_patience = std::chrono::seconds{3};
constexpr std::size_t client_write_buffer = std::size_t{64} << 10;
}  // namespace

/// The TCP socket under a WebSocket, with an end of its own: Beast would wait for the peer's without a limit.
class Wire : public tcp::socket {
 public:
  explicit Wire(tcp::socket socket) : tcp::socket{std::move(socket)} {}
};

template <class TeardownHandler>
void async_teardown(boost::beast::role_type, Wire& wire, TeardownHandler&& handler) {
  auto const executor = wire.get_executor();
  linger(tcp::socket{std::move(static_cast<tcp::socket&>(wire))});
  asio::post(executor, boost::beast::bind_front_handler(std::forward<TeardownHandler>(handler), ErrorCode{}));
}

namespace {

using Stream = ws::stream<Wire, false>;

class Connection final : public SocketControl, public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Peer peer, SocketLimits limits)
      : stream_{Wire{std::move(socket)}}, peer_{std::move(peer)}, limits_{limits} {
    stream_.auto_fragment(false);
    stream_.read_message_max(limits.max_message);
    stream_.write_buffer_bytes(client_write_buffer);
    ws::stream_base::timeout none{};
    none.handshake_timeout = ws::stream_base::none();
    none.idle_timeout = ws::stream_base::none();
    none.keep_alive_pings = false;
    stream_.set_option(none);
  }

  Stream& stream() noexcept { return stream_; }
  Peer const& peer() const noexcept { return peer_; }
  std::size_t queued() const noexcept { return queued_; }
  bool closing() const noexcept { return closing_; }

  Async<Result<std::string>> receive() {
    auto const self = shared_from_this();
    if (!ended_.empty()) co_return Error{ErrorName::UnavailableError, ended_};
    std::string text;
    auto buffer = asio::dynamic_buffer(text);
    auto const [failed, count] = co_await stream_.async_read(buffer, asio::as_tuple(asio::use_awaitable));
    if (failed) {
      end(failed == ws::error::closed ? said_goodbye() : "The connection ended: " + failed.message() + ".");
    } else if (ended_.empty() && !stream_.got_text()) {
      close(ws::close_code::unknown_data, "only text messages are spoken here");
      end("The peer sent a binary message.");
    }
    if (!ended_.empty()) co_return Error{ErrorName::UnavailableError, ended_};
    co_return text;
  }

  bool send(std::string text) {
    if (closing_ || !ended_.empty()) return false;
    if (queued_ > 0 && queued_ + text.size() > limits_.max_queue) {
      log::warn("The peer " + peer_.address + ":" + std::to_string(peer_.port) +
                " is cut off: " + std::to_string(queued_) + " bytes wait for it and it does not read.");
      // The message on its way stays: half of it has left.
      if (queue_.size() > 1) queue_.erase(std::next(queue_.begin()), queue_.end());
      queued_ = queue_.front().size();
      close(ws::close_code::try_again_later, "too slow: the queue of messages is full");
      end("The peer was cut off: it read too slowly.");
      return false;
    }
    queued_ += text.size();
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) write_next();
    return true;
  }

  void close(std::uint16_t code, std::string_view reason) override {
    if (closing_ || !ended_.empty()) return;
    closing_ = true;
    constexpr std::size_t max_reason = 123;
    reason_.code = static_cast<ws::close_code>(code);
    reason_.reason.assign(reason.data(), std::min(reason.size(), max_reason));
    guard_.emplace(stream_.get_executor(), "the end of a WebSocket whose peer says no goodbye");
    guard_->after(goodbye_patience, [this] { abort(); });
    if (queue_.empty()) say_goodbye();
  }

  void abort() override {
    end("The connection was ended here.");
    shut();
  }

 private:
  void write_next() {
    stream_.async_write(asio::buffer(queue_.front()),
                        [self = shared_from_this()](ErrorCode failed, std::size_t) { self->written(failed); });
  }

  void written(ErrorCode failed) {
    queued_ -= queue_.front().size();
    queue_.pop_front();
    if (failed) {
      end("The connection ended: " + failed.message() + ".");
      queue_.clear();
      queued_ = 0;
      // A goodbye that is being exchanged has its own end; anything else must let receive() know.
      if (failed != ws::error::closed && failed != asio::error::operation_aborted) shut();
    } else if (!queue_.empty()) {
      write_next();
    } else if (closing_) {
      say_goodbye();
    }
  }

  void say_goodbye() {
    stream_.async_close(reason_, [self = shared_from_this()](ErrorCode) {
      self->end("The connection was closed here.");
      self->shut();
    });
  }

  void shut() {
    if (guard_) guard_->cancel();
    ErrorCode ignored;
    stream_.next_layer().close(ignored);
  }

  std::string said_goodbye() const {
    auto const& said = stream_.reason();
    auto text = "The peer closed the connection with " + std::to_string(said.code);
    if (!said.reason.empty()) text.append(" (").append(said.reason.data(), said.reason.size()).append(")");
    return text + ".";
  }

  // The first cause is the one that is told.
  void end(std::string why) {
    if (ended_.empty()) ended_ = std::move(why);
  }

  Stream stream_;
  Peer peer_;
  SocketLimits limits_;
  std::list<std::string> queue_;
  std::size_t queued_ = 0;
  bool closing_ = false;
  std::string ended_;
  ws::close_reason reason_;
  std::optional<async::Timer> guard_;
};

class Handle final : public WebSocket {
 public:
  explicit Handle(std::shared_ptr<Connection> connection) : connection_{std::move(connection)} {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() override {
    if (!connection_->closing()) connection_->abort();
  }

  Async<Result<std::string>> receive() override { return connection_->receive(); }
  bool send(std::string text) override { return connection_->send(std::move(text)); }
  void close(std::uint16_t code, std::string_view reason) override { connection_->close(code, reason); }
  void abort() override { connection_->abort(); }
  std::size_t queued_bytes() const override { return connection_->queued(); }
  Peer const& peer() const override { return connection_->peer(); }

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace

Async<Result<OpenedSocket>> accept_websocket(tcp::socket socket, Head const& head, SocketLimits limits) {
  auto peer = head.peer;
  auto connection = std::make_shared<Connection>(std::move(socket), std::move(peer), limits);
  http::request<http::empty_body> request;
  request.method_string(head.method);
  request.target(head.target);
  request.version(11);
  for (auto const& [name, value] : head.headers) request.insert(name, value);
  auto const [failed] = co_await connection->stream().async_accept(request, asio::as_tuple(asio::use_awaitable));
  if (failed) {
    linger(tcp::socket{std::move(static_cast<tcp::socket&>(connection->stream().next_layer()))});
    co_return Error{ErrorName::BadRequestError, "The WebSocket could not be opened: " + failed.message() + "."};
  }
  OpenedSocket opened{std::make_unique<Handle>(connection), connection};
  co_return opened;
}

Async<Result<std::unique_ptr<WebSocket>>> ask_for_websocket(tcp::socket socket, Peer peer, std::string host,
                                                            std::string target, std::vector<Header> headers,
                                                            SocketLimits limits) {
  auto connection = std::make_shared<Connection>(std::move(socket), std::move(peer), limits);
  auto& stream = connection->stream();
  ws::stream_base::decorator add_headers{[headers = std::move(headers)](ws::request_type& request) {
    for (auto const& [name, value] : headers) request.set(name, value);
  }};
  stream.set_option(std::move(add_headers));
  ws::response_type answer;
  auto const [failed] = co_await stream.async_handshake(answer, host, target, asio::as_tuple(asio::use_awaitable));
  if (failed == ws::error::upgrade_declined) {
    co_return error_of_answer(static_cast<int>(answer.result_int()), answer.body());
  }
  if (failed)
    co_return Error{ErrorName::UnavailableError, "The WebSocket could not be opened: " + failed.message() + "."};
  std::unique_ptr<WebSocket> handle = std::make_unique<Handle>(connection);
  co_return handle;
}

}  // namespace any::net
