#pragma once
// The command line's way to the daemon: finds it, starts it where none runs, calls it and listens to it.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cli/options.hpp"
#include "net/http_client.hpp"

namespace any::cli {

using Duration = std::chrono::milliseconds;

class Daemon {
 public:
  enum class Start : unsigned char { no, if_none };

  /// Errors: UnavailableError (nothing answers, or what answers is not any), UnauthorizedError.
  /// Says on stderr where the daemon is older than this program.
  static Result<std::unique_ptr<Daemon>> reach(Reach const& reach, Start start);
  ~Daemon();

  /// The raw JSON text of the result of one of the methods of /v1/rpc. UnavailableError where the daemon went away.
  Result<std::string> call(std::string_view method, boost::json::object const& params,
                           Duration timeout = Duration(30'000));
  /// The same, read.
  Result<boost::json::value> ask(std::string_view method, boost::json::object const& params,
                                 Duration timeout = Duration(30'000));
  /// For each notification, from inside call and wait.
  void on_notification(std::function<void(std::string_view method, boost::json::object const& params)> handler);
  /// For Ctrl-C, from inside call and wait; without it Ctrl-C ends the program.
  void on_interrupt(std::function<void()> handler);

  enum class Waited : unsigned char { done, lost, time_is_up };
  /// Takes notifications until `done` says so.
  Waited wait(std::function<bool()> const& done, std::optional<Duration> timeout = std::nullopt);

  /// The connection has ended: no call will be answered any more.
  bool lost() const;
  /// What /health said when we came.
  boost::json::object const& health() const;

 private:
  Daemon();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// GET of a path of the daemon, e.g. "/health"; with the token where there is one.
Result<net::Response> http_get(Reach const& reach, std::string_view path, Duration timeout = Duration(5'000));
/// Where that token was looked for, in words: the variable or the file.
std::string token_source(std::string const& state_dir);
/// /health of whatever listens there, or why it is not our daemon.
Result<boost::json::object> health_of(Reach const& reach);
/// Starts `any serve` in a session of its own, its log in the state folder; returns once /health answers.
Result<void> start_daemon(Reach const& reach);

}  // namespace any::cli
