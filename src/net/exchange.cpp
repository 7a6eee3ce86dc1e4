#include "net/exchange.hpp"

#include "base/log.hpp"
#include "net/head.hpp"

namespace any::net {

bool ServerExchange::take_turn() {
  if (answered_) log::error("A bug: a second answer to " + head_.method + " " + head_.path);
  return !std::exchange(answered_, true);
}

Async<void> ServerExchange::respond(Response response) {
  if (!take_turn()) co_return;
  close_ = close_ || session_.server_->stopping;
  auto head = response_head(response, Framing::length, close_, http_1_0_);
  auto const body = head_.method == "HEAD" || response.status == 204 || response.status == 304
                        ? std::string_view{}
                        : std::string_view{response.body};
  auto const written = co_await session_.write(std::move(head), body);
  close_ = close_ || !written;
}

Async<std::unique_ptr<Stream>> ServerExchange::stream(Response head) {
  auto const first = take_turn();
  close_ = true;
  auto const silent = head_.method == "HEAD";
  auto state = std::make_shared<StreamState>(session_.socket_, head_.peer, !http_1_0_, silent);
  if (!first) {
    state->give_up();
    co_return stream_of(std::move(state));
  }
  auto text = response_head(head, http_1_0_ ? Framing::until_close : Framing::chunked, true, http_1_0_);
  auto const written = co_await session_.write(std::move(text), {});
  session_.stream_ = state;
  if (written) {
    session_.enter(Session::Phase::streaming);
    state->start();
    if (!head.body.empty()) state->write(std::move(head.body));
    if (session_.server_->stopping) state->wind_up();
  } else {
    state->give_up();
  }
  co_return stream_of(std::move(state));
}

Async<Result<std::unique_ptr<WebSocket>>> ServerExchange::accept(SocketLimits limits) {
  using Answer = Result<std::unique_ptr<WebSocket>>;
  if (answered_) co_return Answer{Error{ErrorName::InternalError, "This request has its answer already."}};
  if (!head_.upgrade || head_.method != "GET" || http_1_0_) {
    co_return Answer{Error{ErrorName::BadRequestError, "This address is for WebSockets: ask for an upgrade."}};
  }
  if (!session_.in_.empty()) {
    co_return Answer{
        Error{ErrorName::BadRequestError, "A client waits for the answer to its upgrade before it sends."}};
  }
  answered_ = true;
  close_ = true;
  session_.enter(Session::Phase::socket);
  auto opened = co_await accept_websocket(std::move(session_.socket_), head_, limits);
  if (opened.has_error()) co_return Answer{opened.error()};
  session_.opened_ = opened->control;
  if (session_.server_->stopping) opened->socket->close(1001, "the daemon is shutting down");
  co_return Answer{std::move(opened->socket)};
}

}  // namespace any::net
