#pragma once
// What the gateway is told of its browser and its clients, and what it tells of itself.

#include <cstddef>
#include <string>

#include "base/clock.hpp"

namespace any::cdp {

/// What the browser says of itself.
struct Facts {
  std::string browser_id;  ///< any's own, in /devtools/browser/ID
  std::string product;     ///< "Chrome/156.0.7940.0"
  std::string user_agent;
  std::string revision{}, v8{};  ///< for Browser.getVersion; may be empty
  bool incognito = false;        ///< the extension is allowed there
  bool file_urls = false;        ///< "Allow access to file URLs"
};

/// How a client came in.
struct Entry {
  std::string target{};         ///< /devtools/page/ID: that target's own session; empty: the browser's
  bool group_contexts = false;  ///< ?context=default: createBrowserContext makes a tab group of the profile itself
  bool clear_profile = false;   ///< clearCookies and the like may wipe the person's profile
  std::string url{};            ///< the socket's address, as the client has it; "ws://…"
};

/// A row of /json/list.
struct Listed {
  std::string id, type, title, url, parent{}, favicon{};
};

struct Limits {
  Millis link_grace = 30'000;  ///< how long commands wait for a lost link, then the sockets are closed
  Millis idle = 10'000;        ///< a tab that nobody uses or listens to is let go after this
  std::size_t max_waiting = std::size_t{256} << 20;  ///< bytes of one client's commands that wait for a tab or a link
};

struct Counts {
  std::size_t clients = 0, sessions = 0, attached = 0, pending = 0;
};

}  // namespace any::cdp
