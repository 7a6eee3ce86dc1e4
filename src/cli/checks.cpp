#include "cli/checks.hpp"

#include <boost/json/parse.hpp>
#include <charconv>
#include <optional>

#include "browser/handshake.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

struct Place {
  std::string host, port;
};

/// Of "http://[::1]:8766": "::1" and "8766".
Place place_of(std::string const& url) {
  auto const at = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
  auto const colon = url.rfind(':');
  auto const has_port = colon != std::string::npos && colon >= at && url.find(']', colon) == std::string::npos;
  auto host = url.substr(at, has_port ? colon - at : std::string::npos);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {std::move(host), has_port ? url.substr(colon + 1) : "80"};
}

std::string elsewhere(std::string const& url) {
  auto const host = place_of(url).host;
  return "end that program, or use another port: any serve --listen " + host + ":PORT, and ANY_DAEMON=http://" + host +
         ":PORT for every other command";
}

/// Why nothing answers as any does.
Finding without_daemon(Reach const& reach, Error const* failure) {
  auto const port = place_of(reach.daemon).port;
  unsigned number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  auto const holder = net::port_holder(static_cast<std::uint16_t>(number));
  bool const held = holder != "another program";  // what it says where it finds none
  if (failure == nullptr) {
    return {
        "daemon.port", Verdict::problem,
        "port " + port + " is taken by " + (held ? holder : "a program that cannot be named") + ", which is not any",
        elsewhere(reach.daemon)};
  }
  if (!held) {
    return {"daemon.running", Verdict::problem, "no daemon runs at " + reach.daemon,
            "any serve   (or just `any run`, which starts it)"};
  }
  return {"daemon.port", Verdict::problem,
          "port " + port + " is taken by " + holder + ", which does not answer as any does (" + failure->message + ")",
          elsewhere(reach.daemon)};
}

/// The daemon's health, or nothing after a finding that says why there is none.
std::optional<json::object> check_daemon(Findings& out, Reach const& reach) {
  auto const answer = http_get(reach, "/health", Duration(3000));
  if (answer.has_error()) {
    auto const failure = answer.error();
    out.push_back(without_daemon(reach, &failure));
    return std::nullopt;
  }
  boost::system::error_code failure;
  auto const parsed = json::parse(answer.value().body, failure);
  if (failure || !parsed.is_object() || text_of(parsed.get_object(), "name") != "any") {
    out.push_back(without_daemon(reach, nullptr));
    return std::nullopt;
  }
  auto health = parsed.get_object();
  out.push_back({"daemon.running", Verdict::ok,
                 "the daemon " + text_of(health, "version") + " runs at " + reach.daemon + " (pid " +
                     text_of(health, "pid") + ")",
                 ""});
  for (auto& finding : check_versions(ANY_VERSION, text_of(health, "version"))) out.push_back(std::move(finding));
  if (!flag_of(health, "ok"))
    out.push_back({"daemon.journal", Verdict::problem, "the daemon says it is not well: " + text_of(health, "problem"),
                   "see `any logs`"});
  return health;
}

Findings check_links(Reach const& reach, json::object const& health) {
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error() && daemon.error().name == ErrorName::UnauthorizedError) {
    return {{"daemon.token", Verdict::problem,
             "the daemon demands a token, and " + token_source(reach.state_dir) + " has none or a wrong one",
             "name the daemon's state folder, and no ANY_TOKEN: env -u ANY_TOKEN ANY_STATE_DIR=" +
                 text_of(health, "state_dir") + " any doctor"}};
  }
  if (daemon.has_error()) return {{"daemon.rpc", Verdict::problem, daemon.error().message, "see `any logs`"}};
  auto const answer = daemon.value()->ask("browsers.list", {});
  if (answer.has_error()) return {{"browser.list", Verdict::problem, answer.error().message, "see `any logs`"}};
  return check_browsers(array_of(answer.value().as_object(), "browsers"), text_of(health, "version"));
}

void add(Findings& to, Findings from) {
  for (auto& finding : from) to.push_back(std::move(finding));
}

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::note:
      return "note";
    case Verdict::problem:
      break;
  }
  return "problem";
}

Findings check_versions(std::string_view program, std::string_view daemon) {
  auto const order = browser::compare_versions(program, daemon);
  if (order == 0) return {};
  auto text = "this command line is " + std::string(program) + ", " + (order > 0 ? "newer" : "older") +
              " than the daemon that runs, " + std::string(daemon);
  return {{"daemon.version", Verdict::note, std::move(text),
           order > 0 ? "any stop   (the next command starts the new one)"
                     : "use the `any` that the daemon was started from: which -a any"}};
}

int exit_code(Findings const& findings) noexcept {
  for (auto const& finding : findings) {
    if (finding.verdict == Verdict::problem)
      return finding.check.starts_with("browser") ? exit_no_browser : exit_no_daemon;
  }
  return exit_ok;
}

Findings examine(Reach const& reach) {
  Findings out;
  if (auto const health = check_daemon(out, reach)) {
    add(out, check_links(reach, *health));
    add(out, check_refused(array_of(*health, "refused_extensions")));
    add(out, check_localhost(reach, text_of(*health, "pid")));
  }
  add(out, check_proxy(process_environment(), place_of(reach.daemon).host));
  return out;
}

}  // namespace any::cli
