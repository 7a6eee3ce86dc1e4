#include "api/request_guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/ids.hpp"

namespace any::api {
namespace {

Error forbidden(std::string message) {
  return Error{ErrorName::ForbiddenError, std::move(message), {}};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// As it goes into a message: what came from outside is cut and holds no control characters.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char const c : text.substr(0, 100)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (text.size() > 100 ? "…\"" : "\"");
}

/// The names under which this machine alone is meant, without a port.
bool is_loopback_name(std::string_view host) {
  constexpr std::array names{"127.0.0.1", "localhost", "[::1]"};
  return std::ranges::find(names, host) != names.end();
}

bool is_our_host(std::string_view host, std::uint16_t port) {
  auto const suffix = ":" + std::to_string(port);
  return host.ends_with(suffix) ? is_loopback_name(host.substr(0, host.size() - suffix.size()))
                                : port == 80 && is_loopback_name(host);
}

/// ChromeDriver's socket names no port. A browser always does (unless it is 80), so of one that says that it is a
/// browser the Host without a port is a forgery.
bool is_program_without_port(net::Head const& head) {
  return is_loopback_name(lower(head.header("Host"))) && head.count("Origin") == 0 && head.count("Sec-Fetch-Site") == 0;
}

/// Where an extension may come: its link, the prototype's, and the question whether a daemon is there.
bool takes_extension(net::Head const& head) {
  if (head.path == "/extension" || head.path == "/events" || head.path == "/health") return true;
  // The prototype's extension posts the end of a task that it got on /events.
  return head.method == "POST" && head.path.starts_with("/task/");
}

constexpr std::string_view extension_scheme = "chrome-extension://";

/// Empty where the origin is none of Chrome's extensions.
std::string_view extension_of(std::string_view origin) {
  constexpr std::size_t id_length = 32;
  if (!origin.starts_with(extension_scheme)) return {};
  auto const id = origin.substr(extension_scheme.size());
  auto const letters = [](char c) { return c >= 'a' && c <= 'p'; };
  return id.size() == id_length && std::ranges::all_of(id, letters) ? id : std::string_view();
}

bool is_our_extension(std::string_view origin, GuardRules const& rules) {
  auto const id = extension_of(origin);
  if (id.empty()) return false;
  return id == extension_id || std::ranges::find(rules.allow_extensions, id) != rules.allow_extensions.end();
}

Result<void> check_origin(net::Head const& head, GuardRules const& rules) {
  auto const origins = head.count("Origin");
  if (origins == 0) return {};
  if (origins > 1) return forbidden("the request has more than one Origin header; send at most one");
  auto const origin = head.header("Origin");
  if (origin == "http://" + lower(head.header("Host"))) return {};
  if (is_our_extension(origin, rules)) {
    if (takes_extension(head)) return {};
    return forbidden("the extension may open /extension and /health only, not " + quoted(head.path));
  }
  if (auto const id = extension_of(origin); !id.empty()) {
    return forbidden("the extension " + std::string(id) + " is not any's own; to let it link, start the daemon with " +
                     "--allow-extension " + std::string(id));
  }
  return forbidden("web pages may not speak to the daemon: the request comes from the origin " + quoted(origin) +
                   "; call it from a program (without an Origin header)");
}

/// /json/new, /json/close/… and /json/activate/… act although they are GETs.
bool is_acting_get(net::Head const& head) {
  if (head.method != "GET" && head.method != "HEAD") return false;
  std::string_view path = head.path;
  if (path.starts_with("/browsers/")) {
    auto const at = path.find('/', std::string_view("/browsers/").size());
    if (at == std::string_view::npos) return false;
    path.remove_prefix(at);
  }
  constexpr std::array acts{"/json/new", "/json/close", "/json/activate"};
  return std::ranges::any_of(acts, [&](std::string_view act) {
    return path == act || (path.starts_with(act) && path.size() > act.size() && path[act.size()] == '/');
  });
}

Result<void> check_fetch_site(net::Head const& head) {
  if (head.count("Sec-Fetch-Site") == 0) return {};
  if (is_acting_get(head)) {
    return forbidden("a browser's own GET may not act on " + quoted(head.path) +
                     "; send it from a program, or use PUT");
  }
  for (auto const& [name, value] : head.headers) {
    if (lower(name) != "sec-fetch-site") continue;
    if (value != "same-origin" && value != "none") {
      return forbidden(
          "web pages may not speak to the daemon: the browser says that the request comes from elsewhere "
          "(Sec-Fetch-Site: " +
          quoted(value) + "); call it from a program");
    }
  }
  return {};
}

Result<void> check_token(net::Head const& head, GuardRules const& rules) {
  // /extension proves by its key, which the token would only repeat.
  if (rules.token.empty() || head.path == "/health" || head.path == "/extension") return {};
  Error refusal{
      ErrorName::UnauthorizedError,
      "this daemon demands a token: send \"Authorization: Bearer TOKEN\" or ?token=TOKEN; it stands in the file "
      "`token` of the daemon's state folder",
      {}};
  auto const given = head.count("Authorization");
  auto const parameters = std::ranges::count(head.query, "token", [](auto const& pair) { return pair.first; });
  if (given + static_cast<std::size_t>(parameters) == 0) return refusal;
  refusal.message = "the token is wrong; the right one stands in the file `token` of the daemon's state folder";
  if (given > 1 || parameters > 1) return refusal;
  if (given == 1) {
    auto value = head.header("Authorization");
    constexpr std::string_view scheme = "bearer ";
    if (value.size() < scheme.size() || lower(value.substr(0, scheme.size())) != scheme) return refusal;
    value.remove_prefix(scheme.size());
    if (!equal_secret(value, rules.token)) return refusal;
  }
  if (parameters == 1 && !equal_secret(*head.parameter("token"), rules.token)) return refusal;
  return {};
}

}  // namespace

std::optional<std::string> refused_extension(net::Head const& head, GuardRules const& rules) {
  auto const origin = head.header("Origin");
  auto const id = extension_of(origin);
  if (id.empty() || !takes_extension(head) || is_our_extension(origin, rules)) return std::nullopt;
  return std::string(id);
}

Result<void> check_host(net::Head const& head) {
  auto const hosts = head.count("Host");
  if (hosts != 1) {
    return forbidden(hosts == 0 ? "the request has no Host header; send one"
                                : "the request has more than one Host header; send one");
  }
  auto const port = head.peer.local_port;
  if (!is_our_host(lower(head.header("Host")), port) && !is_program_without_port(head)) {
    return forbidden("the request is for the host " + quoted(head.header("Host")) +
                     ", which is not this daemon; use http://127.0.0.1:" + std::to_string(port));
  }
  if (!head.target.starts_with('/')) {
    return Error{ErrorName::BadRequestError, "the request's target must be a path that begins with /", {}};
  }
  return {};
}

Result<void> check_head(net::Head const& head, GuardRules const& rules) {
  if (auto const host = check_host(head); host.has_error()) return host.error();
  if (auto const origin = check_origin(head, rules); origin.has_error()) return origin.error();
  if (auto const site = check_fetch_site(head); site.has_error()) return site.error();
  return check_token(head, rules);
}

Result<void> check_user(net::Peer const& peer, unsigned own) {
  auto const uid = peer.uid;
  if (uid == own) return {};
  if (!uid) {
    return forbidden(
        "the kernel does not tell whose connection this is, so it is refused; start the daemon with --any-user to "
        "serve every user");
  }
  return forbidden("this daemon belongs to another user of the machine (the caller's uid is " + std::to_string(*uid) +
                   "); start one of your own, or start that one with --any-user");
}

}  // namespace any::api
