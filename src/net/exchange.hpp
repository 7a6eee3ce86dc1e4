#pragma once
// The server's side of one request. Inside net/ only.

#include "net/session.hpp"

namespace any::net {

class ServerExchange final : public Exchange {
 public:
  ServerExchange(Session& session, Head head, std::string body, bool close, bool http_1_0)
      : session_{session}, head_{std::move(head)}, body_{std::move(body)}, close_{close}, http_1_0_{http_1_0} {}

  Head const& head() const override { return head_; }
  std::string& body() override { return body_; }
  Async<void> respond(Response response) override;
  Async<std::unique_ptr<Stream>> stream(Response head) override;
  Async<Result<std::unique_ptr<WebSocket>>> accept(SocketLimits limits) override;

  bool answered() const noexcept { return answered_; }
  bool keeps_connection() const noexcept { return answered_ && !close_; }

 private:
  /// True the first time; a second answer is a bug and is said so.
  bool take_turn();

  Session& session_;
  Head head_;
  std::string body_;
  bool close_, http_1_0_;
  bool answered_ = false;
};

}  // namespace any::net
