#pragma once
// A timer on the clock of the deadlines, which goes on while the machine sleeps.

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>

#include "base/clock.hpp"

namespace any::async {

/// SystemClock's `mono`, as Asio wants a clock.
struct BootClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr duration looked_at_each = std::chrono::seconds{4};

  static time_point now() noexcept { return time_point{duration{SystemClock{}.now().mono}}; }
};

/// Asio waits on a clock that stops while the machine sleeps: a long wait is cut up, and the clock looked at between.
template <class Clock>
struct LookAgain {
  static typename Clock::duration to_wait_duration(typename Clock::duration left) {
    return std::min(left, Clock::looked_at_each);
  }
};

using BootTimer = boost::asio::basic_waitable_timer<BootClock, LookAgain<BootClock>>;

}  // namespace any::async
