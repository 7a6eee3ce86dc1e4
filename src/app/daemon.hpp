#pragma once
// `any serve`: everything wired together, in order, and let go of in reverse.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"

namespace any::app {

/// What the daemon is told; every default and every flag is settled by the caller.
struct DaemonOptions {
  std::vector<std::string> listen{};  ///< HOST:PORT each; empty: port 8766 on 127.0.0.1 and, where there is one, [::1]
  std::string state_dir;              ///< made if it is not there, 0700
  int compat_port = 8000;             ///< of the prototype's door; 0: none
  int pages_port = 0;                 ///< of the examples' pages; another one where it is taken; 0: none
  int keep_days = 30;
  std::uint64_t keep_bytes = std::uint64_t{1} << 30;
  bool token = false;  ///< demand the token of state_dir/token, which is made if it is not there
  bool any_user = false;
  std::vector<std::string> allow_extensions{};
  log::Options log{};
  /// Writes the folders anew that hold an older extension; the folders it wrote. Called in a while after the start.
  std::function<std::vector<std::string>(std::string const& state_dir)> refresh_extension{};
  /// The secret in the extension's folder of that id; nothing where no such folder was written.
  std::function<std::optional<std::string>(std::string const& state_dir, std::string_view id)> installation_secret{};
};

/// Runs until SIGTERM, SIGINT or POST /v1/shutdown. The exit code: 0, or 5 where it could not start (said on stderr).
int serve(DaemonOptions const& options);

}  // namespace any::app
