#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "app/daemon.hpp"
#include "base/config.hpp"
#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/extension_files.hpp"
#include "cli/json_view.hpp"
#include "cli/terminal.hpp"
#include "store/folder.hpp"

namespace any::cli {
namespace {

std::optional<log::Level> level_from(std::string_view text) {
  for (auto const level : {log::Level::debug, log::Level::info, log::Level::warn, log::Level::error}) {
    if (log::to_string(level) == text) return level;
  }
  return std::nullopt;
}

/// The file's and the environment's settings with the flags laid over them.
Result<app::DaemonOptions> settle(ServeOptions const& flags) {
  auto loaded = load_config();
  if (loaded.has_error()) return loaded.error();
  auto const& config = loaded.value();
  app::DaemonOptions out;
  // Without a word from anybody the daemon takes [::1] only where the machine has it.
  if (!flags.listen.empty())
    out.listen = flags.listen;
  else if (config.listen_given)
    out.listen = config.listen;
  out.state_dir = flags.state_dir.value_or(config.state_dir);
  out.compat_port = flags.compat_port.value_or(config.compat_port);
  out.pages_port = flags.pages_port.value_or(config.pages_port);
  out.keep_days = flags.keep_days.value_or(config.keep_days);
  out.keep_bytes = flags.keep_bytes ? static_cast<std::uint64_t>(*flags.keep_bytes) : config.keep_bytes;
  out.token = flags.token || config.token;
  out.any_user = flags.any_user || config.any_user;
  out.allow_extensions = flags.allow_extension.empty() ? config.allow_extension : flags.allow_extension;
  auto const level = flags.log_level.value_or(config.log_level);
  auto const known = level_from(level);
  if (!known) return Error{ErrorName::BadRequestError, "the log level is debug, info, warn or error, not " + level};
  out.log.level = *known;
  out.log.json = flags.log_format.value_or(config.log_format) == "json";
  out.log.file = flags.log_file.value_or("");
  out.refresh_extension = refresh_folders;
  out.installation_secret = installation_secret;
  return out;
}

constexpr Duration stop_limit{15'000};

/// Waits for the end of that process.
bool ends(int process) {
  pollfd one{.fd = process, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, static_cast<int>(stop_limit.count())) == 1;
}

}  // namespace

int serve(ServeOptions const& options) {
  auto const settled = settle(options);
  if (settled.has_error()) return fail(settled.error());
  return app::serve(settled.value());
}

int stop(Reach const& reach) {
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  auto const pid = text_of(daemon.value()->health(), "pid");
  store::Descriptor const process{static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(pid.c_str()), 0))};
  auto const asked = daemon.value()->call("shutdown", {});
  if (asked.has_error() && asked.error().name != ErrorName::UnavailableError) return fail(asked.error());
  // The answer leaves before the daemon ends, and so does the socket: its last writes come behind, and until they are
  // done the state folder is taken for the next one.
  daemon.value()->wait([] { return false; }, stop_limit);
  if (process.get() >= 0 && !ends(process.get()) && http_get(reach, "/health").has_value()) {
    say("the daemon (pid " + pid + ") was told to end and still runs: see `any logs`, or end it by kill " + pid);
    return exit_refused;
  }
  say("the daemon (pid " + pid + ") has ended");
  return exit_ok;
}

}  // namespace any::cli
