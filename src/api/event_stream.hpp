#pragma once
// Server-sent events on one answer, with a comment each 15 s so that nobody takes a quiet stream for a dead one.

#include <boost/asio/io_context.hpp>
#include <string>

#include "api/live.hpp"
#include "async/timer.hpp"
#include "net/http_server.hpp"

namespace any::api {

/// Lives no longer than the stream it writes to.
class EventStream {
 public:
  static net::Response head();

  EventStream(boost::asio::io_context& io, Live& live, net::Stream& stream);
  ~EventStream();
  EventStream(EventStream const&) = delete;
  EventStream& operator=(EventStream const&) = delete;

  /// `data` holds no line break (it is JSON). An empty `id` is left out.
  void send(std::string_view id, std::string_view event, std::string_view data);
  void finish();

 private:
  void tick();

  async::Timer timer_;
  net::Stream& stream_;
  Live::Entry entry_;
  bool finished_ = false;
};

}  // namespace any::api
