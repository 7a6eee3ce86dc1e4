#pragma once
// WebSockets over a connected TCP socket, as server and as client. Inside net/ only.

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <vector>

#include "net/http_server.hpp"
#include "net/socket.hpp"

namespace any::net {

/// What the server keeps of a socket it has handed out.
class SocketControl {
 public:
  virtual ~SocketControl() = default;
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  virtual void abort() = 0;
};

struct OpenedSocket {
  std::unique_ptr<WebSocket> socket;
  std::weak_ptr<SocketControl> control;
};

/// Answers the upgrade that `head` asks for. Errors: UnavailableError, BadRequestError (an answer has been sent).
Async<Result<OpenedSocket>> accept_websocket(boost::asio::ip::tcp::socket socket, Head const& head,
                                             SocketLimits limits);

/// Asks for an upgrade. Errors: UnavailableError, or what the server's own answer says.
Async<Result<std::unique_ptr<WebSocket>>> ask_for_websocket(boost::asio::ip::tcp::socket socket, Peer peer,
                                                            std::string host, std::string target,
                                                            std::vector<Header> headers, SocketLimits limits);

/// The error in the body of an answer, or one made of its status.
Error error_of_answer(int status, std::string_view body);

/// Says goodbye to a TCP connection so that the peer can read all that was sent: stops sending, reads on for a while.
void linger(boost::asio::ip::tcp::socket socket);
Peer peer_of(boost::asio::ip::tcp::socket const& socket);

}  // namespace any::net
