#pragma once
// What is to be done later, by a clock that the owner reads.

#include <functional>
#include <map>
#include <optional>

#include "base/clock.hpp"

namespace any::cdp {

class Timers {
 public:
  explicit Timers(Clock const& clock) : clock_(clock) {}

  void after(Millis wait, std::function<void()> call) { calls_.emplace(clock_.now().mono + wait, std::move(call)); }
  std::optional<Millis> next() const {
    return calls_.empty() ? std::nullopt : std::optional<Millis>(calls_.begin()->first);
  }
  void run() {
    auto const now = clock_.now().mono;
    while (!calls_.empty() && calls_.begin()->first <= now) {
      auto call = std::move(calls_.begin()->second);
      calls_.erase(calls_.begin());
      call();
    }
  }

 private:
  Clock const& clock_;
  std::multimap<Millis, std::function<void()>> calls_;
};

}  // namespace any::cdp
