#pragma once
// What the daemon asks of the process it runs in.

#include <cstdint>
#include <string>

namespace any::app {

/// Little memory of its own: few arenas, large blocks given back. Before the first thread.
void keep_memory_small();
/// Gives what is free back to the system.
void give_memory_back();
/// As many open files as the system allows; what it allows.
std::uint64_t allow_many_files();
/// The token in `state_dir`/token (0600), made if it is not there. Throws std::runtime_error with the cause.
std::string token_of(std::string const& state_dir);

}  // namespace any::app
