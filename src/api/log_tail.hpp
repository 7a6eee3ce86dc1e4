#pragma once
// Log lines as they come, on the io thread: first those that are there, then each further one, none twice.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "base/log.hpp"

namespace any::api {

class LogTail {
 public:
  using Sink = std::function<void(log::Line const&)>;
  /// Calls `sink` at once with the newest `limit` lines with seq > since, and from then on. The io_context outlives it.
  LogTail(boost::asio::io_context& io, std::size_t limit, std::uint64_t since, Sink sink);
  ~LogTail();
  LogTail(LogTail const&) = delete;
  LogTail& operator=(LogTail const&) = delete;

 private:
  struct State {
    Sink sink;
    std::uint64_t last = 0;
  };
  std::shared_ptr<State>
      state_;  // lines on their way from the writer's thread find out by it whether we are still here
  std::uint64_t token_ = 0;
};

}  // namespace any::api
