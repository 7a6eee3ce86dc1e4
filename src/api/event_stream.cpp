#include "api/event_stream.hpp"

#include <chrono>

namespace any::api {
namespace {
constexpr std::chrono::seconds keep_alive{15};
}

net::Response EventStream::head() {
  net::Response head;
  head.content_type = "text/event-stream";
  head.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  return head;
}

EventStream::EventStream(boost::asio::io_context& io, Live& live, net::Stream& stream)
    : timer_{io.get_executor(), "an event stream's sign of life"}, stream_{stream}, entry_{live, [this] { finish(); }} {
  if (live.closing()) {
    finish();
  } else {
    tick();
  }
}

EventStream::~EventStream() = default;

void EventStream::tick() {
  timer_.after(keep_alive, [this] {
    if (stream_.write(": still here\n\n")) tick();
  });
}

void EventStream::send(std::string_view id, std::string_view event, std::string_view data) {
  if (finished_) return;
  std::string text;
  text.reserve(id.size() + event.size() + data.size() + 32);
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  text.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
  stream_.write(std::move(text));
}

void EventStream::finish() {
  if (finished_) return;
  finished_ = true;
  timer_.cancel();
  stream_.finish();
}

}  // namespace any::api
