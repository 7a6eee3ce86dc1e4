#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "base/log.hpp"
#include "fixture.hpp"

namespace any::net {
namespace {

using namespace std::chrono_literals;

std::string const upgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

class WebSocketTest : public ServerTest {
 protected:
  void serve_echo(SocketLimits limits = {}) {
    serve([this, limits](Exchange& exchange) { return serve_socket(exchange, limits, ended); });
  }
  static Async<void> serve_socket(Exchange& exchange, SocketLimits limits, std::promise<std::string>& ended) {
    auto accepted = co_await exchange.accept(limits);
    if (accepted.has_error()) {
      Response response{400, "text/plain", accepted.error().message};
      co_await exchange.respond(std::move(response));
      co_return;
    }
    auto const socket = std::move(*accepted);
    for (;;) {
      auto message = co_await socket->receive();
      if (message.has_error()) {
        ended.set_value(message.error().message);
        co_return;
      }
      socket->send(std::move(*message));
    }
  }
  std::unique_ptr<WebSocket> open(SocketLimits limits = {}) {
    auto opened = loop.wait(connect_websocket(url("/ws"), {}, limits));
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    return opened.has_value() ? std::move(*opened) : nullptr;
  }
  tcp::socket open_raw() {
    auto socket = connect();
    say(socket, upgrade);
    EXPECT_NE(hear_until(socket, "\r\n\r\n").find("101"), std::string::npos);
    return socket;
  }
  void drop(std::unique_ptr<WebSocket>& socket) {
    loop.call([&] {
      socket.reset();
      return 0;
    });
  }
  std::string how_it_ended() {
    auto future = ended.get_future();
    return future.wait_for(10s) == std::future_status::ready ? future.get() : "it did not end";
  }

  std::promise<std::string> ended;
};

// A frame as a client sends it, masked with zeros.
std::string frame(int first, std::string_view payload) {
  std::string text{static_cast<char>(first)};
  text += static_cast<char>(0x80 | payload.size());
  return text.append(4, '\0').append(payload);
}

TEST_F(WebSocketTest, CarriesMessagesOfAnySizeBothWays) {
  serve_echo();
  auto socket = open();
  for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126},
                                 std::size_t{65'535}, std::size_t{65'536}, std::size_t{8} << 20}) {
    std::string const sent(size, 'x');
    loop.call([&] { return socket->send(sent); });
    auto const got = loop.wait(socket->receive());
    ASSERT_TRUE(got.has_value()) << got.error().message;
    EXPECT_EQ(got->size(), size);
  }
  drop(socket);
}

TEST_F(WebSocketTest, KeepsTheOrderOfManyMessages) {
  serve_echo();
  auto socket = open();
  loop.call([&] {
    for (int i = 0; i < 5'000; ++i) socket->send(std::to_string(i));
    return 0;
  });
  for (int i = 0; i < 5'000; ++i) ASSERT_EQ(*loop.wait(socket->receive()), std::to_string(i));
  drop(socket);
}

TEST_F(WebSocketTest, SaysGoodbyeBothWaysWithCodeAndReason) {
  serve_echo();
  auto socket = open();
  loop.call([&] {
    socket->send("last");
    socket->close(4001, "done");
    EXPECT_FALSE(socket->send("after"));
    return 0;
  });
  EXPECT_EQ(how_it_ended(), "The peer closed the connection with 4001 (done).");
  EXPECT_TRUE(eventually([&] { return connections() == 0; }));
  drop(socket);
}

TEST_F(WebSocketTest, SendsItsGoodbyeEvenWhenItsOwnerGoesAtOnce) {
  serve([](Exchange& exchange) -> Async<void> {
    auto accepted = co_await exchange.accept({});
    (*accepted)->send("first");
    (*accepted)->close(1008, "not you");
  });
  auto socket = open();
  EXPECT_EQ(*loop.wait(socket->receive()), "first");
  auto const end = loop.wait(socket->receive());
  ASSERT_TRUE(end.has_error());
  EXPECT_NE(end.error().message.find("1008 (not you)"), std::string::npos) << end.error().message;
  drop(socket);
}

TEST_F(WebSocketTest, TellsTheReceiverWhenThePeerVanishes) {
  serve_echo();
  open_raw().close();
  EXPECT_NE(how_it_ended(), "it did not end");
}

TEST_F(WebSocketTest, RefusesBinaryMessagesWith1003) {
  serve_echo();
  auto socket = open_raw();
  say(socket, frame(0x82, "ab"));
  auto const answer = hear_until(socket, "spoken here");
  ASSERT_GE(answer.size(), 4U);
  EXPECT_EQ(static_cast<unsigned char>(answer[0]), 0x88U);
  EXPECT_EQ(static_cast<unsigned char>(answer[2]) * 256 + static_cast<unsigned char>(answer[3]), 1003);
  EXPECT_EQ(how_it_ended(), "The peer sent a binary message.");
}

TEST_F(WebSocketTest, ClosesAMessageOverTheLimitWith1009) {
  SocketLimits limits;
  limits.max_message = 100;
  serve_echo(limits);
  auto socket = open();
  loop.call([&] { return socket->send(std::string(101, 'x')); });
  auto const end = loop.wait(socket->receive());
  ASSERT_TRUE(end.has_error());
  EXPECT_NE(end.error().message.find("1009"), std::string::npos) << end.error().message;
  drop(socket);
}

TEST_F(WebSocketTest, EndsOnTextThatIsNotUtf8AndOnBrokenFrames) {
  serve_echo();
  auto socket = open_raw();
  say(socket, frame(0x81, "\xFF"));
  EXPECT_NE(how_it_ended(), "it did not end");
}

TEST_F(WebSocketTest, EndsOnAFrameThatIsNotMasked) {
  serve_echo();
  auto socket = open_raw();
  say(socket, std::string{"\x81\x01x"});
  EXPECT_NE(how_it_ended(), "it did not end");
  EXPECT_TRUE(eventually([&] { return connections() == 0; }));
}

TEST_F(WebSocketTest, DoesNotWaitForeverForAPeerThatIgnoresTheGoodbye) {
  serve([this](Exchange& exchange) -> Async<void> {
    auto accepted = co_await exchange.accept({});
    (*accepted)->close(1000, "bye");
    auto const end = co_await (*accepted)->receive();
    ended.set_value(end.error().message);
  });
  auto socket = open_raw();
  EXPECT_NE(how_it_ended(), "it did not end");
}

TEST_F(WebSocketTest, AnswersAPingOfTheProtocol) {
  serve_echo();
  auto socket = open_raw();
  say(socket, frame(0x89, "hi"));
  EXPECT_EQ(hear_until(socket, "hi"), "\x8A\x02hi");
}

TEST_F(WebSocketTest, PutsFragmentsTogether) {
  serve_echo();
  auto socket = open_raw();
  say(socket, frame(0x01, "ab") + frame(0x00, "cd") + frame(0x80, "ef"));
  EXPECT_EQ(hear_until(socket, "ef"),
            "\x81\x06"
            "abcdef");
}

TEST_F(WebSocketTest, CutsOffAPeerThatDoesNotRead) {
  std::promise<bool> cut;
  serve([&](Exchange& exchange) -> Async<void> {
    SocketLimits limits;
    limits.max_queue = std::size_t{1} << 20;
    auto accepted = co_await exchange.accept(limits);
    auto& socket = **accepted;
    bool taken = true;
    std::size_t most = 0;
    for (int i = 0; i < 1'000 && taken; ++i) {
      taken = socket.send(std::string(100'000, 'x'));
      most = std::max(most, socket.queued_bytes());
    }
    cut.set_value(!taken && most <= limits.max_queue);
    auto const end = co_await socket.receive();
    ended.set_value(end.error().message);
  });
  auto socket = open_raw();
  EXPECT_TRUE(cut.get_future().get());
  EXPECT_EQ(how_it_ended(), "The peer was cut off: it read too slowly.");
  EXPECT_NE(log::recent(5).back().text.find("is cut off"), std::string::npos);
}

TEST_F(WebSocketTest, TakesOneMessageLargerThanTheQueue) {
  serve([](Exchange& exchange) -> Async<void> {
    SocketLimits limits;
    limits.max_queue = 1000;
    auto accepted = co_await exchange.accept(limits);
    EXPECT_TRUE((*accepted)->send(std::string(5'000'000, 'x')));
    co_await (*accepted)->receive();
  });
  auto socket = open();
  EXPECT_EQ(loop.wait(socket->receive())->size(), 5'000'000U);
  drop(socket);
}

TEST_F(WebSocketTest, AnswersWithAnErrorWhereNoUpgradeWasAskedFor) {
  serve_echo();
  auto const answer = ask("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("400"), std::string::npos) << answer;
  EXPECT_NE(answer.find("ask for an upgrade"), std::string::npos);
}

TEST_F(WebSocketTest, TellsTheClientTheServersOwnReasonForNoUpgrade) {
  serve([](Exchange& exchange) -> Async<void> {
    Response response{401, "application/json",
                      R"({"error":{"name":"UnauthorizedError","message":"a token is needed"}})"};
    co_await exchange.respond(std::move(response));
  });
  auto const opened = loop.wait(connect_websocket(url("/ws"), {}, {}));
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().name, ErrorName::UnauthorizedError);
  EXPECT_EQ(opened.error().message, "a token is needed");
}

TEST_F(WebSocketTest, SendsTheHeadersItIsGiven) {
  std::string seen;
  serve([&](Exchange& exchange) -> Async<void> {
    seen = exchange.head().header("authorization");
    co_await exchange.accept({});
  });
  std::vector<Header> headers{{"Authorization", "Bearer abc"}};
  auto opened = loop.wait(connect_websocket(url("/ws"), std::move(headers), {}));
  EXPECT_TRUE(opened.has_value());
  EXPECT_EQ(seen, "Bearer abc");
  if (opened.has_value()) drop(*opened);
}

TEST_F(WebSocketTest, IsToldWhenTheServerStops) {
  serve_echo();
  auto socket = open();
  auto stopping = asio::co_spawn(loop.io, server->stop(5'000), asio::use_future);
  auto const end = loop.wait(socket->receive());
  ASSERT_TRUE(end.has_error());
  EXPECT_NE(end.error().message.find("1001"), std::string::npos) << end.error().message;
  EXPECT_EQ(stopping.wait_for(4s), std::future_status::ready);
  drop(socket);
}

TEST(HttpCall, SaysThatNobodyAnswers) {
  Loop loop;
  asio::io_context other;
  tcp::acceptor const taken{other, {asio::ip::address_v4::loopback(), 0}};
  auto const port = taken.local_endpoint().port();
  auto const late = loop.wait(http_call({.url = "http://127.0.0.1:" + std::to_string(port) + "/", .timeout = 200ms}));
  ASSERT_TRUE(late.has_error());
  EXPECT_EQ(late.error().name, ErrorName::TimeoutError);
  tcp::acceptor closed{other, {asio::ip::address_v4::loopback(), 0}};
  auto const free_port = closed.local_endpoint().port();
  closed.close();
  auto const none = loop.wait(http_call({.url = "http://127.0.0.1:" + std::to_string(free_port) + "/"}));
  ASSERT_TRUE(none.has_error());
  EXPECT_EQ(none.error().name, ErrorName::UnavailableError);
  EXPECT_TRUE(loop.wait(http_call({.url = "ftp://x/"})).has_error());
  EXPECT_TRUE(loop.wait(http_call({.url = "http://example.org/"})).has_error());
}

TEST_F(WebSocketTest, IsFoundUnderLocalhostToo) {
  serve(echo);
  auto const answer = loop.wait(http_call({.url = "http://localhost:" + std::to_string(port) + "/q"}));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "GET /q|");
}

}  // namespace
}  // namespace any::net
