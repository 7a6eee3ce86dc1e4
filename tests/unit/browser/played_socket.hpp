#pragma once
// A link's socket whose other end, the extension's, is played by hand.

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <deque>
#include <vector>

#include "async/one_shot.hpp"
#include "net/socket.hpp"

namespace any::browser {

/// Both ends of a socket: the link's, and what the test says as the extension.
struct Wire {
  explicit Wire(boost::asio::io_context& context) : io(context), arrived(context.get_executor()) {}
  boost::asio::io_context& io;
  async::OneShot<bool> arrived;
  std::deque<std::string> to_link;
  std::vector<boost::json::object> said;
  std::optional<std::uint16_t> closed;
  bool ended = false;

  void say(std::string text) {
    to_link.push_back(std::move(text));
    wake();
  }
  void end() {
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
  Async<Result<std::string>> receive() override {
    while (wire_.to_link.empty()) {
      if (wire_.ended) co_return Error{ErrorName::UnavailableError, "the peer has gone"};
      auto const arrived = wire_.arrived;
      co_await arrived.get();
    }
    auto text = std::move(wire_.to_link.front());
    wire_.to_link.pop_front();
    co_return text;
  }
  bool send(std::string text) override {
    wire_.said.push_back(boost::json::parse(text).as_object());
    return !wire_.ended;
  }
  void close(std::uint16_t code, std::string_view) override {
    wire_.closed = code;
    wire_.end();
  }
  void abort() override { wire_.end(); }
  std::size_t queued_bytes() const override { return 0; }
  net::Peer const& peer() const override { return peer_; }

 private:
  Wire& wire_;
  net::Peer peer_{"127.0.0.1", 5, "127.0.0.1", 8766};
};

}  // namespace any::browser
