#pragma once
// The link's messages about chrome.debugger and chrome.* events, as text and as views: a payload is never read. No I/O.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace any::browser {

/// What is attached: a tab, or a target that has none.
struct DebuggeeView {
  std::int64_t tab = -1;
  std::string_view target{};  ///< Chrome's target id; only where tab is -1
};

/// The params of debugger.send: {"tab"|"target", "session" (where there is one), "method", "params" last}.
/// `params`: raw JSON, put in as it is; empty: left out.
std::string debugger_send_params(DebuggeeView debuggee, std::string_view session, std::string_view method,
                                 std::string_view params);
/// {"tab": 17 | "target": "…"}, `more` behind it: raw members such as R"("fresh":true)".
std::string debuggee_params(DebuggeeView debuggee, std::string_view more = {});

/// What debugger.event says; views into the text that was read.
struct DebuggerEvent {
  DebuggeeView debuggee{};
  std::string_view session, method;
  std::string_view params;  ///< raw JSON; "{}" where none came
};
/// `params`: of a message that wire::read_envelope has checked. Of the form that our extension writes only the head is
/// looked at. BadRequestError where it is no event.
Result<DebuggerEvent> read_debugger_event(std::string_view params);

struct ChromeEvent {
  std::string_view path;  ///< such as "tabs.onCreated"
  std::string_view args;  ///< the raw array
};
Result<ChromeEvent> read_chrome_event(std::string_view params);

/// `value` of an answer {"value": …} (debugger.send, chrome.call), raw; "{}" where it is none.
std::string_view answered_value(std::string_view result);

}  // namespace any::browser
