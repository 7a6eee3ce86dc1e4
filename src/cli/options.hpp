#pragma once
// What each subcommand can be told. parse.cpp fills these; it alone sees the option parser.

#include <optional>
#include <string>
#include <vector>

namespace any::cli {

/// Exit codes, as README lists them.
enum Exit : int {
  exit_ok = 0,
  exit_script = 1,
  exit_usage = 2,
  exit_no_browser = 3,
  exit_timeout = 4,
  exit_no_daemon = 5,
  exit_infrastructure = 6,
  exit_cancelled = 7,
  exit_refused = 8,
};

/// Where the daemon is; common to every command but serve.
struct Reach {
  std::string daemon;         ///< base URL; never empty after parse
  bool daemon_given = false;  ///< by flag, environment or file: then no other one is started elsewhere
  std::string state_dir;
};

struct ServeOptions {
  std::vector<std::string> listen;
  std::optional<std::string> state_dir, log_format, log_level, log_file;
  std::optional<int> compat_port, pages_port, keep_days;
  std::optional<long long> keep_bytes;
  std::vector<std::string> allow_extension;
  bool token = false, any_user = false;
};

struct RunOptions {
  std::string script;    ///< path, or "-" for standard input; for eval the code itself
  bool is_code = false;  ///< eval
  std::optional<std::string> tab, open, browser, frame, world, id, args_file, queue_timeout, timeout;
  std::vector<std::string> args, labels;
  int retries = 0, priority = 0;
  bool foreground = false, keep = false, record = false, detach = false, quiet = false;
};

struct CdpOptions {
  std::string method;
  std::optional<std::string> params, tab, browser, events;
  std::optional<double> timeout, seconds;
  std::optional<int> count;
};

struct TasksOptions {
  std::optional<std::string> status, browser;
  std::vector<std::string> labels;
  int limit = 20;
  bool json = false;
};

struct TaskOptions {
  std::string id;
  std::optional<double> wait;  ///< seconds
  bool json = false;
};

struct ListOptions {
  std::optional<std::string> browser;
  bool json = false;
};

struct LogsOptions {
  bool follow = false, json = false;
  int limit = 200;
};

struct LaunchOptions {
  bool headless = false, wait = false;
  std::optional<std::string> profile, binary, url;
  std::vector<std::string> extra;  ///< further flags for the browser
  int timeout = 30;                ///< seconds until the link must stand
};

struct ExtensionOptions {
  std::optional<std::string> folder;
};

struct DoctorOptions {
  bool json = false;
};

}  // namespace any::cli
