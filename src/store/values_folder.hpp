#pragma once
// Values too large for the journal, a file each. They are written through SQLite's own VFS, so that whatever watches or
// disturbs the journal's writes in a test sees these too.

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace any::store {

class ValuesFolder {
 public:
  /// Creates the folder. Throws std::runtime_error.
  ValuesFolder(std::string path, std::string const& vfs);

  /// Writes and syncs a new file and its entry in the folder; returns its name. Throws SqliteFailure and leaves no
  /// file.
  std::string write(std::string_view bytes);
  /// InternalError where the file is missing or not `size` bytes long.
  Result<std::string> read(std::string_view name, std::size_t size) const;
  void remove(std::string_view name) const noexcept;
  std::vector<std::string> names() const;

 private:
  std::string file(std::string_view name) const;

  std::string path_;
  sqlite3_vfs* vfs_;
};

}  // namespace any::store
