#include "any/client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/config.hpp"
#include "client/connection.hpp"
#include "wire/json.hpp"

namespace any {
namespace {

namespace json = boost::json;
using client::Connection;
using client::Notification;
using client::TimePoint;
constexpr Milliseconds longest_wait{300'000};  // of one tasks.get
constexpr Milliseconds reconnect_patience{30'000};
constexpr Milliseconds between_attempts{200};

[[noreturn]] void fail(Error const& error) {
  auto const interrupted = error.extra.contains("interrupted");
  throw Failure{interrupted ? "Interrupted" : std::string{to_string(error.name)}, error.message,
                json::serialize(to_json(error))};
}

template <class T>
T value_or_fail(Result<T> result) {
  if (result.has_error()) fail(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

bool is_lost(Failure const& failure) {
  return failure.name() == "UnavailableError";
}

std::optional<TimePoint> end_of(std::optional<Milliseconds> timeout) {
  return timeout ? std::optional{std::chrono::steady_clock::now() + *timeout} : std::nullopt;
}

// Seconds as the protocol writes them.
std::string seconds(std::optional<Milliseconds> time) {
  if (!time) return "null";
  auto const rest = std::to_string(1000 + time->count() % 1000).substr(1);
  return std::to_string(time->count() / 1000) + "." + rest;
}

// An object whose values are JSON text already.
class ObjectText {
 public:
  ObjectText& add(std::string_view key, std::string_view raw) {
    text_.append(text_.size() > 1 ? "," : "").append(wire::quote(key)).append(":").append(raw);
    return *this;
  }
  ObjectText& add_text(std::string_view key, std::string_view text) {
    return text.empty() ? *this : add(key, wire::quote(text));
  }
  std::string take() { return std::move(text_ += '}'); }

 private:
  std::string text_ = "{";
};

// Views into `text`.
wire::Members read_object(std::string const& text) {
  return value_or_fail(wire::members(text));
}
wire::Members read_object(std::string&& text) = delete;

std::string text_of(wire::Members const& members, std::string_view key) {
  auto const text = wire::string_value(wire::member(members, key));
  return text.has_value() ? *text : std::string{};
}

bool is_final(std::string_view state) {
  return state == "completed" || state == "failed" || state == "cancelled";
}

}  // namespace

Failure::Failure(std::string name, std::string const& message, std::string json)
    : std::runtime_error{message}, name_{std::move(name)}, json_{std::move(json)} {}

Tab Tab::active() {
  return Tab{"\"active\""};
}
Tab Tab::id(std::int64_t id) {
  return Tab{std::to_string(id)};
}
Tab Tab::matching(std::string_view pattern) {
  return Tab{ObjectText{}.add_text("url", pattern).take()};
}
Tab Tab::open(std::string_view url, bool background, bool keep) {
  return Tab{ObjectText{}
                 .add("open", wire::quote(url))
                 .add("background", background ? "true" : "false")
                 .add("keep", keep ? "true" : "false")
                 .take()};
}

struct Client::Impl {
  struct Followed {
    EventHandler handler;
    std::uint64_t last = 0;  // seq
  };

  Impl(std::string where, std::string token)
      : daemon{std::move(where)}, connection{daemon, std::move(token), [this](Notification const& n) { take(n); }} {}

  void take(Notification const& notification) {
    if (notification.method == "task.event" && tell(notification.params)) return;
    if (on_notification) on_notification(notification.method, notification.params);
  }

  // True where the event is of a task that is followed.
  bool tell(std::string const& params) {
    auto const members = wire::members(params);
    if (members.has_error()) return false;
    Event event{text_of(*members, "task"), 0, text_of(*members, "kind"), params};
    auto const found = followed.find(event.task);
    if (found == followed.end()) return false;
    event.seq = std::strtoull(std::string{wire::member(*members, "seq")}.c_str(), nullptr, 10);
    found->second.last = event.seq;
    auto const handler = found->second.handler;
    if (event.kind == "end") followed.erase(found);
    handler(event);
    return true;
  }

  void watch(std::string const& task, std::uint64_t after) {
    auto const params = ObjectText{}.add("id", wire::quote(task)).add("after", std::to_string(after)).take();
    value_or_fail(connection.call("tasks.watch", params, end_of(longest_wait)));
  }

  void connect() {
    value_or_fail(connection.open());
    auto const again = followed;
    for (auto const& [task, state] : again) watch(task, state.last);
  }

  // Waits out a restart of the daemon.
  void reconnect(std::optional<TimePoint> end) {
    auto const patience = std::chrono::steady_clock::now() + reconnect_patience;
    auto const limit = end ? std::min(*end, patience) : patience;
    for (;;) {
      try {
        return connect();
      } catch (Failure const& failure) {
        if (!is_lost(failure) || std::chrono::steady_clock::now() + between_attempts > limit) throw;
      }
      std::this_thread::sleep_for(between_attempts);
    }
  }

  std::string daemon;
  NotificationHandler on_notification;
  std::map<std::string, Followed> followed;
  Connection connection;
};

Client::Client(ClientOptions options) {
  if (options.daemon.empty() || options.state_dir.empty()) {
    auto const config = load_config();
    // A broken file matters only to whom it would tell something.
    if (config.has_error() && options.daemon.empty()) fail(config.error());
    if (config.has_value()) {
      if (options.state_dir.empty()) options.state_dir = config->state_dir;
      if (options.daemon.empty()) options.daemon = config->daemon;
      if (options.daemon.empty()) options.daemon = config->listen.front();
    }
  }
  if (options.daemon.find("://") == std::string::npos) options.daemon.insert(0, "http://");
  while (options.daemon.ends_with('/')) options.daemon.pop_back();
  if (options.token.empty()) options.token = read_token(options.state_dir);
  impl_ = std::make_unique<Impl>(std::move(options.daemon), std::move(options.token));
  impl_->connect();
}

Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

std::string Client::call(std::string_view method, std::string_view params, std::optional<Milliseconds> timeout) {
  return value_or_fail(impl_->connection.call(method, params, end_of(timeout)));
}

TaskHandle Client::submit(std::string_view script, TaskOptions const& options, EventHandler on_event) {
  json::object labels;
  for (auto const& [key, text] : options.labels) labels[key] = text;
  ObjectText params;
  params.add_text("id", options.id).add_text("file", options.file).add_text("browser", options.browser);
  params.add("tab", options.tab.json()).add("frame", options.frame).add("world", wire::quote(options.world));
  params.add("timeout", seconds(options.timeout)).add("queue_timeout", seconds(options.queue_timeout));
  params.add("retries", std::to_string(options.retries)).add("priority", std::to_string(options.priority));
  params.add("labels", json::serialize(labels)).add("args", options.args).add("script", wire::quote(script));
  auto const text = params.take();
  if (auto const checked = wire::members(text); checked.has_error()) {
    fail({ErrorName::BadRequestError, "args, tab or frame is not JSON. " + checked.error().message});
  }
  auto const answer = call("tasks.submit", text, longest_wait);
  auto const record = read_object(answer);
  TaskHandle handle{*this, text_of(record, "id")};
  if (on_event) handle.on_event(std::move(on_event));
  return handle;
}

std::optional<std::string> Client::run(std::string_view script, TaskOptions const& options, EventHandler on_event) {
  return submit(script, options, std::move(on_event)).result();
}

TaskHandle Client::task(std::string id) {
  return TaskHandle{*this, std::move(id)};
}

std::string Client::tasks(std::string_view filter) {
  return call("tasks.list", filter);
}
std::string Client::browsers() {
  return call("browsers.list");
}
std::string Client::tabs(std::string_view browser) {
  return call("tabs.list", ObjectText{}.add_text("browser", browser).take());
}
std::string Client::health() {
  return call("health");
}
std::string Client::logs(int limit) {
  return call("logs.list", ObjectText{}.add("limit", std::to_string(limit)).take());
}

std::string Client::wait_for_browser(Milliseconds timeout) {
  return call("browsers.wait", ObjectText{}.add("timeout", seconds(timeout)).take(), timeout + Milliseconds{10'000});
}

void Client::follow_logs(std::function<bool(std::string_view line)> const& handler) {
  auto over = false;
  auto const before = impl_->on_notification;
  impl_->on_notification = [&](std::string_view method, std::string_view params) {
    if (method == "log.line") {
      over = over || !handler(params);
    } else if (before) {
      before(method, params);
    }
  };
  struct Restore {
    NotificationHandler& place;
    NotificationHandler value;
    ~Restore() { place = std::move(value); }
  } const restore{impl_->on_notification, before};
  call("logs.watch");
  wait([&] { return over; });
}

void Client::on_notification(NotificationHandler handler) {
  impl_->on_notification = std::move(handler);
}

bool Client::wait(std::function<bool()> const& done, std::optional<Milliseconds> timeout) {
  auto const waited = impl_->connection.await(done, end_of(timeout));
  if (waited == Connection::Waited::lost || waited == Connection::Waited::interrupted)
    fail(impl_->connection.error_of(waited, "waiting"));
  return waited == Connection::Waited::done;
}

void Client::interrupt() noexcept {
  impl_->connection.interrupt();
}
bool Client::connected() const noexcept {
  return impl_->connection.connected();
}
void Client::connect() {
  if (!connected()) impl_->connect();
}
std::string const& Client::daemon() const noexcept {
  return impl_->daemon;
}

std::optional<std::string> TaskHandle::result(std::optional<Milliseconds> timeout) {
  auto const end = end_of(timeout);
  auto& impl = *client_->impl_;
  for (;;) {
    auto const left =
        end ? std::chrono::duration_cast<Milliseconds>(*end - std::chrono::steady_clock::now()) : longest_wait;
    auto const step = std::clamp(left, Milliseconds{0}, longest_wait);
    auto const params = ObjectText{}.add("id", wire::quote(id_)).add("wait", seconds(step)).take();
    std::string text;
    try {
      text = client_->call("tasks.get", params, step + Milliseconds{10'000});
    } catch (Failure const& failure) {
      if (!is_lost(failure)) throw;
      impl.reconnect(end);
      continue;
    }
    auto const record = read_object(text);
    auto const state = text_of(record, "state");
    if (is_final(state)) {
      // Whoever follows sees the end before the result.
      client_->wait([&] { return impl.followed.count(id_) == 0; }, Milliseconds{1'000});
      if (state == "completed") {
        if (text_of(record, "result_type") == "undefined") return std::nullopt;
        return std::string{wire::member(record, "result")};
      }
      auto const error = json::parse(wire::member(record, "error"));
      fail(error.is_object() ? error_from_json(error.get_object())
                             : Error{ErrorName::InternalError, "The task " + state + " without an error."});
    }
    if (end && std::chrono::steady_clock::now() >= *end) {
      fail({ErrorName::TimeoutError,
            "The task " + id_ + " is " + state + " still; it goes on, ask for its result later.",
            {{"state", state}}});
    }
  }
}

void TaskHandle::on_event(EventHandler handler) {
  client_->impl_->followed[id_] = {std::move(handler), 0};
  try {
    client_->impl_->watch(id_, 0);
  } catch (...) {
    client_->impl_->followed.erase(id_);
    throw;
  }
}

std::string TaskHandle::record() {
  return client_->call("tasks.get", ObjectText{}.add("id", wire::quote(id_)).take());
}

void TaskHandle::cancel() {
  client_->call("tasks.cancel", ObjectText{}.add("id", wire::quote(id_)).take());
}

}  // namespace any
