#pragma once
// The browsers known to the daemon: which are linked, what they can, and calls into them.

#include <boost/json/value.hpp>
#include <functional>

#include "async/async.hpp"
#include "base/clock.hpp"
#include "net/socket.hpp"
#include "task/core.hpp"

namespace any::browser {

struct Capabilities {
  bool user_scripts = false, debugger = false, incognito = false, file_urls = false;
  bool all_sites = true, javascript = true;  ///< an older extension does not say
};

/// What is known of one browser, linked or not.
struct Info {
  std::string id, label, product, platform, user_agent, extension;  ///< extension: its version
  int protocol = 0;
  bool linked = false, paused = false, prototype = false;
  Capabilities capabilities{};
  std::optional<Millis> since{};  ///< wall: of the present link
  Millis last_seen = 0, used = 0;
  std::string address;         ///< the peer's, while linked
  int ordinary_tabs = -1;      ///< -1: not told
  std::string proxy;           ///< non-empty: Chrome's proxy settings that would catch loopback
  std::string installation{};  ///< id of the extension's folder; empty: `any extension` did not write it
};

/// Who opened a link, as far as it need not be believed.
struct LinkCaller {
  std::string origin;
  bool own_user = true;  ///< the kernel names the daemon's own user as the socket's owner
};

class Browsers {
 public:
  virtual ~Browsers() = default;
  virtual std::vector<Info> list() const = 0;
  /// By id, else by label. NotFoundError.
  virtual Result<Info> find(std::string_view id_or_label) const = 0;
  /// The first linked one, now or within `wait`. NoBrowserError.
  virtual Async<Result<Info>> wait_for_any(Millis wait) = 0;
  virtual Async<Result<Info>> set_label(std::string id, std::string label) = 0;
  virtual Async<Result<void>> forget(std::string id) = 0;
  /// Any request of the link (chrome.call, debugger.send, extension.reload …); the raw JSON text of its result.
  /// Errors: NoBrowserError, BrowserLostError, TimeoutError, or what the browser answered.
  virtual Async<Result<std::string>> call(std::string id, std::string method, std::string params, Millis timeout) = 0;
  /// As call(), without a coroutine and without a copy: `done` gets views that are valid during the call. It is called
  /// exactly once, and never before this has returned; where the link ends first, with BrowserLostError after
  /// CdpEvents::link_down. BrowserLostError also where the browser is not linked.
  virtual void request(std::string const& id, std::string_view method, std::string_view params,
                       std::optional<Millis> timeout, std::function<void(Result<std::string_view>)> done) = 0;
  /// Serves one link until it ends (WS /extension).
  virtual Async<void> serve_link(std::unique_ptr<net::WebSocket> socket, LinkCaller caller) = 0;
  /// Serves an extension written for the first prototype until it ends (WS /events): it is sent each task as
  /// {"id", "script", "timeout"} and ends it over HTTP (service::Tasks::finish_prototype).
  virtual Async<void> serve_prototype(std::unique_ptr<net::WebSocket> socket) = 0;
};

}  // namespace any::browser
