#include "cli/json_view.hpp"

#include <boost/json/serialize.hpp>

namespace any::cli {

std::string text_of(boost::json::object const& object, std::string_view member) {
  auto const* value = object.if_contains(member);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->as_string()) : boost::json::serialize(*value);
}

bool flag_of(boost::json::object const& object, std::string_view member) {
  auto const* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

boost::json::object const& object_of(boost::json::object const& object, std::string_view member) {
  static boost::json::object const none;
  auto const* value = object.if_contains(member);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

boost::json::array const& array_of(boost::json::object const& object, std::string_view member) {
  static boost::json::array const none;
  auto const* value = object.if_contains(member);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

}  // namespace any::cli
