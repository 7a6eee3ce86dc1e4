#pragma once
// A program started in a session of its own: it outlives the command, and the terminal's Ctrl-C is not meant for it.

#include <spawn.h>

#include <string>
#include <vector>

namespace any::cli {

/// Where the program's standard streams lead; its input is always empty.
class Streams {
 public:
  Streams();
  ~Streams();
  Streams(Streams const&) = delete;
  Streams& operator=(Streams const&) = delete;

  /// `flags`: O_APPEND, O_TRUNC; a file that is not there is made, for its owner alone.
  void to_file(int stream, std::string const& file, int flags = 0);
  void to_same(int stream, int other);

 private:
  friend int spawn_apart(pid_t& child, std::vector<std::string> words, Streams const& streams);
  posix_spawn_file_actions_t actions_;
};

/// Starts words[0], a path, with the environment that there is. 0, or the error number that says why it could not.
int spawn_apart(pid_t& child, std::vector<std::string> words, Streams const& streams);

}  // namespace any::cli
