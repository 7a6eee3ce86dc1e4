// Log lines, at once or as they come.
#include <boost/json/serialize.hpp>
#include <charconv>
#include <limits>

#include "api/event_stream.hpp"
#include "api/log_tail.hpp"
#include "api/rest.hpp"
#include "api/shape.hpp"

namespace any::api {

Async<void> Rest::logs(Call call) {
  auto& in = call.fields;
  if (!in.flag("follow")) {
    auto answer = co_await operations_.logs_list(std::move(in));
    auto response =
        answer.has_error() ? failure_response(answer.error()) : json_response(200, std::move(answer.value().json));
    co_await call.exchange.respond(std::move(response));
    co_return;
  }
  auto const limit = in.integer("limit", 1, 10'000).value_or(200);
  auto since = in.integer("since", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  auto const last = call.exchange.head().header("Last-Event-ID");
  if (!last.empty()) {
    auto const [end, failure] = std::from_chars(last.data(), last.data() + last.size(), since);
    if (failure != std::errc() || end != last.data() + last.size())
      in.fail(bad_field("Last-Event-ID", "must be the number of a line"));
  }
  if (auto const read = in.finish(); read.has_error()) {
    auto response = failure_response(read.error());
    co_await call.exchange.respond(std::move(response));
    co_return;
  }
  co_await follow_logs(std::move(call), static_cast<std::size_t>(limit), static_cast<std::uint64_t>(since));
}

Async<void> Rest::follow_logs(Call call, std::size_t limit, std::uint64_t since) {
  auto head = EventStream::head();
  if (call.exchange.head().method == "HEAD") {
    co_await call.exchange.respond(std::move(head));
    co_return;
  }
  auto stream = co_await call.exchange.stream(std::move(head));
  if (!stream) co_return;
  auto& io = operations_.services().io;
  EventStream events(io, live_, *stream);
  LogTail::Sink sink = [&events](log::Line const& line) {
    events.send(std::to_string(line.seq), "line", boost::json::serialize(line_json(line)));
  };
  LogTail const tail(io, limit, since, std::move(sink));
  co_await stream->closed();
}

}  // namespace any::api
