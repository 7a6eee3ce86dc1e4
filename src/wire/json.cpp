#include "wire/json.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdlib>

#include "wire/scanner.hpp"

namespace any::wire {
namespace {

Error malformed(Scanner const& scanner) {
  return {ErrorName::BadRequestError, "This is not the JSON it should be: " + scanner.fault() + "."};
}

// The number exactly as written. Boost.JSON's own reading is off in the last digit for many, and reads -0 as 0.
double exact(std::string_view written) {
  double number = 0;
  auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), number);
  return failed == std::errc{} ? number : std::strtod(std::string{written}.c_str(), nullptr);
}

// `next` goes through the numbers in the order in which they stand in the text. As deep as the limit of the reading.
void correct_numbers(boost::json::value& value, std::vector<std::string_view>::const_iterator& next) {
  if (auto* object = value.if_object()) {
    for (auto& member : *object) correct_numbers(member.value(), next);
  } else if (auto* array = value.if_array()) {
    for (auto& element : *array) correct_numbers(element, next);
  } else if (value.is_number()) {
    auto const written = *next++;
    if (value.is_double() || written == "-0") value = exact(written);
  }
}

bool whole(Scanner& scanner) {
  if (!scanner.check_utf8()) return false;
  scanner.skip_space();
  return scanner.value() && scanner.end();
}

// One member of an object, the scanner standing at its key. False with a fault, or the member in `found`.
bool next_member(Scanner& scanner, Members& found) {
  if (!scanner.at('"')) return scanner.fail(scanner.position(), "a key in quotes expected");
  auto const key_at = scanner.position();
  std::string_view key;
  bool escaped = false;
  if (!scanner.string(key, escaped)) return false;
  if (escaped) return scanner.fail(key_at, "a key written with an escape");
  scanner.skip_space();
  if (!scanner.take(':')) return false;
  auto const start = scanner.position();
  if (!scanner.value()) return false;
  found.emplace_back(key, scanner.text().substr(start, scanner.position() - start));
  scanner.skip_space();
  return true;
}

bool all_members(Scanner& scanner, Members& found) {
  if (!scanner.check_utf8()) return false;
  scanner.skip_space();
  if (!scanner.at('{')) return scanner.fail(scanner.position(), "an object expected");
  if (!scanner.take('{')) return false;
  if (!scanner.at('}')) {
    for (;;) {
      if (!next_member(scanner, found)) return false;
      if (!scanner.at(',')) break;
      if (!scanner.take(',')) return false;
    }
  }
  return scanner.take('}') && scanner.end();
}

// The second of two members with one key, or null.
std::string_view const* repeated(Members const& found) {
  constexpr std::size_t few = 16;
  if (found.size() <= few) {
    for (std::size_t i = 1; i < found.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (found[i].first == found[j].first) return &found[i].first;
    return nullptr;
  }
  std::vector<std::string_view const*> keys;
  keys.reserve(found.size());
  for (auto const& [key, raw] : found) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), [](auto const* a, auto const* b) {
    auto const order = a->compare(*b);
    return order < 0 || (order == 0 && a->data() < b->data());
  });
  auto const same = std::adjacent_find(keys.begin(), keys.end(), [](auto const* a, auto const* b) { return *a == *b; });
  return same == keys.end() ? nullptr : *(same + 1);
}

}  // namespace

Result<boost::json::value> parse_strict(std::string_view text, JsonLimits limits) {
  Scanner scanner{text, {limits.max_depth, true, limits.exact_numbers}};
  if (!whole(scanner)) return malformed(scanner);
  boost::json::parse_options options;
  options.max_depth = limits.max_depth + 1;
  boost::system::error_code failed;
  auto value = boost::json::parse(text, failed, {}, options);
  if (failed) return Error{ErrorName::BadRequestError, "This is not the JSON it should be: " + failed.message() + "."};
  auto next = scanner.numbers().begin();
  correct_numbers(value, next);
  return value;
}

Result<void> check_json(std::string_view text, JsonLimits limits) {
  Scanner scanner{text, {limits.max_depth}};
  if (!whole(scanner)) return malformed(scanner);
  return {};
}

Result<Members> members(std::string_view object_text) {
  // The object itself is one level, which the scanner does not see.
  Scanner scanner{object_text, {max_payload_depth - 1, false}};
  Members found;
  if (!all_members(scanner, found)) return malformed(scanner);
  if (auto const* key = repeated(found)) {
    scanner.fail(static_cast<std::size_t>(key->data() - object_text.data()) - 1, "a key that stands there twice");
    return malformed(scanner);
  }
  return found;
}

std::string_view member(Members const& members, std::string_view key) noexcept {
  for (auto const& [name, raw] : members)
    if (name == key) return raw;
  return {};
}

Result<std::string> string_value(std::string_view raw) {
  Scanner scanner{raw, {1, false}};
  std::string_view inside;
  bool escaped = false;
  if (!scanner.at('"') || !scanner.check_utf8() || !scanner.string(inside, escaped) || !scanner.end())
    return Error{ErrorName::BadRequestError, "A text in quotes is expected here."};
  return escaped ? unescape(inside) : std::string{inside};
}

std::string quote(std::string_view text) {
  Scanner scanner{text, {}};
  if (scanner.check_utf8()) return boost::json::serialize(boost::json::string_view{text.data(), text.size()});
  std::string repaired;
  auto rest = text;
  while (!rest.empty()) {
    Scanner part{rest, {}};
    if (part.check_utf8()) {
      repaired += rest;
      break;
    }
    repaired.append(rest.substr(0, part.position()));
    repaired += "\xEF\xBF\xBD";
    rest.remove_prefix(part.position() + 1);
  }
  return boost::json::serialize(boost::json::string_view{repaired.data(), repaired.size()});
}

}  // namespace any::wire
