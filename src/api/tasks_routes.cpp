// Answers about a task that are not its record.
#include <charconv>

#include "api/event_stream.hpp"
#include "api/rest.hpp"
#include "task/json.hpp"

namespace any::api {
namespace {

Result<std::uint64_t> last_event_id(net::Head const& head) {
  auto const text = head.header("Last-Event-ID");
  if (text.empty()) return std::uint64_t{0};
  std::uint64_t seq = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (failure != std::errc() || end != text.data() + text.size())
    return bad_field("Last-Event-ID", "must be the number of an event");
  return seq;
}

/// The task, once it has ended or `wait` is over.
Async<Result<store::Stored>> stored_of(service::Tasks& tasks, Fields in, bool may_wait) {
  auto id = in.text("id");
  auto const wait = may_wait ? in.seconds("wait", Operations::longest_wait).value_or(0) : 0;
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  co_return co_await tasks.get(std::move(id), wait);
}

net::Response result_response(store::Stored& stored) {
  auto const& record = stored.record;
  if (!task::is_final(record.state)) {
    return failure_response(
        {ErrorName::ConflictError,
         "the task has not ended (it is " + std::string(to_string(record.state)) + "); ask again with ?wait=SECONDS",
         {}});
  }
  if (record.error) {
    auto response = failure_response(*record.error);
    response.status = 422;
    return response;
  }
  if (!stored.result) return json_response(204, "");
  return json_response(200, std::move(*stored.result));
}

}  // namespace

Async<void> Rest::task_result(Call call) {
  auto stored = co_await stored_of(operations_.services().tasks, std::move(call.fields), true);
  auto response = stored.has_error() ? failure_response(stored.error()) : result_response(stored.value());
  co_await call.exchange.respond(std::move(response));
}

Async<void> Rest::task_script(Call call) {
  auto stored = co_await stored_of(operations_.services().tasks, std::move(call.fields), false);
  net::Response response;
  if (stored.has_error()) {
    response = failure_response(stored.error());
  } else {
    response = json_response(200, std::move(stored.value().record.request.script));
    response.content_type = "text/javascript; charset=utf-8";
  }
  co_await call.exchange.respond(std::move(response));
}

Async<void> Rest::task_screenshot(Call call) {
  auto id = call.fields.text("id");
  auto picture = co_await operations_.services().tasks.screenshot(std::move(id));
  net::Response response;
  if (picture.has_error()) {
    response = failure_response(picture.error());
  } else {
    response = json_response(200, std::move(picture.value()));
    response.content_type = "image/png";
  }
  co_await call.exchange.respond(std::move(response));
}

Async<void> Rest::task_events(Call call) {
  auto id = call.fields.text("id");
  auto const after = last_event_id(call.exchange.head());
  if (after.has_error()) {
    auto response = failure_response(after.error());
    co_await call.exchange.respond(std::move(response));
    co_return;
  }
  auto& tasks = operations_.services().tasks;
  // The head is sent only when it is known that there is such a task.
  auto known = co_await tasks.get(id, 0);
  if (known.has_error()) {
    auto response = failure_response(known.error());
    co_await call.exchange.respond(std::move(response));
    co_return;
  }
  auto head = EventStream::head();
  if (call.exchange.head().method == "HEAD") {
    co_await call.exchange.respond(std::move(head));
    co_return;
  }
  auto stream = co_await call.exchange.stream(std::move(head));
  if (!stream) co_return;
  EventStream events(operations_.services().io, live_, *stream);
  std::function<void(task::Event const&)> sink = [&events](task::Event const& event) {
    // What is not in the journal has no number of its own to go on from.
    events.send(event.journaled ? std::to_string(event.seq) : "", event.kind, task::event_to_json(event));
    if (event.kind == "end") events.finish();
  };
  auto watch = co_await tasks.watch(std::move(id), after.value(), std::move(sink));
  if (watch.has_error()) events.finish();
  co_await stream->closed();
}

}  // namespace any::api
