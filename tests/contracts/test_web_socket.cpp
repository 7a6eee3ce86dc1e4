// What every WebSocket keeps (net::WebSocket): the double that the tests of links, RPC and CDP clients stand on, and
// the one that the server hands out.
#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/serialize.hpp>

#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "unit/browser/played_socket.hpp"

namespace any::contracts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// One open socket, with its peer played by hand.
class Rig {
 public:
  virtual ~Rig() = default;
  virtual void say(std::string text) = 0;
  /// The peer goes, after what it has said.
  virtual void go() = 0;
  /// What the peer has heard, messages in their order and how it ended: "closed 4001 (done)" after a goodbye, else
  /// "ended".
  virtual std::vector<std::string> heard() = 0;

  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  boost::asio::io_context io{1};
  std::unique_ptr<net::WebSocket> socket;
};

class DoubleRig final : public Rig {
 public:
  DoubleRig() { socket = std::make_unique<browser::FakeSocket>(wire_); }
  ~DoubleRig() override { socket.reset(); }  // before its wire
  void say(std::string text) override { wire_.say(std::move(text)); }
  void go() override { wire_.end(); }
  std::vector<std::string> heard() override {
    std::vector<std::string> all;
    for (auto const& message : wire_.said) all.push_back(boost::json::serialize(message));
    if (wire_.closed) {
      all.push_back("closed " + std::to_string(*wire_.closed) + " (" + wire_.reason + ")");
    } else if (wire_.ended) {
      all.emplace_back("ended");
    }
    return all;
  }

 private:
  browser::Wire wire_{io};
};

class ServerRig final : public Rig {
 public:
  ServerRig() {
    net::Handler handler;
    handler.handle = [this](net::Exchange& exchange) { return accept(exchange); };
    handler.failure = [](Error const& error) { return net::Response{500, "text/plain", error.message}; };
    server_ = std::make_unique<net::HttpServer>(io, std::move(handler), net::ServerLimits{});
    auto const port = server_->listen("127.0.0.1:0");
    if (!port) throw std::runtime_error(port.error().message);
    boost::asio::co_spawn(io, connect(*port), boost::asio::detached);
    EXPECT_TRUE(until([this] { return socket && peer_; }));
    boost::asio::co_spawn(io, listen(), boost::asio::detached);
  }
  ~ServerRig() override {
    socket.reset();
    if (peer_) peer_->abort();
    until([this] { return over_; });
    server_.reset();
  }
  void say(std::string text) override { peer_->send(std::move(text)); }
  void go() override { peer_->close(1000, ""); }
  std::vector<std::string> heard() override { return heard_; }

 private:
  Async<void> accept(net::Exchange& exchange) {
    auto accepted = co_await exchange.accept({});
    if (accepted) socket = std::move(*accepted);
  }
  Async<void> connect(std::uint16_t port) {
    auto opened = co_await net::connect_websocket("http://127.0.0.1:" + std::to_string(port) + "/", {}, {});
    if (opened) peer_ = std::move(*opened);
  }
  Async<void> listen() {
    while (auto text = co_await peer_->receive()) heard_.push_back(std::move(*text));
    auto const end = (co_await peer_->receive()).error().message;
    std::string_view constexpr goodbye = "The peer closed the connection with ";
    heard_.push_back(end.starts_with(goodbye) ? "closed " + end.substr(goodbye.size(), end.size() - goodbye.size() - 1)
                                              : "ended");
    over_ = true;
  }

  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::WebSocket> peer_;
  std::vector<std::string> heard_;
  bool over_ = false;
};

template <class Made>
class WebSocket : public testing::Test {
 protected:
  Async<void> take(net::WebSocket& socket) {
    auto text = co_await socket.receive();
    got.push_back(text ? *text : std::string(to_string(text.error().name)));
    if (!text) why = text.error().message;
  }
  /// Begins to wait for the next message, which joins `got`.
  void begin_to_receive() { boost::asio::co_spawn(rig.io, take(*rig.socket), boost::asio::detached); }
  bool receive() {
    auto const before = got.size();
    begin_to_receive();
    return rig.until([&] { return got.size() > before; });
  }
  bool peer_hears(std::size_t count) {
    return rig.until([&] { return rig.heard().size() >= count; });
  }

  Made rig;
  std::vector<std::string> got;
  std::string why;
};

using Sockets = testing::Types<DoubleRig, ServerRig>;
class Name {
 public:
  template <class Made>
  static std::string GetName(int) {
    return std::is_same_v<Made, DoubleRig> ? "double" : "server";
  }
};
TYPED_TEST_SUITE(WebSocket, Sockets, Name);

TYPED_TEST(WebSocket, messages_come_and_leave_in_their_order) {
  for (auto const* text : {R"({"n":1})", R"({"n":2})"}) {
    this->rig.say(text);
    EXPECT_TRUE(this->rig.socket->send(text));
  }
  EXPECT_TRUE(this->receive() && this->receive());
  EXPECT_THAT(this->got, ElementsAre(R"({"n":1})", R"({"n":2})"));
  ASSERT_TRUE(this->peer_hears(2));
  EXPECT_THAT(this->rig.heard(), ElementsAre(R"({"n":1})", R"({"n":2})"));
  EXPECT_EQ(this->rig.socket->queued_bytes(), 0U);
}

TYPED_TEST(WebSocket, what_a_peer_said_before_it_went_is_received_and_then_the_end_each_time) {
  this->rig.say(R"({"n":1})");
  this->rig.go();
  EXPECT_TRUE(this->receive() && this->receive() && this->receive());
  EXPECT_THAT(this->got, ElementsAre(R"({"n":1})", "UnavailableError", "UnavailableError"));
  EXPECT_NE(this->why, "");
}

TYPED_TEST(WebSocket, whoever_waits_for_a_message_is_told_that_the_peer_went_and_nothing_leaves_any_more) {
  this->begin_to_receive();
  this->rig.go();
  ASSERT_TRUE(this->rig.until([this] { return this->got.size() == 1; }));
  EXPECT_THAT(this->got, ElementsAre("UnavailableError"));
  EXPECT_FALSE(this->rig.socket->send(R"({"n":1})"));
}

TYPED_TEST(WebSocket, a_goodbye_comes_after_what_is_queued_and_is_the_last_word) {
  EXPECT_TRUE(this->rig.socket->send(R"({"n":1})"));
  this->rig.socket->close(4001, "done");
  EXPECT_FALSE(this->rig.socket->send(R"({"n":2})"));
  this->rig.socket->close(1008, "again");
  EXPECT_TRUE(this->receive());
  EXPECT_THAT(this->got, ElementsAre("UnavailableError"));
  ASSERT_TRUE(this->peer_hears(2));
  EXPECT_THAT(this->rig.heard(), ElementsAre(R"({"n":1})", "closed 4001 (done)"));
  EXPECT_FALSE(this->rig.socket->send(R"({"n":3})"));
}

TYPED_TEST(WebSocket, whoever_waits_for_a_message_is_told_of_a_goodbye_of_our_own) {
  this->begin_to_receive();
  this->rig.until([this] { return this->rig.io.poll() == 0; });
  this->rig.socket->close(4001, "done");
  ASSERT_TRUE(this->rig.until([this] { return this->got.size() == 1; }));
  EXPECT_THAT(this->got, ElementsAre("UnavailableError"));
}

TYPED_TEST(WebSocket, once_ended_here_nothing_is_received_that_had_come_and_no_goodbye_is_said) {
  this->rig.say(R"({"n":1})");
  this->rig.socket->abort();
  this->rig.socket->close(4001, "done");
  EXPECT_FALSE(this->rig.socket->send(R"({"n":2})"));
  EXPECT_TRUE(this->receive());
  EXPECT_THAT(this->got, ElementsAre("UnavailableError"));
  ASSERT_TRUE(this->peer_hears(1));
  EXPECT_THAT(this->rig.heard(), ElementsAre("ended"));
}

TYPED_TEST(WebSocket, whoever_waits_for_a_message_is_told_that_it_was_ended_here) {
  this->begin_to_receive();
  this->rig.until([this] { return this->rig.io.poll() == 0; });
  this->rig.socket->abort();
  ASSERT_TRUE(this->rig.until([this] { return this->got.size() == 1; }));
  EXPECT_THAT(this->got, ElementsAre("UnavailableError"));
}

TYPED_TEST(WebSocket, it_ends_with_its_owner_also_while_somebody_waits_for_a_message) {
  this->begin_to_receive();
  this->rig.until([this] { return this->rig.io.poll() == 0; });
  this->rig.socket.reset();
  ASSERT_TRUE(this->rig.until([this] { return this->got.size() == 1; }));
  EXPECT_THAT(this->got, ElementsAre("UnavailableError"));
  ASSERT_TRUE(this->peer_hears(1));
  EXPECT_THAT(this->rig.heard(), ElementsAre("ended"));
}

TYPED_TEST(WebSocket, an_owner_who_goes_after_a_goodbye_leaves_it_to_be_said) {
  this->rig.socket->send(R"({"n":1})");
  this->rig.socket->close(1008, "not you");
  this->rig.socket.reset();
  ASSERT_TRUE(this->peer_hears(2));
  EXPECT_THAT(this->rig.heard(), ElementsAre(R"({"n":1})", "closed 1008 (not you)"));
}

}  // namespace
}  // namespace any::contracts
