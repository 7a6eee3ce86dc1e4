#pragma once
// The extension's files, which lie in this program, on disk where a browser can load them.

#include <string>
#include <vector>

#include "base/error.hpp"

namespace any::cli {

/// Writes all files into the folder (made if it is not there) and the daemon's address into its config.json; what a
/// file of an older version left there goes. Refuses a folder that holds something else than the extension.
Result<void> write_extension(std::string const& folder, std::string const& daemon);
/// Remembers that this folder is kept up to date by the daemon of that state folder.
Result<void> remember_folder(std::string const& state_dir, std::string const& folder, std::string const& daemon);
/// Writes each remembered folder anew whose files are of another version; returns those it wrote.
std::vector<std::string> refresh_folders(std::string const& state_dir);

}  // namespace any::cli
