// The body of POST /v1/tasks, read strictly.

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "task/json.hpp"

namespace any::task {
namespace {

namespace json = boost::json;

constexpr double longest_seconds = 366.0 * 24 * 3600;
constexpr std::int64_t largest_id = 9'007'199'254'740'991;

std::string_view view(json::string const& text) {
  return {text.data(), text.size()};
}

Error bad(std::string_view path, std::string message) {
  Error error{ErrorName::BadRequestError, "`" + std::string{path} + "` " + std::move(message)};
  error.extra["path"] = path;
  return error;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](auto start) { return text.starts_with(start); });
}

std::string lower(std::string_view text) {
  std::string made{text};
  for (char& c : made)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return made;
}

// Without the blanks around it, as the URL standard reads an address.
std::string trimmed(std::string_view text) {
  auto const blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string{text};
}

std::optional<std::int64_t> integer(json::value const& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= static_cast<std::uint64_t>(largest_id))
    return static_cast<std::int64_t>(value.get_uint64());
  if (!value.is_double()) return std::nullopt;
  auto const number = value.get_double();
  if (number != std::floor(number) || std::abs(number) > static_cast<double>(largest_id)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

bool too_deep(json::value const& value, std::size_t left) {
  if (auto const* array = value.if_array())
    return left == 0 || std::any_of(array->begin(), array->end(), [&](auto const& v) { return too_deep(v, left - 1); });
  if (auto const* object = value.if_object())
    return left == 0 ||
           std::any_of(object->begin(), object->end(), [&](auto const& m) { return too_deep(m.value(), left - 1); });
  return false;
}

/// Reads one field after the other and keeps the first error.
class Reader {
 public:
  std::optional<Error> error;

  void fail(std::string_view path, std::string message) {
    if (!error) error = bad(path, std::move(message));
  }

  std::optional<std::string> text(std::string_view path, json::value const& value, std::size_t most) {
    auto const* found = value.if_string();
    if (!found) {
      fail(path, "must be a string");
      return std::nullopt;
    }
    if (found->size() > most) fail(path, "is longer than " + std::to_string(most) + " bytes");
    return std::string{view(*found)};
  }

  std::optional<std::int64_t> whole(std::string_view path, json::value const& value, std::int64_t least,
                                    std::int64_t most) {
    auto const number = integer(value);
    if (!number || *number < least || *number > most) {
      fail(path, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
      return std::nullopt;
    }
    return number;
  }

  std::optional<bool> flag(std::string_view path, json::value const& value) {
    if (auto const* found = value.if_bool()) return *found;
    fail(path, "must be true or false");
    return std::nullopt;
  }

  /// Seconds, or null for none.
  std::optional<Millis> seconds(std::string_view path, json::value const& value, bool zero) {
    if (value.is_null()) return std::nullopt;
    if (!value.is_number()) {
      fail(path, "must be a number of seconds, or null");
      return std::nullopt;
    }
    auto const number = value.is_int64()    ? static_cast<double>(value.get_int64())
                        : value.is_uint64() ? static_cast<double>(value.get_uint64())
                                            : value.get_double();
    if (!(number >= 0 && number <= longest_seconds) || (!zero && number < 0.001)) {
      fail(path, std::string{"must be "} + (zero ? "0" : "0.001") + " to 31622400 seconds, or null for no limit");
      return std::nullopt;
    }
    return static_cast<Millis>(std::llround(number * 1000));
  }

  void known(std::string_view path, json::object const& object, std::initializer_list<std::string_view> fields) {
    for (auto const& member : object) {
      std::string_view const name{member.key().data(), member.key().size()};
      if (std::find(fields.begin(), fields.end(), name) != fields.end()) continue;
      auto const where = path.empty() ? std::string{name} : std::string{path} + "." + std::string{name};
      std::string list;
      for (auto field : fields) list += (list.empty() ? "" : ", ") + std::string{field};
      fail(where, "is not known here; the fields are " + list);
    }
  }

  void tab(json::value const& value, TabSpec& spec) {
    if (auto const* word = value.if_string()) {
      if (view(*word) != "active") fail("tab", R"(must be "active", a tab's id, {"url": pattern} or {"open": URL})");
      return;
    }
    if (auto const* object = value.if_object()) {
      auto const* url = object->if_contains("url");
      auto const* open = object->if_contains("open");
      if (url && !open) {
        known("tab", *object, {"url"});
        spec.kind = TabSpec::Kind::url;
        pattern("tab.url", *url, spec.url);
      } else if (open && !url) {
        known("tab", *object, {"open", "background", "keep"});
        spec.kind = TabSpec::Kind::open;
        if (auto address = text("tab.open", *open, 2 << 20)) {
          *address = trimmed(*address);
          if (!starts_with_any(lower(*address), {"http://", "https://", "file://"}))
            fail("tab.open",
                 "must begin with http://, https:// or file://; no script can run in a tab that is opened at about:, "
                 "data:, chrome: or the like");
          spec.url = std::move(*address);
        }
        if (auto const* field = object->if_contains("background"))
          if (auto on = flag("tab.background", *field)) spec.background = *on;
        if (auto const* field = object->if_contains("keep"))
          if (auto on = flag("tab.keep", *field)) spec.keep = *on;
      } else {
        fail("tab", R"(must have either "url" or "open")");
      }
      return;
    }
    if (!integer(value)) {
      fail("tab", R"(must be "active", a tab's id, {"url": pattern} or {"open": URL})");
      return;
    }
    spec.kind = TabSpec::Kind::id;
    if (auto id = whole("tab", value, 0, largest_id)) spec.id = *id;
  }

  void frame(json::value const& value, FrameSpec& spec) {
    if (auto const* word = value.if_string()) {
      if (view(*word) == "all")
        spec.kind = FrameSpec::Kind::all;
      else if (view(*word) != "main")
        fail("frame", R"(must be "main", "all", a frame's id or {"url": pattern})");
      return;
    }
    if (auto const* object = value.if_object()) {
      known("frame", *object, {"url"});
      spec.kind = FrameSpec::Kind::url;
      auto const* url = object->if_contains("url");
      if (!url)
        fail("frame.url", "is missing");
      else
        pattern("frame.url", *url, spec.url);
      return;
    }
    if (!integer(value)) {
      fail("frame", R"(must be "main", "all", a frame's id or {"url": pattern})");
      return;
    }
    spec.kind = FrameSpec::Kind::id;
    if (auto id = whole("frame", value, 0, largest_id)) spec.id = *id;
  }

  void pattern(std::string_view path, json::value const& value, std::string& out) {
    auto found = text(path, value, 8192);
    if (!found) return;
    *found = trimmed(*found);
    auto const checked = check_match_pattern(*found, path);
    if (!checked && !error) error = checked.error();
    out = std::move(*found);
  }

  void labels(json::value const& value, std::map<std::string, std::string>& out) {
    auto const* object = value.if_object();
    if (!object) {
      fail("labels", "must be an object of strings");
      return;
    }
    if (object->size() > 64) fail("labels", "must be 64 at most");
    for (auto const& member : *object) {
      std::string const key{member.key().data(), member.key().size()};
      if (key.empty() || key.size() > 128 || key.find(':') != std::string::npos)
        fail("labels." + key, "must have a name of 1 to 128 bytes without a colon");
      if (auto found = text("labels." + key, member.value(), 1024)) out[key] = std::move(*found);
    }
  }

  void id(json::value const& value, std::string& out) {
    auto found = text("id", value, 128);
    if (!found) return;
    auto const good = [](unsigned char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
             c == ':' || c == '-';
    };
    if (found->empty() || !std::all_of(found->begin(), found->end(), good))
      fail("id", "must be 1 to 128 characters of A-Z a-z 0-9 . _ : -");
    out = std::move(*found);
  }
};

}  // namespace

Result<void> check_match_pattern(std::string_view pattern, std::string_view path) {
  if (pattern == "<all_urls>") return {};
  auto const wrong = [&](std::string why) {
    return bad(path, "is no match pattern (" + std::move(why) + "); one looks like \"https://*.example.com/*\"");
  };
  auto const end = pattern.find("://");
  if (end == std::string_view::npos) return wrong("it has no scheme");
  auto const scheme = lower(pattern.substr(0, end));
  constexpr std::string_view schemes[]{"*", "http", "https", "file"};
  if (std::find(std::begin(schemes), std::end(schemes), scheme) == std::end(schemes))
    return wrong("the scheme must be *, http, https or file");
  auto const rest = pattern.substr(end + 3);
  auto const slash = rest.find('/');
  if (slash == std::string_view::npos) return wrong("it has no path, append /*");
  auto host = rest.substr(0, slash);
  if (scheme == "file") return {};
  if (host.empty()) return wrong("it has no host");
  if (auto const colon = host.rfind(':'); colon != std::string_view::npos && host.back() != ']') {
    auto const port = host.substr(colon + 1);
    if (port != "*" &&
        (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos))
      return wrong("its port is no number");
    host = host.substr(0, colon);
  }
  if (host == "*") return {};
  if (host.starts_with("*.")) host = host.substr(2);
  if (host.empty() || host.find('*') != std::string_view::npos)
    return wrong("a * in the host stands alone or first, before a dot");
  bool const bracketed = host.front() == '[' && host.back() == ']';  // an IPv6 address, the only one with colons
  if (host.find_first_of(" @?#") != std::string_view::npos || (!bracketed && host.find(':') != std::string_view::npos))
    return wrong("its host is none");
  return {};
}

Result<Request> request_from_json(json::value const& body) {
  auto const* object = body.if_object();
  if (!object) {
    Error error{ErrorName::BadRequestError, "the body must be a JSON object with at least the field `script`"};
    error.extra["path"] = "";
    return error;
  }
  Request request;
  Reader read;
  read.known("", *object,
             {"script", "args", "id", "file", "browser", "tab", "frame", "world", "timeout", "queue_timeout", "retries",
              "priority", "labels"});
  if (!object->contains("script"))
    read.fail("script", "is missing: it is the body of an async function, e.g. \"return document.title\"");
  for (auto const& member : *object) {
    std::string_view const name{member.key().data(), member.key().size()};
    auto const& value = member.value();
    if (name == "script") {
      if (auto text = read.text("script", value, std::size_t{64} << 20)) request.script = std::move(*text);
    } else if (name == "args") {
      if (too_deep(value, max_json_depth))
        read.fail("args", "is nested deeper than " + std::to_string(max_json_depth) + " levels");
      else
        request.args = json::serialize(value);
    } else if (name == "timeout") {
      request.timeout = read.seconds("timeout", value, false);
    } else if (name == "queue_timeout") {
      request.queue_timeout = read.seconds("queue_timeout", value, true);
    } else if (name == "retries") {
      if (auto n = read.whole("retries", value, 0, 100)) request.retries = static_cast<int>(*n);
    } else if (name == "priority") {
      if (auto n = read.whole("priority", value, -1000, 1000)) request.priority = static_cast<int>(*n);
    } else if (name == "labels") {
      read.labels(value, request.labels);
    } else if (name == "tab") {
      read.tab(value, request.tab);
    } else if (name == "frame") {
      read.frame(value, request.frame);
    } else if (name == "world") {
      auto const text = read.text("world", value, 16);
      auto const world = text ? world_from(*text) : std::nullopt;
      if (!world)
        read.fail("world", R"(must be "main", "isolated" or "user")");
      else
        request.world = *world;
    } else if (value.is_null()) {
      continue;  // id, file, browser: null is their default
    } else if (name == "id") {
      read.id(value, request.id);
    } else if (name == "file") {
      if (auto text = read.text("file", value, 4096)) request.file = text->empty() ? "script.js" : std::move(*text);
    } else if (name == "browser") {
      if (auto text = read.text("browser", value, 256)) {
        if (text->empty()) read.fail("browser", "must be a browser's id or label, or null for any");
        request.browser = std::move(*text);
      }
    }
  }
  if (read.error) return *std::move(read.error);
  return request;
}

}  // namespace any::task
