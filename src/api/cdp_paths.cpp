#include "api/cdp_paths.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "wire/json.hpp"

namespace any::api {
namespace {

using Kind = CdpDoor::Kind;

constexpr std::string_view browsers_prefix = "/browsers/";

/// Takes `prefix` off, where it is followed by a slash or nothing; what is left has no slash at its begin.
bool take(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  auto rest = path.substr(prefix.size());
  if (!rest.empty() && rest.front() != '/') return false;
  if (!rest.empty()) rest.remove_prefix(1);
  path = rest;
  return true;
}

CdpDoor json_door(std::string_view rest) {
  auto const slash = rest.find('/');
  auto const command = rest.substr(0, slash);
  auto const id = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (command.empty() || command == "list") return {.kind = Kind::list};
  if (command == "version") return {.kind = Kind::version};
  if (command == "protocol") return {.kind = Kind::protocol};
  if (command == "new") return {.kind = Kind::create};
  if (command == "activate") return {.kind = Kind::activate, .id = std::string(id)};
  if (command == "close") return {.kind = Kind::close, .id = std::string(id)};
  return {.kind = Kind::unknown, .id = std::string(command)};
}

/// Doors of ours that a program may ask for a WebSocket by mistake: they say themselves what they are.
bool is_other_door(std::string_view path) {
  constexpr std::array names{"/v1",   "/extension", "/events",       "/health",      "/metrics",
                             "/task", "/mcp",       "/openapi.json", "/favicon.ico", "/browsers"};
  return std::ranges::any_of(names, [&](std::string_view name) { return path == name; });
}

/// The address as the percent signs of a URL's query stand for it; a `+` is a `+`.
std::string decoded(std::string_view text) {
  auto const digit = [](char c) {
    auto const lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
    auto const low = high >= 0 ? digit(text[i + 2]) : -1;
    out += low < 0 ? text[i] : static_cast<char>(high * 16 + low);
    if (low >= 0) i += 2;
  }
  return out;
}

std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF", plain = "-._~";
  std::string out;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
    }
  }
  return out;
}

std::string_view raw_query(net::Head const& head) {
  auto const at = head.target.find('?');
  return at == std::string::npos ? std::string_view() : std::string_view(head.target).substr(at + 1);
}

std::vector<std::string_view> parts(std::string_view query) {
  std::vector<std::string_view> out;
  while (!query.empty()) {
    auto const end = query.find('&');
    out.push_back(query.substr(0, end));
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return out;
}

/// Our own options, which a raw Chrome does not have.
bool is_option(std::string_view part) {
  constexpr std::array names{"token=", "browser=", "context=", "clear="};
  return std::ranges::any_of(names, [&](std::string_view name) { return part.starts_with(name); });
}

/// A flag that has one value.
Result<bool> option(net::Head const& head, std::string_view name, std::string_view value) {
  auto const given = head.parameter(name);
  if (!given) return false;
  if (*given == value) return true;
  return Error{ErrorName::BadRequestError,
               "the option ?" + std::string(name) + "= must be \"" + std::string(value) + "\" or left out",
               {{"path", name}}};
}

}  // namespace

std::optional<CdpDoor> find_cdp_door(net::Head const& head) {
  std::string_view path = head.path;
  std::string browser(head.parameter("browser").value_or(""));
  bool const named = path.starts_with(browsers_prefix);
  if (named) {
    path.remove_prefix(browsers_prefix.size());
    auto const slash = std::min(path.find('/'), path.size());
    if (slash == 0) return std::nullopt;
    browser = path.substr(0, slash);
    path.remove_prefix(slash);
  }
  CdpDoor door;
  if (auto json = path; take(json, "/json")) {
    door = json_door(json);
  } else if (auto page = path; take(page, "/devtools/page")) {
    door = {.kind = Kind::page, .id = std::string(page)};
  } else if (auto named_in_path = path; take(named_in_path, "/devtools/browser")) {
    door.kind = Kind::browser;
    if (browser.empty()) browser = named_in_path;
  } else if (head.upgrade && path.find('/', 1) == std::string_view::npos && (named || !is_other_door(path))) {
    door.kind = Kind::browser;
  } else {
    return std::nullopt;
  }
  door.browser = std::move(browser);
  return door;
}

Result<cdp::Entry> read_cdp_entry(net::Head const& head) {
  auto const groups = option(head, "context", "default");
  if (!groups) return groups.error();
  auto const clear = option(head, "clear", "profile");
  if (!clear) return clear.error();
  return cdp::Entry{.group_contexts = *groups, .clear_profile = *clear};
}

std::string carried_query(net::Head const& head) {
  std::string out;
  for (std::string_view const name : {"context", "clear", "token"}) {
    auto const value = head.parameter(name);
    if (value) out.append(out.empty() ? "?" : "&").append(name).append("=").append(encoded(*value));
  }
  return out;
}

std::string new_target_url(net::Head const& head) {
  for (auto const part : parts(raw_query(head))) {
    if (is_option(part) || part == "for_tab") continue;
    auto url = decoded(part);
    auto const colon = url.find(':');
    auto const letters = url.substr(0, colon);
    auto const is_scheme =
        colon != std::string::npos && colon > 0 && std::isalpha(static_cast<unsigned char>(letters.front())) != 0 &&
        std::ranges::all_of(letters,
                            [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; });
    if (is_scheme) return url;
    break;
  }
  return "about:blank";
}

std::string cdp_object(CdpRow const& row) {
  std::string out = "{\n";
  for (std::size_t i = 0; i < row.size(); ++i) {
    auto const& [name, value] = row[i];
    out.append(R"(   ")").append(name).append(R"(": )").append(wire::quote(value));
    out += i + 1 < row.size() ? ",\n" : "\n";
  }
  return out += '}';
}

std::string cdp_list(std::vector<CdpRow> const& rows) {
  std::string out = "[ ";
  for (std::size_t i = 0; i < rows.size(); ++i) out.append(i > 0 ? ", " : "").append(cdp_object(rows[i]));
  return out += " ]\n";
}

}  // namespace any::api
