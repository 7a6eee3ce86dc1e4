#pragma once
// Targets that are in no browser: the worker of a loaded extension, and hidden pages.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/model/target.hpp"

namespace any::cdp {

struct MadeTarget {
  TargetInfo info;
  ClientId owner = 0;  ///< goes with it
  /// An extension's worker, which its owner alone sees; 0: a hidden page, which everyone sees.
  std::uint64_t sandbox = 0;

  bool seen_by(ClientId client) const { return sandbox == 0 || client == owner; }
};

class MadeTargets {
 public:
  using ById = std::map<std::string, MadeTarget, std::less<>>;

  MadeTarget const* find(std::string_view id) const {
    auto const found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &found->second;
  }
  MadeTarget const* find(std::string_view id, ClientId seen_by) const {
    auto const* const found = find(id);
    return found && found->seen_by(seen_by) ? found : nullptr;
  }
  std::vector<std::string> of(ClientId owner) const {
    std::vector<std::string> ids;
    for (auto const& [id, made] : by_id_) {
      if (made.owner == owner) ids.push_back(id);
    }
    return ids;
  }
  MadeTarget const& add(MadeTarget made) {
    auto id = made.info.id;
    return by_id_[std::move(id)] = std::move(made);
  }
  /// False: there is none.
  bool remove(std::string_view id) {
    auto const found = by_id_.find(id);
    if (found == by_id_.end()) return false;
    by_id_.erase(found);
    return true;
  }
  ById::const_iterator begin() const { return by_id_.begin(); }
  ById::const_iterator end() const { return by_id_.end(); }

 private:
  ById by_id_;
};

}  // namespace any::cdp
