#pragma once
// A profile of Chrome that `any launch` makes or takes.

#include <filesystem>

#include "base/error.hpp"

namespace any::cli {

/// Switches developer mode on in a profile (the folder that holds "Preferences"; made if it is not there) that no
/// browser runs with: where it is off, Chrome disables an unpacked extension for good when that reloads itself.
Result<void> switch_on_developer_mode(std::filesystem::path const& profile);

}  // namespace any::cli
