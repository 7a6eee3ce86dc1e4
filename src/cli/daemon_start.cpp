// Starting a daemon where none runs.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/daemon.hpp"
#include "cli/spawn.hpp"

namespace any::cli {
namespace {

using Time = std::chrono::steady_clock::time_point;
constexpr Duration start_limit{10'000};
constexpr Duration race_limit{500};  // for another daemon that took the state folder to write its name there

std::string own_program() {
  std::error_code failure;
  auto const path = std::filesystem::read_symlink("/proc/self/exe", failure);
  return failure ? "any" : path.string();
}

/// The last lines of a log, of those behind `from`, for an error message.
std::string last_lines(std::string const& file, std::uintmax_t from, int count) {
  std::ifstream in(file);
  in.seekg(static_cast<std::streamoff>(from));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::string out;
  auto const first =
      lines.size() > static_cast<std::size_t>(count) ? lines.size() - static_cast<std::size_t>(count) : 0;
  for (auto at = first; at < lines.size(); ++at) out += (out.empty() ? "" : " / ") + lines[at];
  return out;
}

/// "127.0.0.1:8766" of "http://127.0.0.1:8766".
std::string authority(std::string const& url) {
  return url.substr(url.find("://") + 3);
}

/// The daemon that has the state folder, as its lock names it; 0: none.
pid_t holder_of(std::string const& state_dir) {
  std::ifstream in(state_dir + "/lock");
  pid_t pid = 0;
  in >> pid;
  return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM) ? pid : 0;
}

Result<pid_t> spawn(Reach const& reach, std::string const& log) {
  auto const program = own_program();
  std::vector<std::string> words{program, "serve", "--state-dir", reach.state_dir, "--log-file", log};
  if (reach.daemon_given) {
    words.emplace_back("--listen");
    words.push_back(authority(reach.daemon));
  }
  Streams streams;
  streams.to_file(1, "/dev/null");
  streams.to_file(2, log, O_APPEND);
  pid_t child = 0;
  if (auto const failed = spawn_apart(child, std::move(words), streams); failed != 0)
    return Error{ErrorName::UnavailableError,
                 "cannot start " + program + " serve with its log in " + log + ": " + std::strerror(failed)};
  return child;
}

}  // namespace

Result<void> start_daemon(Reach const& reach) {
  std::error_code failure;
  std::filesystem::create_directories(reach.state_dir, failure);
  if (failure)
    return Error{ErrorName::UnavailableError, "cannot make the state folder " + reach.state_dir + ": " +
                                                  failure.message() + "; name another one in ANY_STATE_DIR"};
  chmod(reach.state_dir.c_str(), 0700);
  auto const log = reach.state_dir + "/daemon.log";
  auto const size = std::filesystem::file_size(log, failure);
  auto const before = failure ? 0 : size;
  auto child = spawn(reach, log);
  if (child.has_error()) return child.error();
  auto const deadline = std::chrono::steady_clock::now() + start_limit;
  auto const ended_at_start = [&] {
    return Error{ErrorName::UnavailableError,
                 "the daemon ended at its start: " + last_lines(log, before, 2) + " (all of it in " + log + ")"};
  };
  auto pause = Duration(5);
  std::optional<Time> ended;
  bool other = false;
  while (std::chrono::steady_clock::now() < deadline) {
    if (health_of(reach).has_value()) return {};
    int status = 0;
    if (!ended && waitpid(child.value(), &status, WNOHANG) == child.value()) ended = std::chrono::steady_clock::now();
    if (ended) {
      // Ours found the state folder taken: by the daemon of another start, which is about to answer, or by one that is
      // about to end, after which ours has its turn.
      if (holder_of(reach.state_dir) != 0) {
        other = true;
      } else if (other) {
        child = spawn(reach, log);
        if (child.has_error()) return child.error();
        ended.reset();
        other = false;
      } else if (std::chrono::steady_clock::now() - *ended > race_limit) {
        return ended_at_start();
      }
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, Duration(100));
  }
  if (ended) return ended_at_start();
  return Error{ErrorName::UnavailableError,
               "the daemon did not answer within 10 s at " + reach.daemon + "; its log is " + log};
}

}  // namespace any::cli
