#pragma once
// Downloads: what clients want done with them, and those under way. Chrome tells of a download twice: to a page's
// debugger by its guid, to chrome.downloads by a number; the URL joins the two.

#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>

#include "cdp/protocol/transport.hpp"

namespace any::cdp {

/// Browser.setDownloadBehavior of one client for one browser context.
struct DownloadWish {
  enum class Kind : unsigned char { deny, allow, allow_and_name };
  Kind kind = Kind::deny;
  std::string path;  ///< the folder; not for deny
};

/// What chrome.downloads has told of an item that no page's event has been joined with yet.
struct DownloadItem {
  std::int64_t id = -1;
  std::string url, final_url;
};

struct Download {
  std::string guid, url, name, context;
  std::string target;                       ///< the page that it comes from
  std::int64_t id = -1;                     ///< chrome.downloads' number; -1: not known yet
  std::string total = "0", received = "0";  ///< raw numbers, as last told
  bool denied = false, cancelling = false;
  bool ended = false;    ///< Chrome has said that it is complete
  bool looking = false;  ///< its file is being asked for or moved
};

struct Downloads {
  std::map<std::pair<ClientId, std::string>, DownloadWish> wishes;  ///< by client and context
  std::set<std::pair<ClientId, std::string>> listeners;             ///< sessions with eventsEnabled
  std::list<Download> running;
  std::deque<DownloadItem> items;  ///< the newest last
  std::pair<bool, bool> naming;    ///< as last said to the transport: in ordinary windows, in incognito ones

  Download* find(std::string_view guid) {
    for (auto& download : running) {
      if (download.guid == guid) return &download;
    }
    return nullptr;
  }
  Download* find(std::int64_t id) {
    for (auto& download : running) {
      if (download.id == id && id >= 0) return &download;
    }
    return nullptr;
  }
  void client_gone(ClientId client) {
    std::erase_if(wishes, [client](auto const& row) { return row.first.first == client; });
    std::erase_if(listeners, [client](auto const& row) { return row.first == client; });
  }
  void context_gone(std::string_view context) {
    std::erase_if(wishes, [context](auto const& row) { return row.first.second == context; });
  }
  void browser_gone() {
    running.clear();
    items.clear();
  }
  bool wanted() const { return !wishes.empty() || !listeners.empty(); }
};

}  // namespace any::cdp
