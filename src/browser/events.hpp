#pragma once
// What passes between the links and whoever decides about tasks: what browsers tell, and what they can be asked.

#include <string>
#include <string_view>
#include <vector>

#include "browser/browsers.hpp"
#include "task/core.hpp"

namespace any::browser {

/// What the links tell of tasks and of themselves, on the io thread, each link's in the order it said it.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  virtual void up(task::BrowserState browser, std::string const& instance, std::vector<task::Hold> const& holds) = 0;
  /// Whatever was asked of the browser and not answered never will be.
  virtual void down(std::string const& browser) = 0;
  virtual void changed(task::BrowserState browser) = 0;

  // The three answers to TaskCommands::start.
  virtual void accepted(std::string const& browser, task::RunKey const& run, task::TabInfo tab) = 0;
  virtual void busy(std::string const& browser, task::RunKey const& run, std::int64_t tab) = 0;
  virtual void refused(std::string const& browser, task::RunKey const& run, Error error) = 0;

  virtual void started(std::string const& browser, task::RunKey const& run, std::optional<task::TabInfo> tab,
                       task::Injection injection) = 0;
  virtual void progress(std::string const& browser, task::RunKey const& run, std::string value) = 0;
  virtual void console(std::string const& browser, task::RunKey const& run, task::ConsoleLine line) = 0;
  /// To be answered by TaskCommands::acknowledge with `token` once it is on disk.
  virtual void finished(std::string const& browser, task::RunKey const& run, task::Outcome outcome,
                        std::uint64_t token) = 0;
};

/// What the links tell of CDP and of chrome.* events, on the io thread, in the order in which each said it. Browsers
/// with an extension of the prototype are not told of. Nothing here may end a link before it has returned.
class CdpEvents {
 public:
  virtual ~CdpEvents() = default;
  /// First of all that is told of this link; the browser may be asked from now on.
  virtual void link_up(Info const& browser) = 0;
  /// Last of all; then what was asked of the browser and not answered fails with BrowserLostError.
  virtual void link_down(std::string const& browser, std::string_view why) = 0;
  /// The browser tells something new of itself, or a person called it something else. Only while it is linked.
  virtual void changed(Info const& browser) = 0;
  /// `params`: raw, as read_debugger_event() takes it; valid during the call.
  virtual void debugger_event(std::string const& browser, std::string_view params) = 0;
  /// `params`: raw, as read_chrome_event() takes it; valid during the call.
  virtual void chrome_event(std::string const& browser, std::string_view params) = 0;
};

/// What a browser can be asked to do about a task. Asking a browser that is not linked does nothing:
/// what it holds is compared when it comes back.
class TaskCommands {
 public:
  virtual ~TaskCommands() = default;
  virtual void start(task::SendStart const& start) = 0;
  virtual void cancel(task::SendCancel const& cancel) = 0;
  virtual void forget(task::SendForget const& forget) = 0;
  virtual void acknowledge(task::AckFinish const& ack) = 0;
};

}  // namespace any::browser
