#pragma once
// The browser contexts that clients have made: Chrome's incognito profile, of which there is one, or a tab group of the
// profile that stands for one.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/protocol/transport.hpp"

namespace any::cdp {

struct BrowserContext {
  std::string id;
  ClientId client = 0;  ///< whose it is; 0: nobody's
  bool incognito = false;
  std::int64_t window = -1, group = -1;
  TabId spare = -1;  ///< made so that the incognito profile exists; the first page of the context
  std::set<TabId> tabs;
};

class BrowserContexts {
 public:
  BrowserContext* find(std::string_view id) {
    auto const found = std::find_if(rows_.begin(), rows_.end(), [id](auto const& row) { return row.id == id; });
    return found == rows_.end() ? nullptr : &*found;
  }
  BrowserContext const* find(std::string_view id) const {
    auto const found = std::find_if(rows_.begin(), rows_.end(), [id](auto const& row) { return row.id == id; });
    return found == rows_.end() ? nullptr : &*found;
  }
  /// Whose tab it is; nullptr: the profile's, or a person's own incognito window's.
  BrowserContext const* of_tab(TabId tab, bool incognito) const {
    for (auto const& row : rows_) {
      if (row.incognito ? incognito : row.tabs.contains(tab)) return &row;
    }
    return nullptr;
  }
  std::vector<std::string> of_client(ClientId client) const {
    std::vector<std::string> ids;
    for (auto const& row : rows_) {
      if (row.client == client) ids.push_back(row.id);
    }
    return ids;
  }
  bool has_incognito() const {
    return std::any_of(rows_.begin(), rows_.end(), [](auto const& row) { return row.incognito; });
  }
  bool is_spare(TabId tab) const {
    return std::any_of(rows_.begin(), rows_.end(), [tab](auto const& row) { return row.spare == tab; });
  }

  BrowserContext& add(BrowserContext made) { return rows_.emplace_back(std::move(made)); }
  void remove(std::string_view id) {
    std::erase_if(rows_, [id](auto const& row) { return row.id == id; });
  }
  /// What a page of a tab group opens belongs to it: the context that the tab has come to; nullptr: none.
  BrowserContext const* inherit(TabId tab, TabId opener) {
    for (auto& row : rows_) {
      if (row.incognito || !row.tabs.contains(opener)) continue;
      row.tabs.insert(tab);
      return &row;
    }
    return nullptr;
  }
  void tab_replaced(TabId added, TabId removed) {
    for (auto& row : rows_) {
      if (row.tabs.erase(removed) > 0) row.tabs.insert(added);
    }
  }
  void tab_gone(TabId tab) {
    for (auto& row : rows_) row.tabs.erase(tab);
  }
  void browser_gone() { rows_.clear(); }

  std::vector<BrowserContext>::const_iterator begin() const { return rows_.begin(); }
  std::vector<BrowserContext>::const_iterator end() const { return rows_.end(); }

 private:
  std::vector<BrowserContext> rows_;
};

}  // namespace any::cdp
