#include "store/watched_vfs.hpp"

#include <sqlite3.h>

#include <mutex>
#include <new>

namespace any::store_test::watched_vfs {
namespace {

struct State {
  std::mutex mutex;
  bool recording = false;
  std::vector<Call> calls;
  int countdown = 0;
  bool io_error = false, stays = false, failed = false;
};

State& state() {
  static State the_state;
  return the_state;
}

sqlite3_vfs& system_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return *vfs;
}

// Ours begins each file's memory; the system's file lies behind it.
struct File {
  sqlite3_file base;
  std::string* path;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File& ours(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

/// SQLITE_OK, or the failure that is due now.
int due(bool sync) {
  std::lock_guard const lock{state().mutex};
  auto& s = state();
  if (s.countdown > 0 && --s.countdown == 0) {
    s.failed = true;
    if (s.stays) s.countdown = 1;
    return !s.io_error ? SQLITE_FULL : sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
  }
  return SQLITE_OK;
}

void note(Call call) {
  std::lock_guard const lock{state().mutex};
  if (state().recording) state().calls.push_back(std::move(call));
}

thread_local bool folder_opened = false;
using OpenFolder = int (*)(char const*, int*);
OpenFolder& real_open_folder() {
  static OpenFolder open = nullptr;
  return open;
}
int open_folder(char const* path, int* fd) {
  folder_opened = true;
  return real_open_folder()(path, fd);
}

int close(sqlite3_file* file) {
  auto const code = ours(file).real()->pMethods->xClose(ours(file).real());
  delete ours(file).path;
  return code;
}
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return ours(file).real()->pMethods->xRead(ours(file).real(), to, size, at);
}
int write(sqlite3_file* file, void const* from, int size, sqlite3_int64 at) {
  if (auto const code = due(false); code != SQLITE_OK) return code;
  note({.kind = Call::Kind::write,
        .file = *ours(file).path,
        .bytes = {static_cast<char const*>(from), static_cast<std::size_t>(size)}});
  return ours(file).real()->pMethods->xWrite(ours(file).real(), from, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return ours(file).real()->pMethods->xTruncate(ours(file).real(), size);
}
int sync(sqlite3_file* file, int flags) {
  if (auto const code = due(true); code != SQLITE_OK) return code;
  folder_opened = false;
  auto const code = ours(file).real()->pMethods->xSync(ours(file).real(), flags);
  if (code == SQLITE_OK) {
    note({.kind = Call::Kind::sync, .file = *ours(file).path, .bytes = {}, .folder_too = folder_opened});
  }
  return code;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return ours(file).real()->pMethods->xFileSize(ours(file).real(), size);
}
int lock(sqlite3_file* file, int level) {
  return ours(file).real()->pMethods->xLock(ours(file).real(), level);
}
int unlock(sqlite3_file* file, int level) {
  return ours(file).real()->pMethods->xUnlock(ours(file).real(), level);
}
int reserved(sqlite3_file* file, int* out) {
  return ours(file).real()->pMethods->xCheckReservedLock(ours(file).real(), out);
}
int control(sqlite3_file* file, int op, void* arg) {
  return ours(file).real()->pMethods->xFileControl(ours(file).real(), op, arg);
}
int sector(sqlite3_file* file) {
  return ours(file).real()->pMethods->xSectorSize(ours(file).real());
}
int traits(sqlite3_file* file) {
  return ours(file).real()->pMethods->xDeviceCharacteristics(ours(file).real());
}

int open(sqlite3_vfs*, char const* path, sqlite3_file* file, int flags, int* out_flags) {
  static sqlite3_io_methods const methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;  // no shared memory: the journal must do without
    m.xClose = close;
    m.xRead = read;
    m.xWrite = write;
    m.xTruncate = truncate;
    m.xSync = sync;
    m.xFileSize = file_size;
    m.xLock = lock;
    m.xUnlock = unlock;
    m.xCheckReservedLock = reserved;
    m.xFileControl = control;
    m.xSectorSize = sector;
    m.xDeviceCharacteristics = traits;
    return m;
  }();
  file->pMethods = nullptr;
  auto const code = system_vfs().xOpen(&system_vfs(), path, ours(file).real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  ours(file).path = new std::string{path ? path : ""};
  file->pMethods = &methods;
  return code;
}

int remove(sqlite3_vfs*, char const* path, int sync_folder) {
  note({.kind = Call::Kind::removal, .file = path});
  return system_vfs().xDelete(&system_vfs(), path, sync_folder);
}

void register_once() {
  static bool const done = [] {
    static sqlite3_vfs vfs = system_vfs();
    vfs.szOsFile = static_cast<int>(sizeof(File)) + system_vfs().szOsFile;
    vfs.zName = name;
    vfs.pNext = nullptr;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    sqlite3_vfs_register(&vfs, 0);
    auto& system = system_vfs();
    real_open_folder() = reinterpret_cast<OpenFolder>(system.xGetSystemCall(&system, "openDirectory"));
    system.xSetSystemCall(&system, "openDirectory", reinterpret_cast<sqlite3_syscall_ptr>(open_folder));
    return true;
  }();
  (void)done;
}

}  // namespace

void reset() {
  register_once();
  std::lock_guard const lock{state().mutex};
  auto& s = state();
  s.recording = false;
  s.calls.clear();
  s.countdown = 0;
  s.failed = false;
}

void record() {
  std::lock_guard const lock{state().mutex};
  state().recording = true;
}

void mark(std::string text) {
  note({.kind = Call::Kind::mark, .file = std::move(text)});
}

std::vector<Call> calls() {
  std::lock_guard const lock{state().mutex};
  return state().calls;
}

void fail_at(int n, bool io_error, bool stays) {
  std::lock_guard const lock{state().mutex};
  auto& s = state();
  s.countdown = n;
  s.io_error = io_error;
  s.stays = stays;
  s.failed = false;
}

bool failed() {
  std::lock_guard const lock{state().mutex};
  return state().failed;
}

void fail_no_more() {
  std::lock_guard const lock{state().mutex};
  state().countdown = 0;
}

}  // namespace any::store_test::watched_vfs
