#pragma once
// What chrome.tabs tells of the tabs, and the target in each.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/protocol/read.hpp"
#include "cdp/protocol/transport.hpp"

namespace any::cdp {

struct Tab {
  TabId id = -1;
  std::string target;  ///< empty until Chrome has told it
  std::int64_t window = -1;
  std::uint64_t place = 0;  ///< in the order of windows and tab strips, as last looked at; new tabs behind it
  double accessed = 0;      ///< when the person or a program last looked at it, ms since 1970
  bool incognito = false, active = false, discarded = false, complete = true;
  bool undecided = false;  ///< new: whether another tab has opened it is not known yet
  bool early = false;      ///< attached by the extension at its creation, because its opener is followed
  std::int64_t plan = 0;   ///< what it was sent then
  std::int64_t group = -1;

  /// chrome.tabs' Tab.
  static Tab read(json::object const& said) {
    auto const* const when = said.if_contains("lastAccessed");
    return {.id = number_in(said, "id").value_or(-1),
            .target = {},
            .window = number_in(said, "windowId").value_or(-1),
            .accessed = when && when->is_number() ? when->to_number<double>() : 0,
            .incognito = flag_in(said, "incognito"),
            .active = flag_in(said, "active"),
            .discarded = flag_in(said, "discarded") || text_in(said, "status") == "unloaded",
            .complete = text_in(said, "status") != "loading",
            .group = number_in(said, "groupId").value_or(-1)};
  }
};

class Tabs {
 public:
  using ById = std::map<TabId, Tab>;

  Tab const* find(TabId id) const {
    auto const found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &found->second;
  }
  bool contains(TabId id) const { return by_id_.contains(id); }
  bool has_incognito() const {
    return std::any_of(by_id_.begin(), by_id_.end(), [](auto const& row) { return row.second.incognito; });
  }
  ById::const_iterator begin() const { return by_id_.begin(); }
  ById::const_iterator end() const { return by_id_.end(); }
  /// The place of what comes after all tabs.
  std::uint64_t place_behind() const { return last_place_ + 1; }

  /// Those that are not among all tabs as told now.
  std::vector<TabId> missing_in(std::vector<Tab> const& all) const {
    std::set<TabId> there;
    for (auto const& tab : all) there.insert(tab.id);
    std::vector<TabId> ids;
    for (auto const& [id, tab] : by_id_) {
      if (!there.contains(id)) ids.push_back(id);
    }
    return ids;
  }
  /// All tabs as told now, in their order; what is known besides stays.
  void take_all(std::vector<Tab> all) {
    ById now;
    for (auto& tab : all) {
      tab.place = ++last_place_;
      if (auto const* const old = find(tab.id)) {
        tab.target = old->target;
        tab.undecided = old->undecided;
        tab.early = old->early;
        tab.plan = old->plan;
      }
      auto const id = tab.id;
      now.emplace(id, std::move(tab));
    }
    by_id_ = std::move(now);
  }
  /// A new one, behind the others; false: it is known already.
  bool add(Tab tab) {
    tab.place = ++last_place_;
    auto const id = tab.id;
    return by_id_.try_emplace(id, std::move(tab)).second;
  }
  /// Chrome has put another page into the place of that tab, which has been removed.
  void add_instead(TabId id, Tab former) {
    former.id = id;
    former.target.clear();
    by_id_.try_emplace(id, std::move(former));
  }
  /// The extension has told that a followed tab has opened it; false: its target is known already.
  bool opened(TabId id, bool early, std::int64_t plan) {
    auto& tab = by_id_.try_emplace(id, Tab{.place = last_place_ + 1}).first->second;
    last_place_ = std::max(last_place_, tab.place);
    tab.id = id;
    if (!tab.target.empty()) return false;
    tab.early = early;
    tab.plan = plan;
    return true;
  }
  /// Whether another has opened it is known; false: so it was, or the tab has gone.
  bool decided(TabId id) {
    auto const found = by_id_.find(id);
    if (found == by_id_.end() || !found->second.target.empty()) return false;
    found->second.undecided = false;
    return true;
  }
  /// chrome.tabs.onUpdated; nullptr: there is none.
  Tab const* update(TabId id, json::object const& said) {
    auto const found = by_id_.find(id);
    if (found == by_id_.end()) return nullptr;
    auto& tab = found->second;
    tab.window = number_in(said, "windowId").value_or(tab.window);
    tab.active = flag_in(said, "active", tab.active);
    tab.group = number_in(said, "groupId").value_or(tab.group);
    tab.discarded = flag_in(said, "discarded") || text_in(said, "status") == "unloaded";
    tab.complete = text_in(said, "status") != "loading";
    return &tab;
  }
  /// The target of that id is no more, for all that is known; the tab stays.
  void forget_target(std::string_view target) {
    for (auto& [id, tab] : by_id_) {
      if (tab.target == target) tab.target.clear();
    }
  }
  void set_target(TabId id, std::string target) {
    if (auto const found = by_id_.find(id); found != by_id_.end()) found->second.target = std::move(target);
  }
  void looked_at(TabId id, double when) {
    if (auto const found = by_id_.find(id); found != by_id_.end()) found->second.accessed = when;
  }
  std::optional<Tab> remove(TabId id) {
    auto node = by_id_.extract(id);
    return node.empty() ? std::nullopt : std::optional(std::move(node.mapped()));
  }
  void browser_gone() { by_id_.clear(); }

 private:
  ById by_id_;
  std::uint64_t last_place_ = 0;
};

}  // namespace any::cdp
