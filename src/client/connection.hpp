#pragma once
// The RPC socket as a thread that waits sees it: calls, answers, notifications, interruption.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/http_client.hpp"

namespace any::client {

using TimePoint = std::chrono::steady_clock::time_point;

struct Notification {
  std::string method, params;
};

class Connection {
 public:
  /// Called for each notification, from inside await() and call().
  using Handler = std::function<void(Notification const&)>;

  Connection(std::string daemon, std::string token, Handler handler);
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;
  ~Connection();

  /// Errors: UnavailableError, UnauthorizedError …
  Result<void> open();
  bool connected() const noexcept { return link_ && link_->lost.empty(); }

  enum class Waited : unsigned char { done, late, lost, interrupted };
  /// Lets notifications in until `done`.
  Waited await(std::function<bool()> const& done, std::optional<TimePoint> end);
  Result<std::string> call(std::string_view method, std::string_view params, std::optional<TimePoint> end);
  Error error_of(Waited waited, std::string_view what) const;
  void interrupt() noexcept;

 private:
  // One socket's life; the reading coroutine shares it.
  struct Link {
    std::unique_ptr<net::WebSocket> socket;
    std::map<std::uint64_t, std::optional<Result<std::string>>> calls;
    std::deque<Notification> notifications;
    std::string lost;
  };
  static Async<void> read(std::shared_ptr<Link> link);
  static void take(Link& link, std::string_view text);
  bool take_interruption();
  void dispatch();

  boost::asio::io_context io_{1};
  std::string daemon_, token_;
  Handler handler_;
  std::shared_ptr<Link> link_;
  boost::asio::posix::stream_descriptor interruption_;
  std::uint64_t last_id_ = 0;
};

}  // namespace any::client
