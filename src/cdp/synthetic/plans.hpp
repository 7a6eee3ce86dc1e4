#pragma once
// What popups are sent at their creation: the newest of the plans that the extension has been given, by their marks.

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "cdp/model/target.hpp"

namespace any::cdp {

class Plans {
 public:
  /// The mark of that plan. `in_force`: marks that must not be forgotten.
  std::int64_t mark_of(std::vector<Foreseen> rows, std::set<std::int64_t> in_force) {
    for (auto const& [mark, plan] : plans_) {
      if (plan == rows) return mark;
    }
    plans_.emplace(++last_, std::move(rows));
    if (plans_.size() > max_plans) {
      in_force.insert(last_);
      auto const old =
          std::find_if(plans_.begin(), plans_.end(), [&](auto const& row) { return !in_force.contains(row.first); });
      if (old != plans_.end()) plans_.erase(old);
    }
    return last_;
  }
  /// Empty where it has been forgotten.
  std::vector<Foreseen> const& rows(std::int64_t mark) const {
    static std::vector<Foreseen> const none;
    auto const found = plans_.find(mark);
    return found == plans_.end() ? none : found->second;
  }
  void clear() { plans_.clear(); }

 private:
  /// Popups are told within milliseconds of their creation: older plans, by which no page goes, are asked for no more.
  static constexpr std::size_t max_plans = 16;

  std::map<std::int64_t, std::vector<Foreseen>> plans_;
  std::int64_t last_ = 0;
};

}  // namespace any::cdp
