#include "api/ops/input.hpp"

#include <cmath>

namespace any::api {
namespace json = boost::json;

Result<Input> Input::read(json::object fields, Schema const& schema, Door door) {
  for (auto const& [name, _] : fields) {
    auto const* property = schema.find_property(name);
    if (property != nullptr && property->only && *property->only != door) {
      return bad_field(name, door == Door::rest ? "is for the RPC socket alone (/v1/rpc)" : "is for REST alone");
    }
  }
  if (auto const checked = schema.check(fields, ""); checked.has_error()) return checked.error();
  for (auto const& property : schema.properties()) {
    if (property.fallback.is_null()) continue;
    auto& place = fields[property.name];
    if (place.is_null()) place = property.fallback;
  }
  return Input(std::move(fields));
}

json::value const* Input::find(std::string_view name) const {
  auto const* found = fields_.if_contains(name);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

std::string Input::text(std::string_view name) const {
  return std::string(fields_.at(name).as_string());
}

std::optional<std::string> Input::optional_text(std::string_view name) const {
  auto const* found = find(name);
  return found != nullptr ? std::optional(std::string(found->as_string())) : std::nullopt;
}

std::optional<std::int64_t> Input::optional_integer(std::string_view name) const {
  auto const* found = find(name);
  return found != nullptr ? std::optional(found->to_number<std::int64_t>()) : std::nullopt;
}

std::int64_t Input::integer(std::string_view name) const {
  return fields_.at(name).to_number<std::int64_t>();
}

std::optional<Millis> Input::seconds(std::string_view name, Millis most) const {
  auto const* found = find(name);
  if (found == nullptr) return std::nullopt;
  auto const wanted = found->to_number<double>() * 1000;
  return wanted >= static_cast<double>(most) ? most : static_cast<Millis>(std::ceil(wanted));
}

bool Input::flag(std::string_view name) const {
  auto const* found = find(name);
  return found != nullptr && found->as_bool();
}

json::value Input::take(std::string_view name) {
  auto const found = fields_.find(name);
  if (found == fields_.end()) return {};
  auto value = std::move(found->value());
  fields_.erase(found);
  return value;
}

}  // namespace any::api
