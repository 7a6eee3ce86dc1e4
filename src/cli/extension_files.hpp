#pragma once
// The extension's files, which lie in this program, on disk where a browser can load them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace any::cli {

/// What makes one folder of the extension known to a daemon: a name, told on the link, and a secret, proven there.
struct Installation {
  std::string id, secret;
};
/// That of the folder, or a new one where it has none.
Installation installation_of(std::string const& folder);
Installation new_installation();

/// What the folder's config.json says of developer mode.
bool developer_mode_of(std::string const& folder);

/// Writes all files into the folder (made if it is not there), and the daemon's address, the installation and whether
/// the browser is known to be in developer mode into its config.json, which its owner alone can read; what a file of an
/// older version left there goes. Refuses a folder that holds something else than the extension.
Result<void> write_extension(std::string const& folder, std::string const& daemon, Installation const& installation,
                             bool developer_mode);
/// Remembers that this folder is kept up to date by the daemon of that state folder, and let in there.
Result<void> remember_folder(std::string const& state_dir, std::string const& folder, std::string const& daemon,
                             Installation const& installation);
/// The secret of the remembered folder of that id.
std::optional<std::string> installation_secret(std::string const& state_dir, std::string_view id);
/// Writes each remembered folder anew whose files are of another version; returns those it wrote.
std::vector<std::string> refresh_folders(std::string const& state_dir);

}  // namespace any::cli
