#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"
#include "cli/terminal.hpp"
#include "wire/json.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

constexpr double default_timeout = 30;

Duration seconds(double count) {
  return Duration(static_cast<Duration::rep>(std::ceil(count * 1000)));
}

/// An id, or what is no number.
json::value tab_of(std::string const& text) {
  std::int64_t id = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size()) return id;
  return json::string(text);
}

Result<json::object> call_of(CdpOptions const& options) {
  json::object call{{"method", options.method}, {"timeout", options.timeout.value_or(default_timeout)}};
  if (options.params) {
    auto const read = wire::parse_strict(*options.params, {wire::max_payload_depth});
    if (read.has_error() || !read.value().is_object()) {
      return Error{ErrorName::BadRequestError,
                   "the params must be a JSON object such as '{\"url\": \"https://example.org\"}'" +
                       (read.has_error() ? ": " + read.error().message : std::string())};
    }
    call["params"] = read.value();
  }
  if (options.tab) call["tab"] = tab_of(*options.tab);
  if (options.browser) call["browser"] = *options.browser;
  if (options.events) call["events"] = *options.events;
  return call;
}

/// Chrome's own error is the command's, as a script's own is the script's.
int fail_call(Error const& error) {
  auto const code = fail(error);
  return error.extra.contains("cdp") ? exit_script : code;
}

int watch(Daemon& daemon, json::object const& call, CdpOptions const& options) {
  int count = 0;
  std::optional<std::string> closed;
  bool interrupted = false;
  auto const enough = [&] { return options.count && count >= *options.count; };
  daemon.on_interrupt([&interrupted] { interrupted = true; });
  daemon.on_notification([&](std::string_view method, json::object const& params) {
    if (method == "cdp.closed") closed = text_of(params, "reason");
    if (method != "cdp.event" || enough()) return;
    ++count;
    std::cout << json::serialize(params) << std::endl;
  });
  auto const answer =
      daemon.ask("cdp.watch", call, seconds(options.timeout.value_or(default_timeout)) + Duration(5'000));
  if (answer.has_error()) return fail_call(answer.error());
  auto const limit = options.seconds ? std::optional(seconds(*options.seconds)) : std::nullopt;
  auto const over = [&] { return enough() || closed || interrupted || !std::cout.good(); };
  if (daemon.wait(over, limit) == Daemon::Waited::lost) return say("the daemon has ended"), exit_no_daemon;
  if (!closed || enough()) return exit_ok;
  return fail(Error{ErrorName::TabClosedError, "there is nothing more to watch: " + *closed});
}

}  // namespace

int cdp(Reach const& reach, CdpOptions const& options) {
  auto const call = call_of(options);
  if (call.has_error()) return fail(call.error()), exit_usage;
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  if (options.events) return watch(*daemon.value(), call.value(), options);
  auto const timeout = seconds(options.timeout.value_or(default_timeout)) + Duration(5'000);
  auto const answer = daemon.value()->call("cdp.call", call.value(), timeout);
  if (answer.has_error()) return fail_call(answer.error());
  auto const members = wire::members(answer.value());
  std::cout << (members.has_error() ? answer.value() : std::string(wire::member(members.value(), "result"))) << '\n';
  return exit_ok;
}

}  // namespace any::cli
