#include "cli/spawn.hpp"

#include <fcntl.h>

extern char** environ;

namespace any::cli {

Streams::Streams() {
  posix_spawn_file_actions_init(&actions_);
  posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
}

Streams::~Streams() {
  posix_spawn_file_actions_destroy(&actions_);
}

void Streams::to_file(int stream, std::string const& file, int flags) {
  posix_spawn_file_actions_addopen(&actions_, stream, file.c_str(), O_WRONLY | O_CREAT | flags, 0600);
}

void Streams::to_same(int stream, int other) {
  posix_spawn_file_actions_adddup2(&actions_, other, stream);
}

int spawn_apart(pid_t& child, std::vector<std::string> words, Streams const& streams) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID);
  auto const failed = posix_spawn(&child, argv[0], &streams.actions_, &how, argv.data(), environ);
  posix_spawnattr_destroy(&how);
  return failed;
}

}  // namespace any::cli
