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

namespace any {
namespace {

// Both in ASCII order, so that texts sort as the numbers do. The first sign of an id is never '-' or '_':
// on a command line it would read as an option.
constexpr std::string_view alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view first_signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base64_signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex_digits = "0123456789abcdef";

void fill_random(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    auto const got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error{errno, std::generic_category(), "getrandom"};
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::string to_base64(std::span<unsigned char const> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto const left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < left ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += k <= left ? base64_signs[group >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
}

std::optional<std::vector<unsigned char>> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  auto const padding = text.ends_with("==") ? 2U : text.ends_with("=") ? 1U : 0U;
  text.remove_suffix(padding);
  std::vector<unsigned char> bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char const sign : text) {
    auto const value = base64_signs.find(sign);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<unsigned char>(bits >> count & 0xFFU));
    }
  }
  return bytes;
}

std::string to_hex(std::span<unsigned char const> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (auto const byte : bytes) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15U];
  }
  return text;
}

unsigned char const* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<unsigned char const*>(text.data());
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
  auto text = to_hex(bytes);
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
  return to_base64(bytes);
}

std::string hmac_base64(std::string_view key_base64, std::string_view text) {
  auto const key = from_base64(key_base64);
  if (!key) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  static constexpr unsigned char no_key = 0;  // OpenSSL takes a null key for "the one of before"
  if (!::HMAC(::EVP_sha256(), key->empty() ? &no_key : key->data(), static_cast<int>(key->size()), bytes_of(text),
              text.size(), digest.data(), &size)) {
    return {};
  }
  return to_base64({digest.data(), size});
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(bytes_of(text), text.size(), digest.data());
  return to_hex(digest);
}

bool equal_secret(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(bytes_of(a)[i] ^ bytes_of(b)[i]);
  return difference == 0;
}

}  // namespace any
