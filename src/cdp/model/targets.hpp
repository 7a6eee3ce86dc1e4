#pragma once
// All targets that the browser has told, in the order in which they came: that of the tab strip, then by age.

#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "cdp/model/target.hpp"

namespace any::cdp {

class Targets {
 public:
  using Rows = std::list<std::pair<std::string const, std::unique_ptr<Target>>>;

  Target* find(std::string_view id) const {
    auto const found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second->second.get();
  }
  /// By the way on which Chrome speaks of it.
  Target* find_at(Debuggee const& debuggee, std::string_view upstream) const {
    auto const found = by_way_.find({debuggee, std::string(upstream)});
    return found == by_way_.end() ? nullptr : find(found->second);
  }
  /// Known from now on, at the end, in the place of one with the same id.
  Target& add(TargetInfo info, Debuggee debuggee, std::string upstream) {
    remove(info.id);
    auto made = std::make_unique<Target>(last_attachment_, last_context_);
    made->info = std::move(info);
    rows_.emplace_back(made->info.id, std::move(made));
    auto const row = std::prev(rows_.end());
    by_id_.emplace(row->first, row);
    move(*row->second, std::move(debuggee), std::move(upstream));
    return *row->second;
  }
  /// Chrome speaks of it on another way from now on.
  void move(Target& target, Debuggee debuggee, std::string upstream) {
    forget_way(target);
    target.debuggee = std::move(debuggee);
    target.upstream = std::move(upstream);
    by_way_[{target.debuggee, target.upstream}] = target.info.id;
  }
  /// Chrome does not speak of any until it is attached to anew.
  void forget_ways() { by_way_.clear(); }
  void remove(std::string_view id) {
    auto const found = by_id_.find(id);
    if (found == by_id_.end()) return;
    forget_way(*found->second->second);
    auto const row = found->second;
    by_id_.erase(found);
    rows_.erase(row);
  }
  template <class Before>
  void sort(Before before) {
    rows_.sort([&before](auto const& one, auto const& other) { return before(*one.second, *other.second); });
  }
  void clear() {
    by_way_.clear();
    by_id_.clear();
    rows_.clear();
  }
  /// The id of an execution context that nobody else has.
  std::int64_t make_context_id() { return ++last_context_; }
  Rows::const_iterator begin() const { return rows_.begin(); }
  Rows::const_iterator end() const { return rows_.end(); }

 private:
  void forget_way(Target const& target) {
    auto const found = by_way_.find({target.debuggee, target.upstream});
    if (found != by_way_.end() && found->second == target.info.id) by_way_.erase(found);
  }

  std::uint64_t last_attachment_ = 0;
  std::int64_t last_context_ = ExecutionContexts::first;
  Rows rows_;
  std::unordered_map<std::string_view, Rows::iterator> by_id_;      ///< the texts are those of the rows
  std::map<std::pair<Debuggee, std::string>, std::string> by_way_;  ///< (debuggee, Chrome's session)
};

}  // namespace any::cdp
