#pragma once
// A VFS in front of the system's that writes down every write, sync and removal in order, and fails where it is told
// to.

#include <cstdint>
#include <string>
#include <vector>

namespace any::store_test {

struct Call {
  enum class Kind : unsigned char { write, sync, removal, mark };
  Kind kind = Kind::mark;
  std::string file{};       ///< its path; of a mark: its text
  std::string bytes{};      ///< of a write
  bool folder_too = false;  ///< a sync that also synced the file's entry in its folder
};

namespace watched_vfs {

inline constexpr char const* name = "watched";

/// Registers the VFS, once, and forgets what was seen and asked before.
void reset();
/// From now on calls are written down.
void record();
void mark(std::string text);
std::vector<Call> calls();

/// The n-th write or sync from now on fails (n counts from 1), with SQLITE_FULL or an I/O error; and if `stays`, so
/// does every later one.
void fail_at(int n, bool io_error, bool stays);
/// Whether the failure has been met.
bool failed();
void fail_no_more();

}  // namespace watched_vfs
}  // namespace any::store_test
