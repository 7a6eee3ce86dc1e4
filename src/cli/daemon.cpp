#include "cli/daemon.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdlib>
#include <map>

#include "async/spawn.hpp"
#include "base/config.hpp"
#include "browser/handshake.hpp"
#include "cli/terminal.hpp"
#include "wire/envelope.hpp"

namespace any::cli {
namespace asio = boost::asio;
namespace {

std::vector<net::Header> credentials(Reach const& reach) {
  auto const token = read_token(reach.state_dir);
  if (token.empty()) return {};
  return {{"Authorization", "Bearer " + token}};
}

/// Runs one coroutine to its end on a loop of its own.
template <class T>
Result<T> run_alone(Async<Result<T>> work) {
  asio::io_context io{1};
  std::optional<Result<T>> out;
  auto const done = [&out](std::exception_ptr const& failure, Result<T> value) {
    if (failure) std::rethrow_exception(failure);
    out.emplace(std::move(value));
  };
  asio::co_spawn(io, std::move(work), done);
  io.run();
  return std::move(*out);
}

}  // namespace

std::string token_source(std::string const& state_dir) {
  char const* given = std::getenv("ANY_TOKEN");
  return given != nullptr && *given != '\0' ? "ANY_TOKEN of the environment" : state_dir + "/token";
}

Result<net::Response> http_get(Reach const& reach, std::string_view path, Duration timeout) {
  net::ClientRequest request;
  request.url = reach.daemon + std::string(path);
  request.headers = credentials(reach);
  request.timeout = timeout;
  return run_alone(net::http_call(std::move(request)));
}

Result<boost::json::object> health_of(Reach const& reach) {
  auto const answer = http_get(reach, "/health");
  if (answer.has_error()) return answer.error();
  boost::system::error_code failure;
  auto const json = boost::json::parse(answer.value().body, failure);
  auto const* object = failure ? nullptr : json.if_object();
  auto const* name = object == nullptr ? nullptr : object->if_contains("name");
  if (name == nullptr || !name->is_string() || name->as_string() != "any") {
    return Error{ErrorName::ProtocolError,
                 "what answers at " + reach.daemon + " is not any (HTTP " + std::to_string(answer.value().status) +
                     "): end it, or let any listen elsewhere (any serve --listen 127.0.0.1:PORT, ANY_DAEMON)"};
  }
  return *object;
}

struct Daemon::Impl {
  asio::io_context io{1};
  asio::signal_set interrupts{io};
  std::unique_ptr<net::WebSocket> socket;
  boost::json::object health;
  std::function<void(std::string_view, boost::json::object const&)> notified;
  std::function<void()> interrupted;
  std::map<std::string, Result<std::string>> answers;
  std::string awaited;
  int last_id = 0;
  bool lost = false;

  Async<void> read_all() {
    for (;;) {
      auto message = co_await socket->receive();
      if (message.has_error()) break;
      take(message.value());
    }
    lost = true;
  }

  void take(std::string const& text) {
    auto const envelope = wire::read_envelope(text);
    if (envelope.has_error()) return say("the daemon sent what is no message: " + envelope.error().message);
    auto const& message = envelope.value();
    using Kind = wire::Envelope::Kind;
    if (message.kind == Kind::notification && notified) {
      auto const params = wire::parse_strict(message.params, {wire::max_payload_depth});
      if (params && params->is_object()) notified(message.method, params->get_object());
    } else if (message.kind == Kind::response && message.id == awaited) {
      answers.insert_or_assign(awaited, Result<std::string>(std::string(message.result)));
    } else if (message.kind == Kind::error && message.id == awaited) {
      answers.insert_or_assign(awaited, Result<std::string>(wire::read_error(message.error)));
    }
  }

  void listen_for_interrupts() {
    interrupts.async_wait([this](boost::system::error_code failure, int) {
      if (failure) return;
      if (interrupted) interrupted();
      listen_for_interrupts();
    });
  }
};

Daemon::Daemon() : impl_(std::make_unique<Impl>()) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::reach(Reach const& reach, Start start) {
  auto health = health_of(reach);
  if (health.has_error() && health.error().name == ErrorName::UnavailableError && start == Start::if_none) {
    say("no daemon runs at " + reach.daemon + ": starting one (any stop ends it)");
    if (auto const started = start_daemon(reach); started.has_error()) return started.error();
    health = health_of(reach);
  }
  if (health.has_error()) {
    auto error = health.error();
    if (error.name == ErrorName::UnavailableError) {
      error.message = "no daemon answers at " + reach.daemon + " (" + error.message + "): start it with `any serve`";
    }
    return error;
  }
  std::unique_ptr<Daemon> out(new Daemon);
  auto& impl = *out->impl_;
  impl.health = std::move(health.value());
  if (auto const* version = impl.health.if_contains("version"); version != nullptr && version->is_string()) {
    std::string_view const running = version->as_string();
    if (browser::compare_versions(running, ANY_VERSION) < 0) {
      say("the daemon that runs is older (" + std::string(running) +
          ") than this command line (" ANY_VERSION "): `any stop`, and the next command starts the new one");
    }
  }

  std::optional<Result<std::unique_ptr<net::WebSocket>>> connected;
  auto const done = [&connected](std::exception_ptr const& failure, Result<std::unique_ptr<net::WebSocket>> socket) {
    if (failure) std::rethrow_exception(failure);
    connected.emplace(std::move(socket));
  };
  net::SocketLimits limits;
  limits.max_message = std::size_t{512} << 20;
  asio::co_spawn(impl.io, net::connect_websocket(reach.daemon + "/v1/rpc", credentials(reach), limits), done);
  while (!connected) impl.io.run_one();
  if (connected->has_error()) {
    auto error = connected->error();
    if (error.name == ErrorName::UnauthorizedError)
      error.message += ". It was looked for in " + token_source(reach.state_dir) +
                       ": set ANY_TOKEN to it, or ANY_STATE_DIR to the daemon's state folder";
    return error;
  }
  impl.socket = std::move(connected->value());
  async::spawn(impl.io.get_executor(), "reading from the daemon", impl.read_all());
  return out;
}

void Daemon::on_notification(std::function<void(std::string_view, boost::json::object const&)> handler) {
  impl_->notified = std::move(handler);
}

void Daemon::on_interrupt(std::function<void()> handler) {
  impl_->interrupted = std::move(handler);
  impl_->interrupts.add(SIGINT);
  impl_->interrupts.add(SIGTERM);
  impl_->listen_for_interrupts();
}

Daemon::Waited Daemon::wait(std::function<bool()> const& done, std::optional<Duration> timeout) {
  auto const end = std::chrono::steady_clock::now() + timeout.value_or(Duration(0));
  impl_->io.restart();
  while (!done()) {
    if (impl_->lost) return Waited::lost;
    if (!timeout) {
      impl_->io.run_one();
    } else if (impl_->io.run_one_until(end) == 0) {
      return done() ? Waited::done : Waited::time_is_up;
    }
  }
  return Waited::done;
}

Result<std::string> Daemon::call(std::string_view method, boost::json::object const& params, Duration timeout) {
  auto const id = std::to_string(++impl_->last_id);
  impl_->awaited = id;
  impl_->socket->send(wire::request(id, method, boost::json::serialize(params)));
  switch (wait([&] { return impl_->answers.contains(id); }, timeout)) {
    case Waited::lost:
      return Error{ErrorName::UnavailableError,
                   "the daemon went away before it answered: start it with `any serve` and ask again"};
    case Waited::time_is_up:
      return Error{ErrorName::UnavailableError, "the daemon did not answer " + std::string(method) + " in time"};
    case Waited::done:
      break;
  }
  auto node = impl_->answers.extract(id);
  return std::move(node.mapped());
}

Result<boost::json::value> Daemon::ask(std::string_view method, boost::json::object const& params, Duration timeout) {
  auto text = call(method, params, timeout);
  if (text.has_error()) return text.error();
  // Not Boost's own reader: it misreads the last digit of many doubles.
  auto value = wire::parse_strict(text.value(), {wire::max_payload_depth});
  if (!value) return Error{ErrorName::ProtocolError, "the daemon's answer is no JSON: " + value.error().message};
  return value;
}

bool Daemon::lost() const {
  return impl_->lost;
}

boost::json::object const& Daemon::health() const {
  return impl_->health;
}

}  // namespace any::cli
