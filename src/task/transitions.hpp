#pragma once
// Which state of a task may follow which. The one table; the core checks every change against it.

#include <array>

#include "task/types.hpp"

namespace any::task {

/// allowed_transitions[from][to]
inline constexpr std::array<std::array<bool, 6>, 6> allowed_transitions{{
    // queued dispatched running completed failed cancelled
    {false, true, false, false, true, true},  // queued: handed to a browser; no browser in time; cancelled
    {true, true, true, true, true, true},     // dispatched: back (busy, never taken, retry); its next hop; begun; ended
    {true, true, false, true, true, true},    // running: back for a retry; its next hop; ended
    {false, false, false, false, false, false},  // completed
    {false, false, false, false, false, false},  // failed
    {false, false, false, false, false, false},  // cancelled
}};

constexpr bool may_follow(State from, State to) noexcept {
  return allowed_transitions[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

}  // namespace any::task
