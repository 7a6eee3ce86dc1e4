#pragma once
// The state folder: the user's alone, and one daemon's at a time.

#include <string>

namespace any::store {

/// A file descriptor that is closed when its owner goes.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_{fd} {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// Creates the folder (0700) and those above it where they are missing, and takes other
/// users' rights on it away. Throws std::runtime_error with the cause and the next step.
/// The names are on disk at return, or when the caller has synced the folder above (Names::later, for the last of
/// them).
enum class Names : unsigned char { synced, later };
void make_private_folder(std::string const& path, Names names = Names::synced);

/// Creates the file (0600) where it is missing, and takes other users' rights on it away. Throws std::runtime_error.
void make_private_file(std::string const& path);

/// Syncs a file or folder. Throws std::runtime_error.
void sync_path(std::string const& path);

/// Holds `folder`/lock until it goes. Throws std::runtime_error naming the pid of another daemon that holds it.
class FolderLock {
 public:
  explicit FolderLock(std::string const& folder);

 private:
  Descriptor file_;
};

}  // namespace any::store
