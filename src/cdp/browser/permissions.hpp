#pragma once
// Content settings that clients have set through us; each is taken back when its client goes.

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cdp/protocol/transport.hpp"

namespace any::cdp {

struct Grant {
  ClientId client = 0;
  std::string context;
  std::string type;     ///< of chrome.contentSettings
  std::string pattern;  ///< such as "https://a.example/*", or "<all_urls>"
  std::string setting;  ///< allow, block or ask
  bool incognito = false;
};

class Grants {
 public:
  /// In the place of the client's former one for the same.
  void put(Grant grant) {
    std::erase_if(grants_, [&grant](Grant const& old) {
      return old.client == grant.client && old.context == grant.context && old.type == grant.type &&
             old.pattern == grant.pattern;
    });
    grants_.push_back(std::move(grant));
  }
  /// Whether any client has one for the same pages.
  bool covers(Grant const& wish) const {
    return std::any_of(grants_.begin(), grants_.end(), [&wish](Grant const& old) {
      return old.type == wish.type && old.pattern == wish.pattern && old.incognito == wish.incognito;
    });
  }
  /// `context` empty: any.
  bool has(ClientId client, std::string_view context) const {
    return std::any_of(grants_.begin(), grants_.end(), [&](Grant const& old) { return is_of(old, client, context); });
  }
  /// They are no more; the types that they were of, and whether in the incognito profile.
  std::set<std::pair<std::string, bool>> take(ClientId client, std::string_view context) {
    std::set<std::pair<std::string, bool>> types;
    std::erase_if(grants_, [&](Grant const& old) {
      if (!is_of(old, client, context)) return false;
      types.emplace(old.type, old.incognito);
      return true;
    });
    return types;
  }
  std::vector<Grant> of(std::string_view type, bool incognito) const {
    std::vector<Grant> found;
    std::copy_if(grants_.begin(), grants_.end(), std::back_inserter(found),
                 [&](Grant const& each) { return each.type == type && each.incognito == incognito; });
    return found;
  }

 private:
  static bool is_of(Grant const& grant, ClientId client, std::string_view context) {
    return grant.client == client && (context.empty() || grant.context == context);
  }

  std::vector<Grant> grants_;
};

}  // namespace any::cdp
