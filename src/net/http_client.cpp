#include "net/http_client.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "async/timer.hpp"
#include "net/address.hpp"
#include "net/head.hpp"
#include "net/http_parser.hpp"
#include "net/read_buffer.hpp"
#include "net/websocket.hpp"

namespace any::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::size_t max_answer = std::size_t{512} << 20;
constexpr std::size_t read_step = std::size_t{64} << 10;
constexpr std::chrono::seconds handshake_patience{10};

// Closes the socket when the time is up. The socket outlives the watching or says so by stop().
class Deadline {
 public:
  Deadline(tcp::socket& socket, std::chrono::milliseconds time)
      : timer_{socket.get_executor(), "the deadline of a request"} {
    timer_.after(time, [this, &socket] {
      passed_ = true;
      ErrorCode ignored;
      socket.close(ignored);
    });
  }
  void stop() { timer_.cancel(); }
  bool passed() const noexcept { return passed_; }

 private:
  async::Timer timer_;
  bool passed_ = false;
};

Error unreachable(std::string const& url, ErrorCode failed) {
  auto const why =
      failed == asio::error::eof ? std::string{"it closed the connection without an answer"} : failed.message();
  return {ErrorName::UnavailableError, "No daemon answers at " + url + ": " + why + "."};
}

Error too_late(std::string const& url) {
  return {ErrorName::TimeoutError, "No answer from " + url + " in time."};
}

// Tries the addresses in their order.
Async<ErrorCode> connect(tcp::socket& socket, std::vector<tcp::endpoint> endpoints, Deadline& deadline) {
  ErrorCode last = asio::error::host_not_found;
  for (auto const& endpoint : endpoints) {
    if (deadline.passed()) break;
    ErrorCode ignored;
    socket.close(ignored);
    auto const [failed] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    last = failed;
    if (!failed) {
      socket.set_option(tcp::no_delay{true}, ignored);
      break;
    }
  }
  co_return last;
}

std::string request_text(ClientRequest const& request, Url const& url) {
  std::string text;
  text.append(request.method)
      .append(" ")
      .append(url.target)
      .append(" HTTP/1.1\r\nHost: ")
      .append(url.host)
      .append("\r\n");
  for (auto const& [name, value] : request.headers) text.append(name).append(": ").append(value).append("\r\n");
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH")
    text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  return text.append("Connection: close\r\n\r\n");
}

Async<ErrorCode> read_answer(tcp::socket& socket, HttpParser& parser, std::string& malformed) {
  ReadBuffer in;
  while (!parser.done()) {
    auto const room = in.prepare(read_step);
    auto const [failed, count] = co_await socket.async_read_some(room, asio::as_tuple(asio::use_awaitable));
    if (failed) {
      if (failed != asio::error::eof || !parser.started()) co_return failed;
      auto const whole = parser.put_eof();
      co_return whole.has_error() ? failed : ErrorCode{};
    }
    in.commit(count);
    for (;;) {
      auto const used = parser.put(in.view());
      if (used.has_error()) {
        malformed = used.error().message;
        co_return ErrorCode{asio::error::invalid_argument};
      }
      in.consume(*used);
      // An answer like 100 Continue never comes: we do not ask for it.
      if (*used == 0 || in.empty() || parser.done()) break;
    }
  }
  co_return ErrorCode{};
}

}  // namespace

Async<Result<Response>> http_call(ClientRequest request) {
  using Answer = Result<Response>;
  auto const url = read_url(request.url);
  if (url.has_error()) co_return Answer{url.error()};
  auto const executor = co_await asio::this_coro::executor;
  tcp::socket socket{executor};
  Deadline deadline{socket, request.timeout};

  auto endpoints = url->endpoints;
  auto failed = co_await connect(socket, std::move(endpoints), deadline);
  auto const head = request_text(request, *url);
  std::array<asio::const_buffer, 2> const message{asio::buffer(head), asio::buffer(request.body)};
  auto refused_early = ErrorCode{};
  if (!failed) {
    // A server may answer before it has read all, and close: its answer counts more than our write.
    auto const [broken, count] = co_await asio::async_write(socket, message, asio::as_tuple(asio::use_awaitable));
    refused_early = broken;
  }
  auto const parser = response_parser(max_answer, request.method == "HEAD");
  std::string malformed;
  if (!failed) failed = co_await read_answer(socket, *parser, malformed);
  if (deadline.passed()) co_return Answer{too_late(request.url)};
  if (!malformed.empty()) {
    co_return Answer{
        Error{ErrorName::UnavailableError, "What answers at " + request.url + " is no daemon of ours: " + malformed}};
  }
  if (failed) co_return Answer{unreachable(request.url, refused_early ? refused_early : failed)};
  Response response;
  response.status = parser->status();
  response.headers = parser->headers();
  response.content_type.clear();
  for (auto const& [name, value] : response.headers)
    if (same_word(name, "content-type")) response.content_type = value;
  response.body = parser->take_body();
  co_return Answer{std::move(response)};
}

Async<Result<std::unique_ptr<WebSocket>>> connect_websocket(std::string url, std::vector<Header> headers,
                                                            SocketLimits limits) {
  using Answer = Result<std::unique_ptr<WebSocket>>;
  auto const read = read_url(url);
  if (read.has_error()) co_return Answer{read.error()};
  auto const executor = co_await asio::this_coro::executor;
  tcp::socket socket{executor};
  Deadline deadline{socket, handshake_patience};
  auto endpoints = read->endpoints;
  auto const failed = co_await connect(socket, std::move(endpoints), deadline);
  if (deadline.passed()) co_return Answer{too_late(url)};
  if (failed) co_return Answer{unreachable(url, failed)};
  auto peer = peer_of(socket);
  deadline.stop();
  co_return co_await ask_for_websocket(std::move(socket), std::move(peer), read->host, read->target, std::move(headers),
                                       limits);
}

}  // namespace any::net
