#pragma once
// Settings, in rising order: built-in default, the file config.toml, the environment. Flags are laid over by the
// command line.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace any {

/// Key in the file and, in upper case behind ANY_, name in the environment: `listen`, ANY_LISTEN. In the environment
/// lists are separated by commas and truth is 1 or 0. Only `token` is ANY_DEMAND_TOKEN there: ANY_TOKEN holds the token
/// of a program that calls the daemon.
struct Config {
  std::vector<std::string> listen{"127.0.0.1:8766", "[::1]:8766"};  ///< HOST:PORT each
  bool listen_given = false;                                        ///< by the file or the environment
  std::string state_dir;                                            ///< $XDG_STATE_HOME/any, else ~/.local/state/any
  int compat_port = 8000;                                           ///< of the prototype's door; 0: none
  int pages_port = 0;                                               ///< of the examples' pages; 0: none
  bool token = false;                                               ///< the daemon demands its token
  bool any_user = false;                                            ///< other users of the machine are served too
  std::vector<std::string> allow_extension;                         ///< ids of further extensions that may link
  int keep_days = 30;
  std::uint64_t keep_bytes = std::uint64_t{1} << 30;
  std::string log_format = "text";  ///< text, json
  std::string log_level = "info";   ///< debug, info, warn, error
  std::string daemon;               ///< address that commands talk to; empty: the first of `listen`
};

/// A variable of the environment; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(std::string const& name)>;
Environment process_environment();

/// Where the file is looked for: $XDG_CONFIG_HOME/any/config.toml, else ~/.config/any/config.toml; empty without a
/// home.
std::string config_path(Environment const& environment);

/// It is no error that there is no file. Errors: BadRequestError, naming file, line and key, or the variable.
Result<Config> load_config(Environment const& environment = process_environment());

/// The token of a program that calls the daemon: ANY_TOKEN of the environment, else what the state folder holds; empty
/// where there is none.
std::string read_token(std::string const& state_dir, Environment const& environment = process_environment());

}  // namespace any
