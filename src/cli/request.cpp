#include "cli/request.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "wire/json.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

constexpr wire::JsonLimits exactly{wire::max_payload_depth, true};  // how deep, the daemon says

Error usage(std::string text) {
  return Error{ErrorName::BadRequestError, std::move(text)};
}

Result<std::string> read_text(std::string const& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return usage("cannot read " + path + ": " + std::strerror(errno));
  return text;
}

/// Text that is JSON but cannot be carried is no text: it is refused.
Result<json::value> json_or_text(std::string_view text) {
  if (!wire::check_json(text, {text.size() + 1})) return json::value(json::string(text));
  return wire::parse_strict(text, exactly);
}

/// Seconds, or "none".
Result<json::value> seconds(std::string const& text, char const* flag) {
  if (text == "none") return json::value(nullptr);
  double value = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0) {
    return usage(std::string(flag) + " takes seconds or \"none\", not " + text);
  }
  return json::value(value);
}

Result<std::pair<std::string, std::string>> named(std::string const& text, char const* flag) {
  auto const at = text.find('=');
  if (at == std::string::npos || at == 0) return usage(std::string(flag) + " takes NAME=VALUE, not " + text);
  return std::pair{text.substr(0, at), text.substr(at + 1)};
}

/// A number where the text is one: a tab's or a frame's id.
std::optional<std::int64_t> as_id(std::string const& text) {
  std::int64_t id = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

}  // namespace

Result<json::object> request_from(RunOptions const& options) {
  json::object request;
  if (options.is_code) {
    request["script"] = options.script;
    request["file"] = "eval";
  } else {
    auto script = read_text(options.script);
    if (script.has_error()) return script.error();
    request["script"] = script.value();
    auto const slash = options.script.rfind('/');
    request["file"] =
        options.script == "-" ? "stdin" : options.script.substr(slash == std::string::npos ? 0 : slash + 1);
  }
  request["id"] = options.id ? *options.id : make_task_id(SystemClock{}.now().wall);

  json::value args(nullptr);
  if (options.args_file) {
    if (*options.args_file == "-" && options.script == "-")
      return usage("the script and --args cannot both come from standard input");
    auto text = read_text(*options.args_file);
    if (text.has_error()) return text.error();
    auto parsed = wire::parse_strict(text.value(), exactly);
    if (!parsed) return usage(*options.args_file + " is no JSON: " + parsed.error().message);
    args = std::move(*parsed);
  }
  if (!options.args.empty() && args.is_null()) args = json::object();
  for (auto const& text : options.args) {
    auto const pair = named(text, "--arg");
    if (pair.has_error()) return pair.error();
    if (!args.is_object())
      return usage("--arg adds to an object, but the file given with --args holds another kind of value");
    auto const& [name, written] = pair.value();
    auto value = json_or_text(written);
    if (value.has_error()) return usage("--arg " + name + ": " + value.error().message);
    args.get_object()[name] = std::move(*value);
  }
  request["args"] = std::move(args);

  if (options.open) {
    request["tab"] = json::object{{"open", *options.open}, {"background", !options.foreground}, {"keep", options.keep}};
  } else if (options.foreground || options.keep) {
    return usage("--foreground and --keep go with --open");
  } else if (options.tab && *options.tab != "active") {
    if (auto const id = as_id(*options.tab))
      request["tab"] = *id;
    else
      request["tab"] = json::object{{"url", *options.tab}};
  }
  if (options.frame && *options.frame != "main") {
    if (auto const id = as_id(*options.frame))
      request["frame"] = *id;
    else if (*options.frame == "all")
      request["frame"] = "all";
    else
      request["frame"] = json::object{{"url", *options.frame}};
  }
  if (options.world) request["world"] = *options.world;
  if (options.browser) request["browser"] = *options.browser;
  if (options.timeout) {
    auto value = seconds(*options.timeout, "--timeout");
    if (value.has_error()) return value.error();
    request["timeout"] = std::move(value.value());
  }
  if (options.queue_timeout) {
    auto value = seconds(*options.queue_timeout, "--queue-timeout");
    if (value.has_error()) return value.error();
    request["queue_timeout"] = std::move(value.value());
  }
  if (options.retries != 0) request["retries"] = options.retries;
  if (options.priority != 0) request["priority"] = options.priority;
  json::object labels;
  for (auto const& text : options.labels) {
    auto const pair = named(text, "--label");
    if (pair.has_error()) return pair.error();
    labels[pair.value().first] = pair.value().second;
  }
  if (!labels.empty()) request["labels"] = std::move(labels);
  return request;
}

}  // namespace any::cli
