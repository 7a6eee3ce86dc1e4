#include <chrono>

#include "fixture.hpp"

namespace any::net {
namespace {

using namespace std::chrono_literals;

std::string get(std::string_view path, bool close = true) {
  return "GET " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n" + (close ? "Connection: close\r\n\r\n" : "\r\n");
}

class HttpServerTest : public ServerTest {};

TEST_F(HttpServerTest, AnswersARequest) {
  serve(echo);
  EXPECT_EQ(ask(get("/a%20b?x=1")),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nConnection: close\r\n\r\nGET /a b|");
}

TEST_F(HttpServerTest, DecodesTheQueryInOrder) {
  Head seen;
  serve([&seen](Exchange& exchange) -> Async<void> {
    seen = exchange.head();
    return echo(exchange);
  });
  ask(get("/p?a=1&b=x%26y+z&a=2&flag"));
  ASSERT_EQ(seen.query.size(), 4U);
  EXPECT_EQ(seen.parameter("b"), "x&y z");
  EXPECT_EQ(seen.parameter("flag"), "");
  EXPECT_EQ(seen.query[2].second, "2");
  EXPECT_EQ(seen.parameter("none"), std::nullopt);
  EXPECT_EQ(seen.header("HOST"), "x");
  EXPECT_EQ(seen.peer.address, "127.0.0.1");
  EXPECT_EQ(seen.peer.local_port, port);
}

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  serve(echo);
  auto const text = ask(get("/1", false) + "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + get("/3"));
  auto const one = text.find("GET /1|"), two = text.find("POST /2|abc"), three = text.find("GET /3|");
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_NE(three, std::string::npos) << text;
}

TEST_F(HttpServerTest, ReadsABodyThatComesInChunks) {
  serve(echo);
  EXPECT_TRUE(ask("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: "
                  "close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                  .ends_with("POST /c|abcde"));
}

TEST_F(HttpServerTest, ReadsABodyByteForByte) {
  serve(echo);
  auto socket = connect();
  for (char const c :
       std::string_view{"POST /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"})
    say(socket, std::string(1, c));
  EXPECT_TRUE(hear(socket).ends_with("POST /b|hello"));
}

TEST_F(HttpServerTest, CarriesALargeBodyThereAndBack) {
  serve(echo);
  ClientRequest request;
  request.method = "POST";
  request.url = url("/big");
  request.body.assign(std::size_t{20} << 20, 'x');
  auto const answer = loop.wait(http_call(request));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body.size(), request.body.size() + 10);
}

TEST_F(HttpServerTest, SendsNoBodyToHead) {
  serve(echo);
  auto const text = ask("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(text.find("Content-Length: 8"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnswersHttp10AndCloses) {
  serve(echo);
  EXPECT_TRUE(ask("GET /old HTTP/1.0\r\n\r\n").ends_with("GET /old|"));
}

TEST_F(HttpServerTest, RefusesMalformedHeadsWithBadRequest) {
  serve(echo);
  for (auto const* text : {"nonsense\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                           "GET / HTTP/1.1\r\nbad header\r\n\r\n", "GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                           "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
                           "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
    auto const answer = ask(text);
    EXPECT_NE(answer.find("400 Bad Request"), std::string::npos) << text << "\n-> " << answer;
    EXPECT_NE(answer.find("BadRequestError"), std::string::npos) << text;
  }
}

TEST_F(HttpServerTest, RefusesAHeadThatIsTooLarge) {
  serve(echo);
  EXPECT_NE(ask("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n").find("413"), std::string::npos);
  EXPECT_NE(ask("GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\n\r\n").find("413"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersABodyOverTheLimitSoThatTheClientCanReadIt) {
  ServerLimits limits;
  limits.max_body = 1000;
  serve(echo, limits);
  auto socket = connect();
  boost::system::error_code ignored;
  asio::write(
      socket,
      asio::buffer("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x')),
      ignored);
  auto const answer = hear(socket);
  EXPECT_NE(answer.find("413 Payload Too Large"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  auto const chunked = ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" +
                           std::string(0xfff, 'x') + "\r\n0\r\n\r\n");
  EXPECT_NE(chunked.find("413"), std::string::npos) << chunked;
}

TEST_F(HttpServerTest, TellsTheClientThroughItsOwnCallThatTheBodyIsTooLarge) {
  ServerLimits limits;
  limits.max_body = 1000;
  serve(echo, limits);
  ClientRequest request;
  request.method = "POST";
  request.url = url("/");
  request.body.assign(std::size_t{8} << 20, 'x');
  auto const answer = loop.wait(http_call(request));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpServerTest, AsksForAdmissionBeforeTheBodyAndBeforeContinue) {
  bool handled = false;
  serve(
      [&](Exchange& exchange) {
        handled = true;
        return echo(exchange);
      },
      {},
      [](Head const& head) -> std::optional<Response> {
        if (head.path == "/no") return Response{403, "text/plain", "no"};
        return std::nullopt;
      });
  auto const refused = ask("POST /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403 Forbidden")) << refused;
  EXPECT_TRUE(refused.ends_with("no"));
  EXPECT_FALSE(handled);

  auto socket = connect();
  say(socket,
      "POST /yes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(hear_until(socket, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  say(socket, "hello");
  EXPECT_TRUE(hear(socket).ends_with("POST /yes|hello"));
}

TEST_F(HttpServerTest, AnswersAClientThatSendsItsHeadTooSlowly) {
  ServerLimits limits;
  limits.head_seconds = 1;
  serve(echo, limits);
  auto socket = connect();
  auto const start = std::chrono::steady_clock::now();
  std::thread drip{[&] {
    boost::system::error_code failed;
    for (char const c : get("/slow")) {
      asio::write(socket, asio::buffer(&c, 1), failed);
      if (failed || std::chrono::steady_clock::now() - start > 5s) return;
      std::this_thread::sleep_for(100ms);  // the slowness that is tested
    }
  }};
  auto const answer = hear_until(socket, "RequestTimeoutError");
  EXPECT_NE(answer.find("408 Request Timeout"), std::string::npos) << answer;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  drip.join();
}

TEST_F(HttpServerTest, AnswersAClientWhoseBodyStandsStill) {
  ServerLimits limits;
  limits.body_idle_seconds = 1;
  serve(echo, limits);
  auto socket = connect();
  say(socket, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
  EXPECT_NE(hear(socket).find("408"), std::string::npos);
}

TEST_F(HttpServerTest, ClosesAConnectionThatIsIdleTooLong) {
  ServerLimits limits;
  limits.keep_alive_seconds = 1;
  serve(echo, limits);
  auto socket = connect();
  say(socket, get("/x", false));
  hear_until(socket, "GET /x|");
  EXPECT_EQ(hear(socket), "");
}

TEST_F(HttpServerTest, TurnsAnEscapedExceptionIntoAnInternalError) {
  serve([](Exchange&) -> Async<void> {
    throw std::runtime_error{"boom"};
    co_return;
  });
  EXPECT_NE(ask(get("/")).find("500"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersForAHandlerThatForgot) {
  serve([](Exchange&) -> Async<void> { co_return; });
  EXPECT_NE(ask(get("/")).find("InternalError"), std::string::npos);
}

TEST_F(HttpServerTest, SendsAStreamInChunksAtOnce) {
  std::unique_ptr<Stream> open;
  serve([&](Exchange& exchange) -> Async<void> {
    Response head{200, "text/event-stream", {}};
    open = co_await exchange.stream(std::move(head));
    open->write("one");
    co_await open->closed();
  });
  auto socket = connect();
  say(socket, get("/events"));
  EXPECT_NE(hear_until(socket, "3\r\none\r\n").find("Transfer-Encoding: chunked"), std::string::npos);
  loop.call([&] {
    open->write("second");
    open->finish();
    return 0;
  });
  EXPECT_EQ(hear(socket), "6\r\nsecond\r\n0\r\n\r\n");
}

TEST_F(HttpServerTest, NoticesThatTheReaderOfAStreamHasGone) {
  std::promise<bool> gone;
  serve([&](Exchange& exchange) -> Async<void> {
    Response head{200, "text/event-stream", {}};
    auto stream = co_await exchange.stream(std::move(head));
    stream->write("x");
    co_await stream->closed();
    gone.set_value(!stream->write("y"));
  });
  {
    auto socket = connect();
    say(socket, get("/events"));
    hear_until(socket, "x");
  }
  auto future = gone.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(future.get());
  EXPECT_TRUE(eventually([&] { return connections() == 0; }));
}

TEST_F(HttpServerTest, CutsAStreamOffWhoseHandlerLeavesItUnfinished) {
  serve([](Exchange& exchange) -> Async<void> {
    Response head{200, "text/plain", {}};
    auto stream = co_await exchange.stream(std::move(head));
    stream->write("part");
  });
  auto const answer = loop.wait(http_call({.url = url("/")}));
  EXPECT_TRUE(answer.has_error());
}

TEST_F(HttpServerTest, StopsAtOnceWhereOnlyIdleConnectionsAreLeft) {
  serve(echo);
  auto socket = connect();
  say(socket, get("/x", false));
  hear_until(socket, "GET /x|");
  auto const start = std::chrono::steady_clock::now();
  loop.wait(server->stop(10'000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  EXPECT_EQ(connections(), 0U);
  boost::system::error_code refused;
  tcp::socket late{clients};
  late.connect({asio::ip::address_v4::loopback(), port}, refused);
  EXPECT_TRUE(refused);
}

TEST_F(HttpServerTest, LetsARunningExchangeFinishWhileItStops) {
  std::promise<void> arrived;
  asio::steady_timer go{loop.io, asio::steady_timer::time_point::max()};
  serve([&](Exchange& exchange) -> Async<void> {
    arrived.set_value();
    try {
      co_await go.async_wait(asio::use_awaitable);
    } catch (boost::system::system_error const&) {
      // cancelled: that is the signal
    }
    co_await echo(exchange);
  });
  auto socket = connect();
  say(socket, get("/late", false));
  arrived.get_future().wait();
  auto stopping = asio::co_spawn(loop.io, server->stop(10'000), asio::use_future);
  loop.call([&] { return go.cancel(); });
  EXPECT_TRUE(hear(socket).ends_with("GET /late|"));
  EXPECT_EQ(stopping.wait_for(5s), std::future_status::ready);
}

TEST_F(HttpServerTest, ListensOnTheOtherLoopbackAddressToo) {
  serve(echo);
  auto const second = loop.call([&] { return server->listen("[::1]:0"); });
  if (second.has_error()) GTEST_SKIP() << "no IPv6 here: " << second.error().message;
  tcp::socket socket{clients};
  socket.connect({asio::ip::address_v6::loopback(), *second});
  say(socket, get("/six"));
  EXPECT_TRUE(hear(socket).ends_with("GET /six|"));
}

TEST_F(HttpServerTest, SaysWhoHoldsThePort) {
  serve(echo);
  auto const again = loop.call([&] { return server->listen("127.0.0.1:" + std::to_string(port)); });
  ASSERT_TRUE(again.has_error());
  EXPECT_EQ(again.error().name, ErrorName::UnavailableError);
  EXPECT_NE(again.error().message.find("pid " + std::to_string(::getpid())), std::string::npos)
      << again.error().message;
}

TEST_F(HttpServerTest, RefusesAnAddressThatIsNone) {
  serve(echo);
  for (auto const* text : {"", "8766", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80", "host:80", "[::1]80",
                           "0.0.0.0:0", "[::]:0"})
    EXPECT_TRUE(loop.call([&] { return server->listen(text); }).has_error()) << text;
}

TEST_F(HttpServerTest, KnowsTheUserAtTheOtherEnd) {
  Peer peer;
  serve([&](Exchange& exchange) {
    peer = exchange.head().peer;
    return echo(exchange);
  });
  auto socket = connect();
  say(socket, get("/x", false));
  hear_until(socket, "GET /x|");
  EXPECT_EQ(peer_uid(peer), ::getuid());
  EXPECT_EQ(peer.uid, ::getuid());
  auto stranger = peer;
  stranger.port = 1;
  EXPECT_EQ(peer_uid(stranger), std::nullopt);
}

TEST_F(HttpServerTest, SurvivesClientsThatLeaveAtAnyMoment) {
  serve(echo);
  std::string const request = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd";
  for (std::size_t i = 0; i <= request.size(); ++i) {
    auto socket = connect();
    say(socket, request.substr(0, i));
    if (i % 2 == 0) socket.set_option(asio::socket_base::linger{true, 0});  // leaves by a reset
  }
  EXPECT_TRUE(eventually([&] { return connections() == 0; }));
  EXPECT_TRUE(ask(get("/after")).ends_with("GET /after|"));
}

}  // namespace
}  // namespace any::net
