#pragma once
// A heap of timers that know their place in it: arming, moving and disarming cost O(log n) and leave nothing behind.

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace any::task {

struct Task;
struct Browser;

/// Lives inside what it belongs to, which must disarm it before it goes.
struct Timer {
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
  enum class Kind : unsigned char { task_limit, progress, opening, link_lost, tab_again };

  Kind kind = Kind::task_limit;
  Task* task = nullptr;        ///< task_limit, progress, opening
  Browser* browser = nullptr;  ///< link_lost, tab_again
  std::int64_t tab = 0;        ///< tab_again
  Millis when = 0;
  std::size_t place = nowhere;

  bool armed() const noexcept { return place != nowhere; }
};

class Deadlines {
 public:
  void arm(Timer& timer, Millis when);
  void disarm(Timer& timer) noexcept;
  /// Disarms and gives the earliest one that is due, or null.
  Timer* pop_due(Millis now) noexcept;
  std::optional<Millis> next() const noexcept;
  std::size_t size() const noexcept { return heap_.size(); }

 private:
  void put(std::size_t place, Timer* timer) noexcept;
  void up(std::size_t place) noexcept;
  void down(std::size_t place) noexcept;
  std::vector<Timer*> heap_;
};

}  // namespace any::task
