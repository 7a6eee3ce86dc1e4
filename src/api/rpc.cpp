#include "api/rpc.hpp"

#include <boost/json/serialize.hpp>
#include <limits>

#include "api/ops/table.hpp"
#include "api/shape.hpp"
#include "async/post.hpp"
#include "base/guard.hpp"
#include "base/log.hpp"
#include "service/cdp_client.hpp"
#include "task/json.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

constexpr std::chrono::seconds look_at_deadlines{5};

Result<json::object> read_params(std::string_view text) {
  if (text.empty()) return json::object();
  auto parsed = wire::parse_strict(text, {task::max_json_depth + 1, true});
  if (parsed.has_error()) return parsed.error();
  auto* object = parsed.value().if_object();
  if (object == nullptr)
    return Error{ErrorName::BadRequestError, "params must be an object", json::object{{"path", "params"}}};
  return std::move(*object);
}

}  // namespace

RpcSession::RpcSession(Context const& context, Live& live, Metrics& metrics, std::unique_ptr<net::WebSocket> socket,
                       RpcLimits limits)
    : context_{context},
      live_{live},
      metrics_{metrics},
      socket_{std::move(socket)},
      limits_{limits},
      deadlines_{context.services.io.get_executor(), "the deadlines of RPC requests"} {}

Async<void> RpcSession::serve() {
  auto const self = shared_from_this();
  std::function<void()> end = [this] { socket_->close(1001, "the daemon is shutting down"); };
  Live::Entry const entry(live_, std::move(end));
  if (live_.closing()) socket_->close(1001, "the daemon is shutting down");
  Finally const over([this] {
    ended_ = true;
    watches_.clear();
    logs_.reset();
    cdp_.reset();
    // They go on for a moment: what they wait for on behalf of this caller ends.
    for (auto const& each : running_) each.cancellation.cancel();
  });
  while (true) {
    auto text = co_await socket_->receive();
    if (text.has_error()) break;
    take(std::move(text.value()));
  }
}

void RpcSession::take(std::string text) {
  ++metrics_.rpc_requests;
  if (text.starts_with('[')) {
    Error const error{ErrorName::BadRequestError, "batches are not taken; send one request a message", {}};
    socket_->send(wire::error("", error, wire::code::not_a_request));
    return;
  }
  auto const envelope = wire::read_envelope(text);
  if (envelope.has_error()) {
    socket_->send(wire::error("", envelope.error(), wire::code::malformed));
    return;
  }
  auto const& read = envelope.value();
  using Kind = wire::Envelope::Kind;
  if (read.kind == Kind::response || read.kind == Kind::error) return;  // we ask nothing
  if (read.kind == Kind::invalid) {
    Error const error{ErrorName::BadRequestError, std::string(read.problem), {}};
    socket_->send(wire::error(read.id, error, wire::code::not_a_request));
    return;
  }
  if (running_.size() >= limits_.requests || bytes_ + text.size() > std::max(limits_.request_bytes, text.size())) {
    Error const error{ErrorName::QueueFullError,
                      "too many requests of this socket are not answered yet (" + std::to_string(running_.size()) +
                          "); wait for some, or open another",
                      {}};
    if (read.kind == Kind::request) socket_->send(wire::error(read.id, error));
    return;
  }
  if (running_.empty()) deadlines_.after(look_at_deadlines, [this] { check_deadlines(); });
  Running begun{.name = "the RPC request " + wire::quote(read.method.substr(0, 100)),
                .id = read.kind == Kind::request ? std::string(read.id) : std::string(),
                .bytes = text.size()};
  bytes_ += text.size();
  auto const place = running_.insert(running_.end(), std::move(begun));
  auto running = run(shared_from_this(), std::move(text), place);
  async::spawn(context_.services.io.get_executor(), place->name, std::move(running), place->cancellation);
}

void RpcSession::done(Place place) {
  bytes_ -= place->bytes;
  running_.erase(place);
}

Async<void> RpcSession::run(std::shared_ptr<RpcSession> session, std::string text, Place place) {
  Finally const over([&] { session->done(place); });
  // Read again: the first reading's views went with the text's old place.
  auto const envelope = wire::read_envelope(text).value();
  auto answer = Result<Answer>(internal_error(place->name));
  try {
    answer = co_await session->call(envelope.method, envelope.params);
  } catch (...) {
    log_bug(place->name, std::current_exception());
  }
  if (session->ended_) co_return;
  if (!place->id.empty()) {
    auto const unknown = answer.has_error() && answer.error().name == ErrorName::NotFoundError &&
                         answer.error().extra.contains("method");
    session->socket_->send(answer.has_error()
                               ? wire::error(place->id, answer.error(), unknown ? wire::code::unknown_method : 0)
                               : wire::result(place->id, answer.value().body));
  }
  if (answer.has_value() && !answer.value().watched.empty()) session->open_task(answer.value().watched);
}

void RpcSession::check_deadlines() {
  if (!running_.empty()) deadlines_.after(look_at_deadlines, [this] { check_deadlines(); });
  auto const since = std::chrono::steady_clock::now() - limits_.time;
  // They stand in the order in which they came.
  for (auto& each : running_) {
    if (each.since > since) return;
    if (each.id.empty()) continue;
    auto const id = std::exchange(each.id, {});
    log::error("A bug: " + each.name + " has no answer after " + std::to_string(limits_.time.count()) + " s.");
    socket_->send(wire::error(id, internal_error(each.name)));
    each.cancellation.cancel();
  }
}

Async<Result<Answer>> RpcSession::call(std::string_view method, std::string_view params) {
  auto const* operation = find_operation(method);
  if (operation == nullptr) {
    co_return Error{ErrorName::NotFoundError,
                    "there is no method " + wire::quote(method.substr(0, 100)) +
                        " in any " ANY_VERSION "; if the caller is newer, restart the daemon",
                    json::object{{"method", method}}};
  }
  auto fields = read_params(params);
  if (fields.has_error()) co_return fields.error();
  auto input = Input::read(std::move(fields.value()), operation->input, Door::rpc);
  if (input.has_error()) co_return input.error();
  Call call{context_, std::move(input.value()), this};
  co_return co_await any::api::run(*operation, std::move(call));
}

void RpcSession::watch_log(std::uint64_t since) {
  logs_.reset();
  LogTail::Sink sink = [this](log::Line const& line) {
    socket_->send(wire::notification("log.line", json::serialize(line_json(line))));
  };
  logs_ =
      std::make_unique<LogTail>(context_.services.io, std::numeric_limits<std::size_t>::max(), since, std::move(sink));
}

void RpcSession::watch_cdp(std::shared_ptr<service::CdpClient> client, std::string pattern) {
  client->on_event(std::move(pattern), [this](std::string_view of, std::string_view method, std::string_view params) {
    std::string text = R"({"method":)" + wire::quote(method);
    if (!of.empty()) text.append(R"(,"session":)").append(wire::quote(of));
    if (!ended_) socket_->send(wire::notification("cdp.event", text.append(R"(,"params":)").append(params) + "}"));
  });
  client->on_closed([this, of = client.get()] {
    if (ended_ || cdp_.get() != of) return;
    socket_->send(wire::notification("cdp.closed", R"({"reason":)" + wire::quote(*of->closed_because()) + "}"));
  });
  if (!ended_) cdp_ = std::move(client);
}

void RpcSession::unwatch_task(std::string const& id) {
  watches_.erase(id);
}

Async<Result<void>> RpcSession::watch_task(std::string id, std::uint64_t after) {
  if (watches_.size() >= limits_.watches) {
    co_return Error{ErrorName::QueueFullError,
                    "this socket watches " + std::to_string(limits_.watches) + " tasks already; open another",
                    {}};
  }
  auto const number = ++watch_number_;
  watches_[id] = Watched{};  // ends the one before
  watches_[id].number = number;
  std::function<void(task::Event const&)> sink = [weak = weak_from_this(), id, number](task::Event const& event) {
    if (auto const self = weak.lock()) self->tell(id, number, event);
  };
  bool stands = false;
  Finally const tidy([&] {
    auto const place = watches_.find(id);
    if (!stands && place != watches_.end() && place->second.number == number) watches_.erase(place);
  });
  auto begun = co_await context_.services.tasks.watch(id, after, std::move(sink));
  if (begun.has_error()) co_return begun.error();
  // It may have been ended or replaced meanwhile; then `begun` ends here.
  auto const found = watches_.find(id);
  if (found != watches_.end() && found->second.number == number && !ended_) {
    found->second.watch = std::move(begun.value());
    stands = true;
  }
  co_return Result<void>();
}

void RpcSession::tell(std::string const& id, std::uint64_t number, task::Event const& event) {
  auto const found = watches_.find(id);
  if (ended_ || found == watches_.end() || found->second.number != number) return;
  auto text = wire::notification("task.event", task_event_params(id, event));
  if (found->second.open) {
    socket_->send(std::move(text));
    // The watch calls us: it is let go once it has returned.
    if (event.kind == "end") end_watch(id, number);
  } else {
    found->second.held.push_back(std::move(text));
    found->second.over = event.kind == "end";
  }
}

void RpcSession::open_task(std::string const& id) {
  auto const found = watches_.find(id);
  if (found == watches_.end()) return;
  found->second.open = true;
  auto const held = std::move(found->second.held);
  auto const over = found->second.over;
  if (over) watches_.erase(found);
  for (auto const& text : held) socket_->send(text);
}

void RpcSession::end_watch(std::string id, std::uint64_t number) {
  auto end = [self = shared_from_this(), id = std::move(id), number] {
    auto const found = self->watches_.find(id);
    if (found != self->watches_.end() && found->second.number == number) self->watches_.erase(found);
  };
  async::post(context_.services.io.get_executor(), "ending a watch", std::move(end));
}

}  // namespace any::api
