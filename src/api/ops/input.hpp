#pragma once
// The input of one call: checked once, by the schema of its operation, whichever door it came through.

#include <optional>
#include <string>
#include <string_view>

#include "api/ops/schema.hpp"
#include "base/clock.hpp"

namespace any::api {

class Input {
 public:
  Input() = default;
  /// BadRequestError that names the field. Where a field has a default and is absent or null, it is given it.
  static Result<Input> read(boost::json::object fields, Schema const& schema, Door door);

  // Null counts as absent. What a field can be, its schema says: another kind of value is not asked for.
  std::string text(std::string_view name) const;  ///< of a field that must be there
  std::optional<std::string> optional_text(std::string_view name) const;
  std::optional<std::int64_t> optional_integer(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  ///< of a field that must be there or has a default
  /// Seconds as milliseconds; larger ones count as `most`.
  std::optional<Millis> seconds(std::string_view name, Millis most) const;
  bool flag(std::string_view name) const;  ///< absent: false
  /// Any value, which is taken out; null where absent.
  boost::json::value take(std::string_view name);
  /// Everything that has not been taken out.
  boost::json::value take_all() { return std::move(fields_); }

 private:
  explicit Input(boost::json::object fields) : fields_{std::move(fields)} {}
  boost::json::value const* find(std::string_view name) const;

  boost::json::object fields_;
};

}  // namespace any::api
