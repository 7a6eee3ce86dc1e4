#pragma once
// A socket whose other end is played by hand, with the contract of net::WebSocket (tests/contracts holds it to it).

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <deque>
#include <vector>

#include "async/one_shot.hpp"
#include "net/socket.hpp"

namespace any::browser {

/// Both ends of a socket, which outlive it: the daemon's, and what the test says as the peer. The peer takes a goodbye
/// at once.
struct Wire {
  explicit Wire(boost::asio::io_context& context) : io(context), arrived(context.get_executor()) {}
  boost::asio::io_context& io;
  async::OneShot<bool> arrived;
  std::deque<std::string> to_link;
  std::vector<boost::json::object> said;
  std::optional<std::uint16_t> closed;  ///< the code of our goodbye
  std::string reason;                   ///< and its reason
  std::string why;                      ///< why it has ended
  bool ended = false;

  void say(std::string text) {
    if (ended) return;
    to_link.push_back(std::move(text));
    wake();
  }
  /// The peer goes; what it has said before still arrives.
  void end() { end("The peer has gone."); }
  void end(std::string cause) {
    if (!ended) why = std::move(cause);
    ended = true;
    wake();
  }
  void wake() {
    auto const now = std::exchange(arrived, async::OneShot<bool>(io.get_executor()));
    now.set(true);
  }
};

class FakeSocket final : public net::WebSocket {
 public:
  explicit FakeSocket(Wire& wire) : wire_(wire) {}
  FakeSocket(FakeSocket const&) = delete;
  FakeSocket& operator=(FakeSocket const&) = delete;
  ~FakeSocket() override { abort(); }

  Async<Result<std::string>> receive() override { return next(wire_); }
  bool send(std::string text) override {
    if (wire_.ended) return false;
    wire_.said.push_back(boost::json::parse(text).as_object());
    return true;
  }
  void close(std::uint16_t code, std::string_view reason) override {
    if (wire_.ended) return;
    wire_.closed = code;
    wire_.reason = reason;
    cut("The connection was closed here.");
  }
  void abort() override { cut("The connection was ended here."); }
  std::size_t queued_bytes() const override { return 0; }
  net::Peer const& peer() const override { return peer_; }

 private:
  // The socket may go while this waits.
  static Async<Result<std::string>> next(Wire& wire) {
    while (wire.to_link.empty()) {
      if (wire.ended) co_return Error{ErrorName::UnavailableError, wire.why};
      auto const arrived = wire.arrived;
      co_await arrived.get();
    }
    auto text = std::move(wire.to_link.front());
    wire.to_link.pop_front();
    co_return text;
  }
  void cut(std::string why) {
    wire_.to_link.clear();
    wire_.end(std::move(why));
  }

  Wire& wire_;
  net::Peer peer_{"127.0.0.1", 5, "127.0.0.1", 8766};
};

}  // namespace any::browser
