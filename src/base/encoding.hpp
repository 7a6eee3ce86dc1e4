#pragma once
// Bytes as text: base64 and hex.

#include <optional>
#include <string>
#include <string_view>

namespace any {

/// Standard base64 with padding.
std::string to_base64(std::string_view bytes);
/// Nothing where `text` is none.
std::optional<std::string> from_base64(std::string_view text);

/// Lower case.
std::string to_hex(std::string_view bytes);
/// The value of one hex digit, or -1.
constexpr int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

}  // namespace any
