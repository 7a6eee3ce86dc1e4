#include "store/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace any::store {
namespace {

[[noreturn]] void fail(std::string const& what, std::string const& path, int error) {
  throw std::runtime_error{what + " " + path + ": " + std::generic_category().message(error) +
                           ". Give this user the right to write there, or choose another folder with --state-dir."};
}

std::string holder(int fd) {
  std::array<char, 32> text{};
  auto const size = ::pread(fd, text.data(), text.size(), 0);
  std::string_view pid{text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return std::string{pid};
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void make_private_folder(std::string const& path, Names names) {
  namespace fs = std::filesystem;
  std::error_code error;
  auto whole = fs::absolute(path, error).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  auto const above = whole.parent_path();
  std::vector<std::string> named;  // the folders that get a new name
  for (auto at = above; !fs::exists(at, error) && at.has_relative_path(); at = at.parent_path()) {
    named.push_back(at.parent_path().string());
  }
  if (!above.empty()) fs::create_directories(above, error);
  if (error) fail("cannot create the folder", above.string(), error.value());
  bool const made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) fail("cannot create the folder", path, errno);
  if (made && names == Names::synced) {
    named.push_back(above.string());
    for (auto const& folder : named) sync_path(folder);
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail("cannot look at the folder", path, errno);
  if (!S_ISDIR(status.st_mode)) fail("this should be a folder:", path, ENOTDIR);
  if ((status.st_mode & 0777U) != 0700 && ::chmod(path.c_str(), 0700) != 0) {
    fail("cannot make private the folder", path, errno);
  }
}

void make_private_file(std::string const& path) {
  Descriptor const file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (file.get() < 0) fail("cannot open", path, errno);
  if (::fchmod(file.get(), 0600) != 0) fail("cannot make private the file", path, errno);
}

void sync_path(std::string const& path) {
  Descriptor const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0 || ::fsync(file.get()) != 0) fail("cannot sync", path, errno);
}

FolderLock::FolderLock(std::string const& folder) {
  auto const path = folder + "/lock";
  file_ = Descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (file_.get() < 0) fail("cannot open", path, errno);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("cannot lock", path, errno);
    auto const pid = holder(file_.get());
    throw std::runtime_error{"the folder " + folder + " belongs to a daemon that runs" +
                             (pid.empty() ? std::string{} : " (pid " + pid + ")") + ". Use that one, end it first" +
                             (pid.empty() ? std::string{} : " (kill " + pid + ")") +
                             ", or choose another folder with --state-dir."};
  }
  auto const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    fail("cannot write", path, errno);
  }
}

}  // namespace any::store
