#include "net/session.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/guard.hpp"
#include "base/log.hpp"
#include "net/exchange.hpp"
#include "net/head.hpp"

namespace any::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t head_read = 4096;
constexpr std::size_t body_read = std::size_t{64} << 10;
constexpr auto body_start = seconds{30};  // before the average rate of a body counts
constexpr auto write_patience = seconds{30};
constexpr auto last_patience = seconds{15};  // for a handler whose time is over
constexpr milliseconds quick_pace{250}, slow_pace{5'000};

}  // namespace

Session::Session(std::shared_ptr<ServerState> server, tcp::socket socket)
    : server_{std::move(server)},
      place_{server_->sessions.insert(server_->sessions.end(), this)},
      socket_{std::move(socket)},
      peer_{peer_of(socket_)} {
  server_->watch_deadlines(pace());
}

Session::~Session() {
  server_->sessions.erase(place_);
  server_->changed.cancel();
}

void Session::enter(Phase phase) {
  phase_ = phase;
  entered_ = progress_ = Clock::now();
  server_->watch_deadlines(pace());
}

milliseconds Session::pace() const noexcept {
  switch (phase_) {
    case Phase::idle:
    case Phase::handling:
    case Phase::streaming:
      return slow_pace;
    case Phase::head:
    case Phase::body:
    case Phase::writing:
      return quick_pace;
    default:
      return milliseconds{0};
  }
}

void Session::check_deadline(Clock::time_point now) {
  auto const& limits = server_->limits;
  auto const since = now - entered_;
  ErrorCode ignored;
  switch (phase_) {
    case Phase::idle:
      if (since > seconds{limits.keep_alive_seconds}) socket_.close(ignored);
      break;
    case Phase::head:
      if (since > seconds{limits.head_seconds}) expired_ = true;
      break;
    case Phase::body: {
      auto const due = std::chrono::duration<double>(since).count() * limits.body_rate;
      expired_ |= now - progress_ > seconds{limits.body_idle_seconds} ||
                  (since > body_start && static_cast<double>(body_bytes_) < due);
      break;
    }
    case Phase::writing:
      if (now - progress_ > write_patience) socket_.close(ignored);
      break;
    case Phase::handling:
      check_handler(since);
      break;
    case Phase::streaming:
      if (stream_) stream_->check_deadline(now);
      break;
    default:
      break;
  }
  if (expired_) socket_.cancel(ignored);
}

// What it waits for on behalf of the caller ends, and it answers. One that is stuck in anything else keeps its frame,
// and the peer learns of it by the end of the connection.
void Session::check_handler(Clock::duration since) {
  auto const time = seconds{server_->limits.handling_seconds};
  if (since > time && !late_) {
    late_ = true;
    log::error("A bug: " + handled_ + " has no answer after " + std::to_string(time.count()) + " s.");
    cancellation_.cancel();
  } else if (since > time + last_patience) {
    abort();
  }
}

void Session::wind_up() {
  if (phase_ == Phase::idle) abort();
  if (stream_) stream_->wind_up();
  if (auto const control = opened_.lock()) control->close(1001, "the daemon is shutting down");
}

void Session::abort() {
  if (auto const control = opened_.lock()) control->abort();
  if (stream_) stream_->give_up();
  ErrorCode ignored;
  socket_.close(ignored);
}

Async<void> Session::run(std::shared_ptr<Session> self) {
  while (!self->server_->stopping && self->socket_.is_open()) {
    if (self->in_.empty()) {
      self->in_.release();
      self->enter(Phase::idle);
      auto const [failed] =
          co_await self->socket_.async_wait(tcp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
      if (failed || self->server_->stopping) break;
    }
    auto const go_on = co_await self->serve_one();
    if (!go_on) break;
  }
  self->phase_ = Phase::over;
  linger(std::move(self->socket_));
}

Async<bool> Session::read_more(std::size_t count) {
  if (expired_) co_return false;
  auto const room = in_.prepare(count);
  auto const [failed, got] = co_await socket_.async_read_some(room, asio::as_tuple(asio::use_awaitable));
  if (failed || expired_) co_return false;
  in_.commit(got);
  progress_ = Clock::now();
  co_return true;
}

// `silent`: the peer has gone, nobody is left to be told.
Async<Result<Head>> Session::read_head(HttpParser& parser, bool& silent) {
  enter(Phase::head);
  while (!parser.head_done()) {
    if (!in_.empty()) {
      auto const used = parser.put(in_.view());
      if (used.has_error()) co_return used.error();
      in_.consume(*used);
    }
    if (parser.head_done()) break;
    auto const more = co_await read_more(head_read);
    if (more) continue;
    silent = !expired_ || (!parser.started() && in_.empty());
    co_return Error{ErrorName::RequestTimeoutError, "The head of the request came too slowly: it must be here within " +
                                                        std::to_string(server_->limits.head_seconds) + " s."};
  }
  Head head;
  head.method = parser.method();
  head.target = parser.target();
  head.headers = parser.headers();
  // An end keeps its owner. Where the kernel did not tell it, it is asked again.
  if (!peer_.uid) peer_.uid = peer_uid(peer_);
  head.peer = peer_;
  head.upgrade = has_token(head.header("connection"), "upgrade") && has_token(head.header("upgrade"), "websocket");
  if (!read_target(head)) {
    co_return Error{ErrorName::BadRequestError, "The address \"" + head.target.substr(0, 200) +
                                                    "\" cannot be read: it must begin with / and escape with %XX."};
  }
  co_return head;
}

Async<Result<void>> Session::read_body(HttpParser& parser, Head const& head, bool& silent) {
  auto const max = server_->limits.max_body;
  auto const length = parser.content_length().value_or(0);
  if (length > max) {
    co_return Error{ErrorName::TooLargeError,
                    "The body has " + std::to_string(length) + " bytes; " + std::to_string(max) + " are the limit."};
  }
  parser.limit_body(max);
  if (parser.done()) co_return Result<void>{};
  if (same_word(head.header("expect"), "100-continue") && in_.empty() && !parser.http_1_0()) {
    auto const written = co_await write("HTTP/1.1 100 Continue\r\n\r\n", {});
    silent = !written;
    if (!written) co_return Error{ErrorName::UnavailableError, "The peer has gone."};
  }
  enter(Phase::body);
  body_bytes_ = 0;
  auto const step = parser.content_length() ? std::min<std::size_t>(length, body_read) : body_read;
  while (!parser.done()) {
    if (!in_.empty()) {
      auto const used = parser.put(in_.view());
      if (used.has_error()) {
        if (used.error().name != ErrorName::TooLargeError) co_return used.error();
        co_return Error{ErrorName::TooLargeError, "The body is over the limit of " + std::to_string(max) + " bytes."};
      }
      in_.consume(*used);
      if (*used > 0 && !in_.empty()) continue;
    }
    if (parser.done()) break;
    if (in_.size() > body_read) co_return Error{ErrorName::BadRequestError, "The chunks of the body cannot be read."};
    auto const before = in_.size();
    auto const more = co_await read_more(std::max(step, head_read));
    body_bytes_ += in_.size() - before;
    if (more) continue;
    silent = !expired_;
    co_return Error{ErrorName::RequestTimeoutError, "The body of the request came too slowly."};
  }
  co_return Result<void>{};
}

Async<bool> Session::serve_one() {
  auto parser = request_parser(server_->limits.max_head);
  auto silent = false;
  auto head = co_await read_head(*parser, silent);
  if (head.has_error()) {
    if (!silent) co_await refuse(head.error());
    co_return false;
  }
  auto const close = !parser->keep_alive();
  auto const old = parser->http_1_0();
  auto refusal = server_->handler.admit ? server_->handler.admit(*head) : std::nullopt;
  if (refusal) {
    auto const text = response_head(*refusal, Framing::length, true, old);
    auto const body = head->method == "HEAD" ? std::string_view{} : std::string_view{refusal->body};
    co_await write(text, body);
    co_return false;
  }
  auto const read = co_await read_body(*parser, *head, silent);
  if (read.has_error()) {
    auto why = read.error();
    if (!silent) co_await refuse(std::move(why));
    co_return false;
  }
  ServerExchange exchange{*this, std::move(*head), parser->take_body(), close, old};
  parser.reset();
  in_.release();
  enter(Phase::handling);
  co_await handle(exchange);
  co_return exchange.keeps_connection() && !server_->stopping;
}

Async<void> Session::handle(ServerExchange& exchange) {
  handled_ = exchange.head().method + " " + exchange.head().path.substr(0, 200);
  late_ = false;
  watch_peer();
  std::exception_ptr thrown;
  try {
    co_await server_->handler.handle(exchange);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) log_bug(handled_, thrown);
  if (stream_) {
    if (thrown) stream_->give_up();
    co_await stream_->over();
    if (!stream_->clean()) {
      ErrorCode ignored;
      socket_.close(ignored);
    }
    stream_.reset();
  } else if (!exchange.answered()) {
    if (!thrown) log::error("A bug: nobody answered " + handled_);
    auto response = failure(internal_error(handled_));
    co_await exchange.respond(std::move(response));
  }
}

void Session::watch_peer() {
  if (watching_ || !socket_.is_open()) return;
  watching_ = true;
  socket_.async_wait(tcp::socket::wait_read, [weak = weak_from_this()](ErrorCode failed) {
    auto const self = weak.lock();
    if (!self) return;
    self->watching_ = false;
    if (!failed && self->phase_ == Phase::handling) self->peer_readable();
  });
}

// A peer that sends its next request ahead of its time is not watched any more: what it sent stands before its end.
void Session::peer_readable() {
  char next = 0;
  auto const seen = ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen > 0) return;
  if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return watch_peer();
  cancellation_.cancel();
}

Response Session::failure(Error const& error) const {
  if (server_->handler.failure) return server_->handler.failure(error);
  return {http_status(error.name), "text/plain", error.message + "\n"};
}

Async<void> Session::refuse(Error error) {
  auto const response = failure(error);
  auto head = response_head(response, Framing::length, true, false);
  co_await write(std::move(head), response.body);
}

Async<bool> Session::write(std::string head, std::string_view body) {
  enter(Phase::writing);
  std::array<asio::const_buffer, 2> rest{asio::buffer(head), asio::buffer(body.data(), body.size())};
  while (rest[0].size() + rest[1].size() > 0) {
    auto const [failed, count] = co_await socket_.async_write_some(rest, asio::as_tuple(asio::use_awaitable));
    if (failed) {
      ErrorCode ignored;
      socket_.close(ignored);
      co_return false;
    }
    auto const of_head = std::min(count, rest[0].size());
    rest[0] += of_head;
    rest[1] += count - of_head;
    progress_ = Clock::now();
  }
  enter(Phase::handling);
  co_return true;
}

void ServerState::watch_deadlines(milliseconds pace) {
  if (pace > milliseconds{0} && (tick_ == milliseconds{0} || pace < tick_)) run_ticker(pace);
}

void ServerState::run_ticker(milliseconds pace) {
  tick_ = pace;
  ticker_.after(pace, [this] { check_deadlines(); });
}

void ServerState::check_deadlines() {
  auto const now = Session::Clock::now();
  auto next = milliseconds{0};
  // A check closes sockets at most: no session goes while the list is walked.
  for (auto* session : sessions) {
    session->check_deadline(now);
    auto const wanted = session->pace();
    if (wanted > milliseconds{0} && (next == milliseconds{0} || wanted < next)) next = wanted;
  }
  tick_ = milliseconds{0};
  if (next > milliseconds{0}) run_ticker(next);
}

}  // namespace any::net
