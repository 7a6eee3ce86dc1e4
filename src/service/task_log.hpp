#pragma once
// The steps of a task's life in the daemon's log, one line each.

#include <vector>

#include "task/core.hpp"

namespace any::service {

/// Logs what the writes of whole steps tell: accepted, started, each hop, requeued, retry, ended.
void log_steps(std::vector<task::Write> const& writes);

}  // namespace any::service
