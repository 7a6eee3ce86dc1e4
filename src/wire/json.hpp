#pragma once
// JSON from outside: read strictly, or cut into raw slices that are passed on as they were written.

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace any::wire {

struct JsonLimits {
  std::size_t max_depth = 64;  ///< arrays and objects inside each other
  bool exact_numbers = false;  ///< also refuse numbers that would be others as doubles; see carried_by_double()
};

/// Depth of payloads that are passed on unread.
inline constexpr std::size_t max_payload_depth = 1024;

/// One JSON text and nothing behind it. BadRequestError, saying what and at which line and column, for: bad syntax,
/// a key that stands twice in one object (however it is escaped), depth over the limit, bytes that are not UTF-8,
/// half a surrogate pair, a number no double can hold.
Result<boost::json::value> parse_strict(std::string_view text, JsonLimits limits = {});

/// Checks syntax, UTF-8 and depth, and builds nothing. Errors: BadRequestError.
Result<void> check_json(std::string_view text, JsonLimits limits = {max_payload_depth});

using Members = std::vector<std::pair<std::string_view, std::string_view>>;
/// The members of an object, in order: key and raw text of the value, both views into `object_text`, which is checked
/// whole. A key that stands twice or is written with an escape is refused. Errors: BadRequestError.
Result<Members> members(std::string_view object_text);
/// The raw value of `key`, or an empty view.
std::string_view member(Members const& members, std::string_view key) noexcept;

/// The text of a raw JSON string. Errors: BadRequestError where `raw` is something else.
Result<std::string> string_value(std::string_view raw);
/// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string quote(std::string_view text);

}  // namespace any::wire
