#include "store/values_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "base/ids.hpp"
#include "store/folder.hpp"
#include "store/sqlite.hpp"

namespace any::store {
namespace {

constexpr std::size_t chunk = std::size_t{64} << 10;  // above 128 KiB the VFS writes less than it is given

/// A file of a VFS; closed when it goes.
class VfsFile {
 public:
  VfsFile(sqlite3_vfs* vfs, std::string const& path)
      : name_{path + std::string(2, '\0')},
        memory_{std::make_unique<std::max_align_t[]>(
            static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1)} {
    // A super-journal's first sync also syncs its entry in the folder.
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_SUPER_JOURNAL;
    int got = 0;
    check(vfs->xOpen(vfs, name_.c_str(), get(), flags, &got), "cannot create");
  }
  ~VfsFile() {
    if (get()->pMethods) get()->pMethods->xClose(get());
  }
  VfsFile(VfsFile const&) = delete;
  VfsFile& operator=(VfsFile const&) = delete;

  void write(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      auto const part = bytes.substr(at, chunk);
      check(get()->pMethods->xWrite(get(), part.data(), static_cast<int>(part.size()), static_cast<sqlite3_int64>(at)),
            "cannot write");
    }
  }
  void sync() { check(get()->pMethods->xSync(get(), SQLITE_SYNC_NORMAL), "cannot sync"); }

 private:
  sqlite3_file* get() const noexcept { return reinterpret_cast<sqlite3_file*>(memory_.get()); }
  static void check(int code, char const* what) {
    if (code != SQLITE_OK) throw SqliteFailure{code, std::string{what} + " a value's file: " + sqlite3_errstr(code)};
  }

  std::string name_;  // ends with two zeros, as SQLite's names do; the VFS keeps a pointer to it
  std::unique_ptr<std::max_align_t[]> memory_;
};

}  // namespace

ValuesFolder::ValuesFolder(std::string path, std::string const& vfs)
    : path_{std::move(path)}, vfs_{sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str())} {
  if (!vfs_) throw std::runtime_error{"there is no SQLite VFS named " + vfs};
  make_private_folder(path_, Names::later);
}

std::string ValuesFolder::file(std::string_view name) const {
  return path_ + "/" + std::string{name};
}

std::string ValuesFolder::write(std::string_view bytes) {
  auto name = make_uuid();
  std::erase(name, '-');  // SQLite reads a meaning into a dash
  auto const path = file(name);
  // SQLite would give a new file the rights of the umask.
  Descriptor const created{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (created.get() < 0) {
    auto const cause = errno;
    throw SqliteFailure{cause == ENOSPC || cause == EDQUOT ? SQLITE_FULL : SQLITE_CANTOPEN,
                        "cannot create " + path + ": " + std::generic_category().message(cause)};
  }
  try {
    VfsFile out{vfs_, path};
    out.write(bytes);
    out.sync();
  } catch (...) {
    remove(name);
    throw;
  }
  return name;
}

Result<std::string> ValuesFolder::read(std::string_view name, std::size_t size) const {
  auto const path = file(name);
  auto const damaged = [&](std::string const& cause) {
    return Error{ErrorName::InternalError, "The value's file " + path + " cannot be read: " + cause +
                                               ". The rest of the journal is not touched by this."};
  };
  Descriptor const in{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (in.get() < 0 || ::fstat(in.get(), &status) != 0) return damaged(std::generic_category().message(errno));
  if (static_cast<std::size_t>(status.st_size) != size) {
    return damaged("it has " + std::to_string(status.st_size) + " bytes, not " + std::to_string(size));
  }
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size;) {
    auto const got = ::pread(in.get(), bytes.data() + at, size - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return damaged(got < 0 ? std::generic_category().message(errno) : "it ends early");
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

void ValuesFolder::remove(std::string_view name) const noexcept {
  vfs_->xDelete(vfs_, file(name).c_str(), 0);
}

std::vector<std::string> ValuesFolder::names() const {
  std::vector<std::string> found;
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator{path_, error}) {
    found.push_back(entry.path().filename().string());
  }
  return found;
}

}  // namespace any::store
