#include "wire/scanner.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/encoding.hpp"

namespace any::wire {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// The length of the first character if it is well-formed UTF-8, else 0.
std::size_t utf8_length(std::string_view text) noexcept {
  auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto const more = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  auto const first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return more(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!more(1) || !more(2)) return 0;
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!more(1) || !more(2) || !more(3)) return 0;
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

// The first byte of a string from `at` on that is a quote, a backslash or a control character.
std::size_t string_stop(std::string_view text, std::size_t at) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t tops = 0x8080808080808080ULL;
  auto const has_zero = [](std::uint64_t word) { return (word - ones) & ~word & tops; };
  while (at + 8 <= text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    auto const control = (word - ones * 0x20U) & ~word & tops;
    if ((has_zero(word ^ (ones * 0x22U)) | has_zero(word ^ (ones * 0x5CU)) | control) != 0) break;
    at += 8;
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\' && static_cast<unsigned char>(text[at]) >= 0x20) ++at;
  return at;
}

// The four hex digits at the front, or -1.
int hex4(std::string_view text) noexcept {
  if (text.size() < 4) return -1;
  int value = 0;
  for (char const c : text.substr(0, 4)) {
    auto const digit = hex_value(c);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high(int unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(int unit) noexcept {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

void append_utf8(std::string& out, std::uint32_t point) {
  auto const put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

// The digits of a number that count, and the power of ten of the first: 0.00120e5 is 12 and 2.
struct Decimal {
  std::string digits;
  long power = 0;
  bool operator==(Decimal const&) const = default;
};

Decimal decimal(std::string_view number) {
  Decimal found;
  long power = -1;
  bool fraction = false;
  auto const exponent_at = std::min(number.find_first_of("eE"), number.size());
  for (char const c : number.substr(0, exponent_at)) {
    if (c == '.') fraction = true;
    if (!is_digit(c)) continue;
    if (found.digits.empty() && c == '0') {
      if (fraction) --power;
      continue;
    }
    found.digits += c;
    if (!fraction) ++power;
  }
  found.digits.erase(found.digits.find_last_not_of('0') + 1);
  if (found.digits.empty()) return {};
  if (exponent_at < number.size())
    power += std::strtol(std::string{number.substr(exponent_at + 1)}.c_str(), nullptr, 10);
  found.power = power;
  return found;
}

}  // namespace

bool carried_by_double(std::string_view number) {
  auto const written = decimal(number);
  if (written.digits.size() <= 15 && std::abs(written.power) < 300) return true;  // any such number is
  constexpr std::size_t longest = 800;                                            // no double needs more than 767
  if (written.digits.size() > longest) return false;
  auto const nearest = std::strtod(std::string{number}.c_str(), nullptr);
  std::array<char, longest + 32> text;
  auto const as_written = [&](auto... format) {
    auto const [end, failed] = std::to_chars(text.data(), text.data() + text.size(), nearest, format...);
    return failed == std::errc{} && decimal({text.data(), end}) == written;
  };
  // The shortest that reads as the double is not always the nearest of its length.
  return as_written(std::chars_format::scientific,
                    static_cast<int>(std::max<std::size_t>(written.digits.size(), 1)) - 1) ||
         as_written();
}

bool Scanner::fail(std::size_t where, std::string_view what) {
  at_ = std::min(where, text_.size());
  fault_ = what;
  return false;
}

std::string Scanner::fault() const {
  if (fault_.empty()) return {};
  auto const before = text_.substr(0, at_);
  auto const line = 1 + std::count(before.begin(), before.end(), '\n');
  auto const start = before.rfind('\n');
  auto const column = start == std::string_view::npos ? at_ + 1 : at_ - start;
  return fault_ + " at line " + std::to_string(line) + ", column " + std::to_string(column);
}

bool Scanner::check_utf8() {
  constexpr std::uint64_t beyond_ascii = 0x8080808080808080ULL;
  std::size_t at = 0;
  while (at < text_.size()) {
    std::uint64_t eight = beyond_ascii;
    if (at + sizeof eight <= text_.size()) std::memcpy(&eight, text_.data() + at, sizeof eight);
    if ((eight & beyond_ascii) == 0) {
      at += sizeof eight;
      continue;
    }
    auto const length = utf8_length(text_.substr(at));
    if (length == 0) return fail(at, "a byte that is not UTF-8");
    at += length;
  }
  return true;
}

void Scanner::skip_space() noexcept {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

bool Scanner::take(char expected) {
  if (!at(expected)) {
    auto const name = std::string{"'"} + expected + "' expected";
    return fail(at_, at_end() ? "the text ends too early: " + name : name);
  }
  ++at_;
  skip_space();
  return true;
}

bool Scanner::end() {
  skip_space();
  return at_end() || fail(at_, "something follows after the value");
}

bool Scanner::string(std::string_view& inside, bool& escaped) {
  auto const start = ++at_;
  escaped = false;
  for (;;) {
    at_ = string_stop(text_, at_);
    if (at_end()) return fail(start - 1, "a string without its end");
    if (text_[at_] == '"') break;
    if (text_[at_] != '\\') return fail(at_, "a control character inside a string (write it as \\u00XX)");
    escaped = true;
    if (!escape()) return false;
  }
  inside = text_.substr(start, at_ - start);
  ++at_;
  return true;
}

bool Scanner::escape() {
  auto const start = at_++;
  if (at_end()) return fail(start, "a string without its end");
  auto const kind = text_[at_++];
  if (kind != 'u')
    return std::strchr("\"\\/bfnrt", kind) != nullptr && kind != 0 ? true : fail(start, "an unknown escape");
  auto const unit = hex4(text_.substr(at_));
  if (unit < 0) return fail(start, "\\u without four hex digits");
  at_ += 4;
  if (!options_.strict) return true;
  if (is_low(unit)) return fail(start, "half of a surrogate pair");
  if (!is_high(unit)) return true;
  auto const second = text_.substr(at_, 2) == "\\u" ? hex4(text_.substr(at_ + 2)) : -1;
  if (!is_low(second)) return fail(start, "half of a surrogate pair");
  at_ += 6;
  return true;
}

bool Scanner::literal(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return fail(at_, "an unknown word (a value, e.g. null, true, \"text\")");
  at_ += word.size();
  return true;
}

bool Scanner::number() {
  auto const start = at_;
  auto const digits = [&] {
    auto const first = at_;
    while (!at_end() && is_digit(text_[at_])) ++at_;
    return at_ > first;
  };
  if (at('-')) ++at_;
  if (at('0')) {
    ++at_;
    if (!at_end() && is_digit(text_[at_])) return fail(start, "a number with a leading zero");
  } else if (!digits()) {
    return fail(start, "a number without digits");
  }
  if (at('.')) {
    ++at_;
    if (!digits()) return fail(start, "a number without digits behind its point");
  }
  auto const exponent = at('e') || at('E');
  if (exponent) {
    ++at_;
    if (at('+') || at('-')) ++at_;
    auto const first = at_;
    if (!digits()) return fail(start, "a number without digits in its exponent");
    constexpr std::size_t most_digits = 6;
    auto const written = text_.substr(first, at_ - first);
    auto const leading = std::min(written.find_first_not_of('0'), written.size());
    if (options_.strict && written.size() - leading > most_digits)
      return fail(start, "a number too large or too small for a double");
  }
  if (options_.strict) numbers_.push_back(text_.substr(start, at_ - start));
  if (options_.strict && (exponent || at_ - start > 300)) {
    std::string const copy{text_.substr(start, at_ - start)};
    if (std::isinf(std::strtod(copy.c_str(), nullptr))) return fail(start, "a number too large for a double");
  }
  if (options_.exact_numbers && !carried_by_double(text_.substr(start, at_ - start))) {
    std::string const written{text_.substr(start, std::min<std::size_t>(at_ - start, 60))};
    return fail(start,
                "the number " + written +
                    ", which a script would see as another (its numbers are doubles): write it in quotes, as text");
  }
  return true;
}

bool Scanner::scalar() {
  if (at_end()) return fail(at_, "the text ends where a value is expected");
  std::string_view inside;
  bool escaped = false;
  switch (text_[at_]) {
    case '"':
      return string(inside, escaped);
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      if (text_[at_] == '-' || is_digit(text_[at_])) return number();
      return fail(at_, "a value expected");
  }
}

bool Scanner::open(char kind) {
  if (stack_.size() >= options_.max_depth) {
    return fail(at_, "more than " + std::to_string(options_.max_depth) + " arrays and objects inside each other");
  }
  stack_ += kind;
  if (options_.strict && kind == '{') first_key_.push_back(keys_.size());
  ++at_;
  skip_space();
  return true;
}

bool Scanner::close() {
  if (options_.strict && stack_.back() == '{') {
    if (!unique_keys()) return false;
    keys_.resize(first_key_.back());
    first_key_.pop_back();
  }
  stack_.pop_back();
  ++at_;
  return true;
}

bool Scanner::unique_keys() {
  auto const first = keys_.begin() + static_cast<std::ptrdiff_t>(first_key_.back());
  std::sort(first, keys_.end(), [](Key const& a, Key const& b) {
    auto const order = a.text.compare(b.text);
    return order < 0 || (order == 0 && a.at < b.at);
  });
  auto const same = std::adjacent_find(first, keys_.end(), [](Key const& a, Key const& b) { return a.text == b.text; });
  return same == keys_.end() || fail((same + 1)->at, "a key that stands there twice");
}

bool Scanner::key() {
  if (!at('"')) return fail(at_, at_end() ? "the text ends too early: a key expected" : "a key in quotes expected");
  auto const start = at_;
  std::string_view inside;
  bool escaped = false;
  if (!string(inside, escaped)) return false;
  if (options_.strict) {
    keys_.push_back({escaped ? std::string_view{unescaped_.emplace_back(unescape(inside))} : inside, start});
  }
  skip_space();
  return take(':');
}

bool Scanner::value() {
  auto const base = stack_.size();
  for (;;) {
    // Here a value begins.
    if (at('{') || at('[')) {
      auto const kind = text_[at_];
      if (!open(kind)) return false;
      if (!at(kind == '{' ? '}' : ']')) {
        if (kind == '{' && !key()) return false;
        continue;
      }
      if (!close()) return false;
    } else if (!scalar()) {
      return false;
    }
    // Here one has ended.
    for (;;) {
      if (stack_.size() == base) return true;
      skip_space();
      auto const kind = stack_.back();
      if (at(',')) {
        ++at_;
        skip_space();
        if (kind == '{' && !key()) return false;
        break;
      }
      if (!at(kind == '{' ? '}' : ']')) {
        return fail(at_, at_end()      ? "the text ends inside an array or object"
                         : kind == '{' ? "',' or '}' expected"
                                       : "',' or ']' expected");
      }
      if (!close()) return false;
    }
  }
}

std::string unescape(std::string_view inside) {
  std::string out;
  out.reserve(inside.size());
  for (std::size_t i = 0; i < inside.size();) {
    if (inside[i] != '\\' || i + 1 >= inside.size()) {
      out += inside[i++];
      continue;
    }
    auto const kind = inside[i + 1];
    i += 2;
    if (kind != 'u') {
      constexpr std::string_view letters = "bfnrt", meanings = "\b\f\n\r\t";
      auto const found = letters.find(kind);
      out += found == std::string_view::npos ? kind : meanings[found];
      continue;
    }
    auto const unit = hex4(inside.substr(i));
    i = std::min(i + 4, inside.size());
    auto const second = is_high(unit) && inside.substr(i, 2) == "\\u" ? hex4(inside.substr(i + 2)) : -1;
    if (is_low(second)) {
      i += 6;
      append_utf8(out, 0x10000U + ((static_cast<std::uint32_t>(unit) & 0x3FFU) << 10) +
                           (static_cast<std::uint32_t>(second) & 0x3FFU));
    } else {
      append_utf8(out, unit < 0 || is_high(unit) || is_low(unit) ? 0xFFFDU : static_cast<std::uint32_t>(unit));
    }
  }
  return out;
}

}  // namespace any::wire
