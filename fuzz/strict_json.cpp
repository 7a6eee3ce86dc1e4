// The strict reader against simdjson's: whatever it takes simdjson takes too, and reads the same; whatever it refuses
// simdjson refuses too, but for what is only our own rule (repeated keys, depth).

#include <simdjson.h>

#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <iostream>

#include "wire/json.hpp"

namespace {

constexpr std::size_t max_depth = 64;

[[noreturn]] void differ(std::string_view what, std::string_view text) {
  std::cerr << what << ": " << text << '\n';
  std::abort();
}

bool same(boost::json::value const& ours, simdjson::dom::element theirs) {
  using Type = simdjson::dom::element_type;
  switch (theirs.type()) {
    case Type::OBJECT: {
      auto const* object = ours.if_object();
      if (object == nullptr || object->size() != simdjson::dom::object(theirs).size()) return false;
      for (auto const [key, value] : simdjson::dom::object(theirs)) {
        auto const* member = object->if_contains({key.data(), key.size()});
        if (member == nullptr || !same(*member, value)) return false;
      }
      return true;
    }
    case Type::ARRAY: {
      auto const* array = ours.if_array();
      if (array == nullptr || array->size() != simdjson::dom::array(theirs).size()) return false;
      std::size_t i = 0;
      for (auto const value : simdjson::dom::array(theirs))
        if (!same((*array)[i++], value)) return false;
      return true;
    }
    case Type::STRING: {
      auto const* text = ours.if_string();
      return text != nullptr && std::string_view{text->data(), text->size()} == std::string_view{theirs};
    }
    case Type::BOOL:
      return ours.is_bool() && ours.get_bool() == bool(theirs);
    case Type::NULL_VALUE:
      return ours.is_null();
    default:
      return ours.is_number() && ours.to_number<double>() == double(theirs);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  auto const ours = any::wire::parse_strict(text, {max_depth});
  simdjson::dom::parser parser;
  simdjson::dom::element theirs;
  auto const refused = parser.parse(simdjson::padded_string{text}).get(theirs);
  if (ours.has_value()) {
    // Whole numbers beyond 64 bits are doubles here, and nothing to simdjson.
    if (refused == simdjson::NUMBER_ERROR) return 0;
    if (refused) differ("simdjson refuses", text);
    if (!same(*ours, theirs)) differ("read in another way", text);
    auto const again = any::wire::parse_strict(boost::json::serialize(*ours), {max_depth});
    if (again.has_error()) differ("not read again", text);
    if (any::wire::check_json(text).has_error()) differ("check_json refuses", text);
  } else {
    auto const& why = ours.error().message;
    auto const our_rule = why.find("twice") != std::string::npos ||
                          why.find("inside each other") != std::string::npos ||
                          why.find("too small") != std::string::npos;  // 0e9999999
    if (!refused && !our_rule) differ("simdjson takes (" + why + ")", text);
  }
  return 0;
}
