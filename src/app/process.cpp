#include "app/process.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "base/encoding.hpp"
#include "base/ids.hpp"

namespace any::app {

void keep_memory_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 512 << 10);
}

void give_memory_back() {
  ::malloc_trim(0);
}

std::uint64_t allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

std::string token_of(std::string const& state_dir) {
  std::string const path = state_dir + "/token";
  std::string token;
  if (std::ifstream file(path); file && std::getline(file, token) && !token.empty()) {
    ::chmod(path.c_str(), 0600);
    return token;
  }
  auto const random = random_bytes(32);
  token = to_hex({reinterpret_cast<char const*>(random.data()), random.size()});
  int const file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto const text = token + "\n";
  bool const written = file >= 0 && ::fchmod(file, 0600) == 0 &&
                       ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int const cause = errno;
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error("the token cannot be written to " + path + ": " + std::strerror(cause));
  return token;
}

}  // namespace any::app
