#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include "async/spawn.hpp"
#include "async/timer.hpp"
#include "net/websocket.hpp"

namespace any::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
constexpr auto patience = std::chrono::seconds{2};

struct Lingering {
  tcp::socket socket;
  async::Timer timer;
  explicit Lingering(tcp::socket s)
      : socket{std::move(s)}, timer{socket.get_executor(), "the end of a connection that lingers"} {}
};

Async<void> read_out(std::shared_ptr<Lingering> state) {
  auto const room = std::make_unique<std::array<char, 16384>>();
  for (;;) {
    auto const [failed, count] =
        co_await state->socket.async_read_some(asio::buffer(*room), asio::as_tuple(asio::use_awaitable));
    if (failed) break;
  }
  state->timer.cancel();
  boost::system::error_code ignored;
  state->socket.close(ignored);
}

}  // namespace

void linger(tcp::socket socket) {
  boost::system::error_code failed;
  if (!socket.is_open()) return;
  socket.shutdown(tcp::socket::shutdown_send, failed);
  if (failed) return;
  auto state = std::make_shared<Lingering>(std::move(socket));
  // The state owns the timer: it is there when this is called.
  state->timer.after(patience, [raw = state.get()] {
    boost::system::error_code ignored;
    raw->socket.close(ignored);
  });
  auto const executor = state->socket.get_executor();
  async::spawn(executor, "reading out a connection", read_out(std::move(state)));
}

Peer peer_of(tcp::socket const& socket) {
  boost::system::error_code failed;
  Peer peer;
  auto const remote = socket.remote_endpoint(failed);
  if (!failed) {
    peer.address = remote.address().to_string();
    peer.port = remote.port();
  }
  auto const local = socket.local_endpoint(failed);
  if (!failed) {
    peer.local_address = local.address().to_string();
    peer.local_port = local.port();
  }
  return peer;
}

Error error_of_answer(int status, std::string_view body) {
  boost::system::error_code failed;
  auto const json = boost::json::parse(body, failed);
  if (!failed && json.is_object()) {
    auto const* error = json.get_object().if_contains("error");
    if (error != nullptr && error->is_object()) return error_from_json(error->get_object());
  }
  return {ErrorName::UnavailableError,
          "The server answered with status " + std::to_string(status) + ": is it a daemon of ours?"};
}

}  // namespace any::net
