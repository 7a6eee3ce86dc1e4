#include "net/head.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace any::net {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Nothing where a % is not followed by two hex digits.
std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      auto const high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      auto const low = high >= 0 ? hex_value(text[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    auto const comma = list.find(',');
    auto word = list.substr(0, comma);
    while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) word.remove_prefix(1);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
    if (same_word(word, token)) return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

std::string_view Head::header(std::string_view name) const {
  auto const found =
      std::find_if(headers.begin(), headers.end(), [&](Header const& h) { return same_word(h.name, name); });
  return found == headers.end() ? std::string_view{} : std::string_view{found->value};
}

std::size_t Head::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(), [&](Header const& h) { return same_word(h.name, name); }));
}

std::optional<std::string_view> Head::parameter(std::string_view name) const {
  for (auto const& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

bool read_target(Head& head) {
  std::string_view const target = head.target;
  if (target == "*") {
    head.path = target;
    return head.method == "OPTIONS";
  }
  if (!target.starts_with('/')) return false;
  auto const mark = target.find('?');
  auto path = decode(target.substr(0, mark), false);
  if (!path) return false;
  head.path = std::move(*path);
  auto rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    auto const end = rest.find('&');
    auto const pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (pair.empty()) continue;
    auto const equals = pair.find('=');
    auto key = decode(pair.substr(0, equals), true);
    auto value =
        equals == std::string_view::npos ? std::optional<std::string>{""} : decode(pair.substr(equals + 1), true);
    if (!key || !value) return false;
    head.query.emplace_back(std::move(*key), std::move(*value));
  }
  return true;
}

}  // namespace any::net
