#include "api/api.hpp"

#include <unistd.h>

#include "api/cdp_endpoints.hpp"
#include "api/compat.hpp"
#include "api/live.hpp"
#include "api/pages.hpp"
#include "api/request_guard.hpp"
#include "api/rest.hpp"
#include "api/rpc.hpp"
#include "base/log.hpp"

namespace any::api {
namespace {

// A result of CDP may be 256 MiB of JSON text; one of a task 128 MiB, and a screenshot may come with it.
constexpr std::size_t largest_result = std::size_t{272} << 20;
constexpr std::size_t largest_link_queue = std::size_t{512} << 20;
constexpr std::size_t largest_request = std::size_t{65} << 20;
constexpr Millis refusals_logged_each = 1000;

net::SocketLimits link_limits() {
  return {largest_result, largest_link_queue};
}
net::SocketLimits rpc_limits() {
  return {largest_request, std::size_t{320} << 20};
}

bool is_socket_path(std::string_view path) {
  return path == "/v1/rpc" || path == "/extension" || path == "/events";
}

}  // namespace

struct Api::Impl {
  Impl(Services given, Options chosen)
      : services{std::move(given)},
        options{std::move(chosen)},
        rules{options.token, options.allow_extensions},
        context{services, refused, !options.token.empty(), metrics, live},
        compat{services},
        cdp{services, live},
        rest{context, live} {}

  /// The door: every check that needs no body.
  std::optional<net::Response> admit(net::Head const& head) {
    auto checked = check_head(head, rules);
    if (checked.has_value() && !options.any_user) checked = check_own_user(head.peer);
    // Who comes here is handed everybody's scripts.
    if (checked.has_value() && head.path == "/events" && rules.token.empty()) {
      checked = check_own_user(head.peer);
      if (checked.has_error()) {
        checked =
            Error{ErrorName::ForbiddenError,
                  "an extension of another user is served on /events only where the daemon demands a token: start "
                  "it with --token too, and open /events?token=TOKEN",
                  {}};
      }
    }
    if (checked.has_value()) {
      ++metrics.requests;
      return std::nullopt;
    }
    if (auto const id = refused_extension(head, rules); id && refused.add(*id)) {
      log::warn("the extension " + *id +
                " wants to link and is refused: it is not any's own. If it is yours, start the " +
                "daemon with --allow-extension " + *id);
    }
    return refuse(checked.error(), head.method.substr(0, 20) + " " + head.path.substr(0, 100) + ": ");
  }

  static Result<void> check_own_user(net::Peer const& peer) { return check_user(peer, ::geteuid()); }

  net::Response refuse(Error const& error, std::string const& about) {
    ++metrics.refused[std::string(to_string(error.name))];
    // A page that tries again and again must not flood the log.
    auto const now = services.clock.now().mono;
    if (now - refusal_logged >= refusals_logged_each) {
      std::string text = "refused " + about + error.message;
      if (silent_refusals > 0) text += " (and " + std::to_string(silent_refusals) + " more since the last such line)";
      log::warn(text);
      refusal_logged = now;
      silent_refusals = 0;
    } else {
      ++silent_refusals;
    }
    return failure_response(error);
  }

  Async<void> serve_socket(net::Exchange& exchange) {
    auto const path = exchange.head().path;
    if (!exchange.head().upgrade) {
      auto response = failure_response({ErrorName::BadRequestError, path + " is a WebSocket; open it as one", {}});
      co_await exchange.respond(std::move(response));
      co_return;
    }
    if (live.closing()) {
      auto response = failure_response({ErrorName::UnavailableError, "the daemon is shutting down", {}});
      co_await exchange.respond(std::move(response));
      co_return;
    }
    browser::LinkCaller caller{std::string(exchange.head().header("Origin")),
                               check_own_user(exchange.head().peer).has_value()};
    auto const limits = path == "/v1/rpc" ? rpc_limits() : link_limits();
    auto socket = co_await exchange.accept(limits);
    if (socket.has_error()) {
      log::info("a WebSocket was not opened on " + path + ": " + socket.error().message);
      if (socket.error().name == ErrorName::BadRequestError) {
        auto response = failure_response(socket.error());
        co_await exchange.respond(std::move(response));
      }
      co_return;
    }
    if (path == "/v1/rpc") {
      auto const session = std::make_shared<RpcSession>(context, live, metrics, std::move(socket.value()));
      co_await session->serve();
    } else if (path == "/extension") {
      co_await services.browsers.serve_link(std::move(socket.value()), std::move(caller));
    } else {
      co_await services.browsers.serve_prototype(std::move(socket.value()));
    }
  }

  Async<void> serve_main(net::Exchange& exchange) {
    auto const& path = exchange.head().path;
    if (is_socket_path(path)) {
      co_await serve_socket(exchange);
    } else if (Compat::takes(path)) {
      co_await compat.serve(exchange);
    } else if (auto door = find_cdp_door(exchange.head())) {
      co_await cdp.serve(exchange, std::move(*door));
    } else {
      co_await rest.serve(exchange);
    }
  }

  Async<void> serve_compat(net::Exchange& exchange) {
    auto const& path = exchange.head().path;
    if (path == "/events") {
      co_await serve_socket(exchange);
    } else if (Compat::takes(path)) {
      co_await compat.serve(exchange);
    } else if (path == "/health") {
      co_await rest.serve(exchange);
    } else {
      auto response = detail_response(404, "Not Found");
      co_await exchange.respond(std::move(response));
    }
  }

  /// A bug of ours ends one request, and is told.
  static Async<void> guarded(net::Exchange& exchange, Async<void> work) {
    std::string bug;
    try {
      co_await std::move(work);
    } catch (std::exception const& thrown) {
      bug = thrown.what();
    }
    if (bug.empty()) co_return;
    log::error("a bug: " + exchange.head().method + " " + exchange.head().path + " ended by " + bug);
    auto response = failure_response({ErrorName::InternalError,
                                      "a bug of the daemon: " + bug + "; please report it with the lines of `any logs`",
                                      {}});
    co_await exchange.respond(std::move(response));
  }

  net::Handler handler(Async<void> (Impl::*serve)(net::Exchange&)) {
    net::Handler out;
    out.admit = [this](net::Head const& head) { return admit(head); };
    out.handle = [this, serve](net::Exchange& exchange) { return guarded(exchange, (this->*serve)(exchange)); };
    out.failure = [this](Error const& error) { return refuse(error, ""); };
    return out;
  }

  Services services;
  Options options;
  GuardRules rules;
  Live live;
  Metrics metrics;
  RefusedExtensions refused;
  Context context;
  Compat compat;
  CdpEndpoints cdp;
  Rest rest;
  Millis refusal_logged = -refusals_logged_each;
  std::uint64_t silent_refusals = 0;
};

Api::Api(Services services, Options options) : impl_{std::make_unique<Impl>(std::move(services), std::move(options))} {}
Api::~Api() = default;

net::Handler Api::handler() {
  return impl_->handler(&Impl::serve_main);
}
net::Handler Api::compat_handler() {
  return impl_->handler(&Impl::serve_compat);
}
net::Handler Api::pages_handler() {
  return api::pages_handler();
}
void Api::close() {
  impl_->live.end_all();
}

}  // namespace any::api
