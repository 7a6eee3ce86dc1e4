#pragma once
// One linked browser as the registry sees it, whichever protocol its link speaks.

#include <functional>
#include <string>

#include "browser/browsers.hpp"
#include "browser/events.hpp"
#include "browser/handshake.hpp"

namespace any::browser {

class LinkedBrowser {
 public:
  /// The raw JSON text of the result, valid during the call.
  using Answered = std::function<void(Result<std::string_view>)>;

  virtual ~LinkedBrowser() = default;
  virtual void start(task::SendStart const& start) = 0;
  virtual void cancel(task::SendCancel const& cancel) = 0;
  virtual void forget(task::SendForget const& forget) = 0;
  virtual void acknowledge(std::uint64_t token) = 0;
  /// `done` is called once, not before this has returned, at the latest when the link ends (BrowserLostError) or
  /// `timeout` has passed (TimeoutError).
  virtual void request(std::string_view method, std::string_view params, std::optional<Millis> timeout,
                       Answered done) = 0;
  /// Ends the link now; its requests fail, and nothing that it still says counts.
  virtual void drop(std::string_view why) = 0;
  virtual std::string const& instance() const = 0;
};

/// What hello says, but for the proof.
struct Hello {
  std::string instance, label, product, platform, user_agent, proxy;
  Capabilities capabilities{};
  bool paused = false;
  int ordinary_tabs = -1;
  std::vector<task::Hold> holds{};
};

/// What the daemon answers to hello.
struct Welcome {
  std::string browser, label;
};

/// What browser.update changes; nothing: as before.
struct Update {
  std::optional<bool> paused{};
  std::optional<std::string> label{}, proxy{};
  std::optional<Capabilities> capabilities{};
  std::optional<int> ordinary_tabs{};
  bool used = false;
};

/// What a link needs of the registry that holds it.
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  /// Looks up the browser's key, or makes one up; nothing is kept of it yet. UnauthorizedError where another user of
  /// the machine (`own_user` false) may not link.
  virtual Result<Handshake> begin_handshake(Begin begin, bool own_user) = 0;
  /// After the proof: settles which browser this is; its key is on disk when this answers. Until linked() nothing is
  /// told of it.
  virtual Async<Result<Welcome>> welcome(Handshake const& handshake, Hello const& hello,
                                         std::string const& address) = 0;
  /// The link stands: `link` may be asked for things from now on, until ended().
  virtual void linked(std::string const& browser, LinkedBrowser& link, Hello const& hello) = 0;
  virtual void ended(std::string const& browser, LinkedBrowser& link, std::string_view why) = 0;
  virtual void updated(std::string const& browser, Update const& update) = 0;
  /// Now and then while the link stands.
  virtual void heard(std::string const& browser) = 0;
  /// A line of the browser's black box; false where it was written before.
  virtual bool line(std::string const& browser, std::int64_t n, Millis wall) = 0;
  virtual std::uint64_t next_token() = 0;
  virtual LinkEvents& events() = 0;
  virtual CdpEvents& cdp_events() = 0;
  virtual Clock const& clock() const = 0;
  virtual std::string const& daemon_id() const = 0;
};

}  // namespace any::browser
