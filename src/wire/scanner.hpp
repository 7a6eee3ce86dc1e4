#pragma once
// Walks JSON text and checks every byte of it, without building anything. Its stack is on the heap and bounded, so
// depth costs a byte a level and nothing more.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace any::wire {

struct ScanOptions {
  std::size_t max_depth = 1024;  ///< arrays and objects inside each other
  bool strict = false;           ///< also refuse duplicate keys, lone surrogates and numbers no double can hold
  bool exact_numbers = false;    ///< strict: also refuse numbers that carried_by_double() refuses
};

/// After any `false` the scan is over: fault() and position() say why and where.
class Scanner {
 public:
  Scanner(std::string_view text, ScanOptions options) noexcept : text_{text}, options_{options} {}

  /// Refuses text that is not UTF-8.
  bool check_utf8();
  void skip_space() noexcept;
  /// Steps over `expected` and the white space behind it.
  bool take(char expected);
  /// True where the next byte is `c`; steps over nothing.
  bool at(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }
  bool at_end() const noexcept { return at_ == text_.size(); }
  /// Steps over a string; `inside` is what stands between the quotes, as written.
  bool string(std::string_view& inside, bool& escaped);
  /// Steps over one whole value of any kind, nested ones included.
  bool value();
  /// Refuses anything but white space from here on.
  bool end();

  /// strict: every number so far, as written, in order.
  std::vector<std::string_view> const& numbers() const noexcept { return numbers_; }
  std::size_t position() const noexcept { return at_; }
  std::string_view text() const noexcept { return text_; }
  /// What was wrong, in words, with line and column; empty where nothing was.
  std::string fault() const;
  bool fail(std::size_t where, std::string_view what);

 private:
  struct Key {
    std::string_view text;
    std::size_t at;
  };

  bool scalar();
  bool literal(std::string_view word);
  bool number();
  bool escape();
  bool key();
  bool open(char kind);
  bool close();
  bool unique_keys();

  std::string_view text_;
  ScanOptions options_;
  std::size_t at_ = 0;
  std::string fault_;
  std::string stack_;  // '{' or '[' a level
  std::vector<std::string_view> numbers_;
  std::vector<std::size_t> first_key_;  // strict: where each open object's keys begin in keys_
  std::vector<Key> keys_;               // strict: of all open objects
  std::deque<std::string> unescaped_;   // strict: keys that were written with escapes
};

/// Whether a JSON number is still the same as a double: the double, written with as many digits, shows those that stand
/// there.
bool carried_by_double(std::string_view number);

/// The text that stands between the quotes of a scanned string. Lone surrogates become U+FFFD.
std::string unescape(std::string_view inside);

}  // namespace any::wire
