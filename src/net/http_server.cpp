#include "net/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/spawn.hpp"
#include "base/guard.hpp"
#include "base/log.hpp"
#include "net/address.hpp"
#include "net/session.hpp"

namespace any::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

constexpr int backlog = 4096;
constexpr milliseconds after_failed_accept{100};
constexpr milliseconds after_abort{1'000};

using Acceptor = std::shared_ptr<tcp::acceptor>;

void begin_session(std::shared_ptr<ServerState> state, tcp::socket socket) {
  ErrorCode ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
  auto& io = state->io;
  auto session = std::make_shared<Session>(std::move(state), std::move(socket));
  auto const cancellation = session->cancellation();
  auto running = Session::run(std::move(session));
  async::spawn(io.get_executor(), "a connection", std::move(running), cancellation);
}

Async<void> accept_all(std::shared_ptr<ServerState> state, Acceptor acceptor) {
  while (acceptor->is_open()) {
    auto [failed, socket] = co_await acceptor->async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor->is_open()) break;
    if (failed) {
      if (failed != asio::error::connection_aborted) {
        log::warn("A connection could not be accepted: " + failed.message() + ".");
        asio::steady_timer pause{state->io, after_failed_accept};
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      }
      continue;
    }
    guarded("taking a connection", [&] { begin_session(state, std::move(socket)); });
  }
}

Async<void> until_none_left(std::shared_ptr<ServerState> state, milliseconds patience) {
  auto const end = asio::steady_timer::clock_type::now() + patience;
  while (!state->sessions.empty() && asio::steady_timer::clock_type::now() < end) {
    state->changed.expires_at(end);
    co_await state->changed.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace

struct HttpServer::Impl {
  std::shared_ptr<ServerState> state;
  std::vector<Acceptor> acceptors;

  void close_acceptors() {
    ErrorCode ignored;
    for (auto const& acceptor : acceptors) acceptor->close(ignored);
    acceptors.clear();
  }
};

HttpServer::HttpServer(asio::io_context& io, Handler handler, ServerLimits limits) : impl_{std::make_unique<Impl>()} {
  impl_->state = std::make_shared<ServerState>(io, std::move(handler), limits);
}

HttpServer::~HttpServer() {
  impl_->close_acceptors();
  impl_->state->stopping = true;
  for (auto* session : impl_->state->sessions) session->abort();
}

Result<std::uint16_t> HttpServer::listen(std::string_view address) {
  auto const endpoint = read_endpoint(address);
  if (endpoint.has_error()) return endpoint.error();
  if (!endpoint->address().is_loopback()) {
    return Error{
        ErrorName::BadRequestError,
        "Only loopback can be listened on, e.g. 127.0.0.1:8766 or [::1]:8766, not " + std::string{address} + "."};
  }
  auto acceptor = std::make_shared<tcp::acceptor>(impl_->state->io);
  ErrorCode failed;
  acceptor->open(endpoint->protocol(), failed);
  if (!failed) acceptor->set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed && endpoint->address().is_v6()) acceptor->set_option(asio::ip::v6_only{true}, failed);
  if (!failed) acceptor->bind(*endpoint, failed);
  if (!failed) acceptor->listen(backlog, failed);
  if (failed == asio::error::address_in_use) {
    auto const holder = port_holder(endpoint->port());
    return Error{ErrorName::UnavailableError,
                 "The port of " + std::string{address} + " is held by " + holder +
                     ". Stop it, or listen on another port (--listen).",
                 {{"holder", holder}}};
  }
  if (failed) {
    return Error{ErrorName::UnavailableError,
                 "Cannot listen on " + std::string{address} + ": " + failed.message() + "."};
  }
  auto const bound = acceptor->local_endpoint(failed);
  impl_->acceptors.push_back(acceptor);
  auto accepting = accept_all(impl_->state, std::move(acceptor));
  async::spawn(impl_->state->io.get_executor(), "listening on " + std::string{address}, std::move(accepting));
  return bound.port();
}

std::size_t HttpServer::connections() const {
  return impl_->state->sessions.size();
}

Async<void> HttpServer::stop(int grace_ms) {
  auto const state = impl_->state;
  state->stopping = true;
  impl_->close_acceptors();
  for (auto* session : state->sessions) session->wind_up();
  co_await until_none_left(state, milliseconds{grace_ms});
  for (auto* session : state->sessions) session->abort();
  co_await until_none_left(state, after_abort);
}

}  // namespace any::net
