#include "browser/debugger.hpp"

#include <algorithm>
#include <charconv>

#include "wire/json.hpp"

namespace any::browser {

namespace {

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// What stands up to the next quote, and that quote; false where it is written with escapes.
bool take_text(std::string_view& text, std::string_view& taken) {
  auto const end = text.find_first_of("\"\\");
  if (end == std::string_view::npos || text[end] != '"') return false;
  taken = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

bool take_number(std::string_view& text, std::int64_t& taken) {
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), taken);
  if (failed != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// `text` stands at the last member's value: all of it but the closing brace.
bool take_rest(std::string_view text, std::string_view& taken) {
  if (text.size() < 2 || text.back() != '}') return false;
  taken = text.substr(0, text.size() - 1);
  return true;
}

// The one form in which our extension writes it.
bool read_fixed(std::string_view text, DebuggerEvent& event) {
  if (skip(text, R"({"tab":)")) {
    if (!take_number(text, event.debuggee.tab)) return false;
  } else if (!skip(text, R"({"target":")") || !take_text(text, event.debuggee.target)) {
    return false;
  }
  if (skip(text, R"(,"session":")") && !take_text(text, event.session)) return false;
  return skip(text, R"(,"method":")") && take_text(text, event.method) && skip(text, R"(,"params":)") &&
         take_rest(text, event.params);
}

std::string_view plain_text(wire::Members const& members, std::string_view name) {
  auto raw = wire::member(members, name);
  std::string_view taken;
  if (!skip(raw, "\"") || !take_text(raw, taken)) return {};
  return taken;
}

void append_text(std::string& out, std::string_view text) {
  bool const plain = text.find_first_of("\"\\") == std::string_view::npos &&
                     std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (plain) {
    out.append("\"").append(text).append("\"");
  } else {
    out += wire::quote(text);
  }
}

void append_debuggee(std::string& out, DebuggeeView debuggee) {
  if (debuggee.target.empty()) {
    out.append(R"({"tab":)").append(std::to_string(debuggee.tab));
  } else {
    out += R"({"target":)";
    append_text(out, debuggee.target);
  }
}

}  // namespace

std::string debugger_send_params(DebuggeeView debuggee, std::string_view session, std::string_view method,
                                 std::string_view params) {
  std::string out;
  out.reserve(96 + debuggee.target.size() + session.size() + method.size() + params.size());
  append_debuggee(out, debuggee);
  if (!session.empty()) {
    out += R"(,"session":)";
    append_text(out, session);
  }
  out += R"(,"method":)";
  append_text(out, method);
  if (!params.empty()) out.append(R"(,"params":)").append(params);
  return out += '}';
}

std::string debuggee_params(DebuggeeView debuggee, std::string_view more) {
  std::string out;
  append_debuggee(out, debuggee);
  if (!more.empty()) out.append(",").append(more);
  return out += '}';
}

Result<DebuggerEvent> read_debugger_event(std::string_view params) {
  DebuggerEvent event;
  if (read_fixed(params, event)) return event;
  auto const members = wire::members(params);
  if (!members) return members.error();
  event = {};
  auto tab = wire::member(*members, "tab");
  event.debuggee.target = plain_text(*members, "target");
  event.session = plain_text(*members, "session");
  event.method = plain_text(*members, "method");
  event.params = wire::member(*members, "params");
  if (event.params.empty()) event.params = "{}";
  bool const named = take_number(tab, event.debuggee.tab) || !event.debuggee.target.empty();
  if (!named || event.method.empty()) {
    return Error{ErrorName::BadRequestError, R"(debugger.event: "tab" or "target" and "method" must be there.)"};
  }
  return event;
}

Result<ChromeEvent> read_chrome_event(std::string_view params) {
  ChromeEvent event;
  auto text = params;
  if (skip(text, R"({"path":")") && take_text(text, event.path) && skip(text, R"(,"args":)") &&
      take_rest(text, event.args)) {
    return event;
  }
  auto const members = wire::members(params);
  if (!members) return members.error();
  event = {plain_text(*members, "path"), wire::member(*members, "args")};
  if (event.path.empty() || !event.args.starts_with('[')) {
    return Error{ErrorName::BadRequestError, R"(chrome.event: "path" and the list "args" must be there.)"};
  }
  return event;
}

std::string_view answered_value(std::string_view result) {
  std::string_view value;
  auto text = result;
  if (skip(text, R"({"value":)") && take_rest(text, value)) return value;
  auto const members = wire::members(result);
  if (members) value = wire::member(*members, "value");
  return value.empty() ? "{}" : value;
}

}  // namespace any::browser
