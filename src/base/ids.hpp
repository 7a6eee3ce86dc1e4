#pragma once
// Names nobody has used before, and secrets.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace any {

/// A task id: sortable by time in its first part, 22 characters of [0-9A-Za-z_-].
std::string make_task_id(long long wall_ms);
/// A random UUID (version 4) in lower case.
std::string make_uuid();
/// `count` bytes from the kernel's random source.
std::vector<std::byte> random_bytes(std::size_t count);
/// `count` random bytes as standard base64 with padding.
std::string random_base64(std::size_t count);
/// HMAC-SHA-256 of `text` with a base64 key, as base64. Empty if the key is not base64.
std::string hmac_base64(std::string_view key_base64, std::string_view text);
/// SHA-256 of `text`, lower-case hex.
std::string sha256_hex(std::string_view text);
/// Comparison whose time does not depend on where the texts differ.
bool equal_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace any
