#pragma once
// What the daemon does now and then by itself: removes what is too old, brings old extensions up to date.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <set>
#include <string>

#include "async/timer.hpp"
#include "browser/registry.hpp"
#include "service/task_service.hpp"

namespace any::app {

/// Removes tasks from the journal that ended more than `keep_days` ago, and the oldest beyond `keep_bytes`.
class Pruning {
 public:
  struct Times {
    std::chrono::milliseconds first = std::chrono::minutes(1), each = std::chrono::hours(1);
  };
  Pruning(boost::asio::io_context& io, Clock const& clock, store::Journal& journal, service::TaskService& tasks,
          int keep_days, std::uint64_t keep_bytes, Times times);
  void stop();

 private:
  void later(std::chrono::milliseconds wait);
  void step();

  Clock const& clock_;
  store::Journal& journal_;
  service::TaskService& tasks_;
  Millis keep_;
  std::uint64_t keep_bytes_;
  Times times_;
  async::Timer timer_;
  bool stopped_ = false;
};

/// Gives memory that is free back to the system when work has come to rest.
class Trimming {
 public:
  using Trim = std::function<void()>;
  /// `done`: a number that changes while there is work.
  Trimming(boost::asio::io_context& io, std::function<std::uint64_t()> done, Trim trim,
           std::chrono::milliseconds each = std::chrono::seconds(10));
  void stop() { timer_.cancel(); }

 private:
  void look();

  std::function<std::uint64_t()> done_;
  Trim trim_;
  std::chrono::milliseconds each_;
  async::Timer timer_;
  std::uint64_t last_ = 0;
  bool worked_ = false;
};

/// Asks an extension older than the daemon to reload itself, once for each version of the daemon: the files in its
/// folder have been written anew, or it was loaded from a folder that we know nothing of and asking again would not
/// help.
class Upgrades {
 public:
  Upgrades(boost::asio::io_context& io, store::Journal& journal, browser::Registry& browsers,
           service::TaskService& tasks);
  void linked(browser::Info const& browser);

 private:
  Async<void> ask(std::string browser);
  static std::string note(std::string const& browser);

  boost::asio::io_context& io_;
  store::Journal& journal_;
  browser::Registry& browsers_;
  service::TaskService& tasks_;
  std::set<std::string> asked_;
};

}  // namespace any::app
