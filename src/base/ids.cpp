#include "base/ids.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>

#include "base/encoding.hpp"

namespace any {
namespace {

// Both in ASCII order, so that texts sort as the numbers do. The first sign of an id is never '-' or '_':
// on a command line it would read as an option.
constexpr std::string_view alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view first_signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void fill_random(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    auto const got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error{errno, std::generic_category(), "getrandom"};
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

unsigned char const* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<unsigned char const*>(text.data());
}

std::string_view view(std::span<unsigned char const> bytes) noexcept {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string make_task_id(long long wall_ms) {
  constexpr std::size_t time_signs = 7, length = 22;  // 42 bits of milliseconds: until the year 2102
  auto const time = std::clamp<std::uint64_t>(wall_ms < 0 ? 0 : static_cast<std::uint64_t>(wall_ms), 0,
                                              (std::uint64_t{first_signs.size()} << 36) - 1);
  std::string id;
  id.reserve(length);
  id += first_signs[time >> 36];
  for (std::size_t i = 1; i < time_signs; ++i) id += alphabet[time >> (6 * (time_signs - 1 - i)) & 63U];
  std::array<unsigned char, length - time_signs> random{};
  fill_random(random);
  for (auto const byte : random) id += alphabet[byte & 63U];
  return id;
}

std::string make_uuid() {
  std::array<unsigned char, 16> bytes{};
  fill_random(bytes);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  auto text = to_hex(view(bytes));
  for (std::size_t const at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

std::vector<std::byte> random_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  fill_random({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
  return bytes;
}

std::string random_base64(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  fill_random(bytes);
  return to_base64(view(bytes));
}

std::string hmac_base64(std::string_view key_base64, std::string_view text) {
  auto const key = from_base64(key_base64);
  if (!key) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  static constexpr unsigned char no_key = 0;  // OpenSSL takes a null key for "the one of before"
  if (!::HMAC(::EVP_sha256(), key->empty() ? &no_key : bytes_of(*key), static_cast<int>(key->size()), bytes_of(text),
              text.size(), digest.data(), &size)) {
    return {};
  }
  return to_base64(view({digest.data(), size}));
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(bytes_of(text), text.size(), digest.data());
  return to_hex(view(digest));
}

bool equal_secret(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(bytes_of(a)[i] ^ bytes_of(b)[i]);
  return difference == 0;
}

}  // namespace any
