#pragma once
// Reads members of small JSON objects that Chrome or a client sent; what is missing or of another type is the default.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "wire/json.hpp"

namespace any::cdp {

namespace json = boost::json;

/// The object of a raw text; empty where it is none.
inline json::object object_of(std::string_view raw) {
  auto value = wire::parse_strict(raw, {256});
  return value && value->is_object() ? std::move(value->as_object()) : json::object();
}

inline json::object const& object_in(json::object const& in, std::string_view key) {
  static json::object const none;
  auto const* value = in.if_contains(key);
  return value && value->is_object() ? value->get_object() : none;
}

inline std::string text_in(json::object const& in, std::string_view key) {
  auto const* value = in.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

inline std::optional<std::int64_t> number_in(json::object const& in, std::string_view key) {
  auto const* value = in.if_contains(key);
  if (!value || !value->is_number()) return std::nullopt;
  boost::system::error_code failed;
  auto const number = value->to_number<std::int64_t>(failed);
  return failed ? std::nullopt : std::optional(number);
}

inline bool flag_in(json::object const& in, std::string_view key, bool otherwise = false) {
  auto const* value = in.if_contains(key);
  return value && value->is_bool() ? value->get_bool() : otherwise;
}

/// A member of a raw object as raw text, or an empty view.
inline std::string_view raw_in(std::string_view object, std::string_view key) {
  auto const read = wire::members(object);
  return read ? wire::member(*read, key) : std::string_view();
}

/// A string member of a raw object.
inline std::string string_in(std::string_view object, std::string_view key) {
  auto const raw = raw_in(object, key);
  if (raw.empty()) return {};
  auto text = wire::string_value(raw);
  return text ? std::move(*text) : std::string();
}

}  // namespace any::cdp
