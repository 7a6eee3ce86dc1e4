#pragma once
// The parameters of one call, read strictly: from a JSON object, or from a path and a query.

#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace any::api {

Error bad_field(std::string_view name, std::string_view problem);

/// Each reader notes the first thing that is wrong and gives an empty value; finish() tells it, or the name of a field
/// that nobody asked for. null counts as absent.
class Fields {
 public:
  Fields() = default;
  explicit Fields(boost::json::object params) : params_{std::move(params)} {}

  /// A value from a path or query: a string that may stand for a number.
  void put_text(std::string_view name, std::string_view text);

  void put(std::string_view name, boost::json::value value) { params_[name] = std::move(value); }

  bool has(std::string_view name) const;
  /// Must be there.
  std::string text(std::string_view name);
  std::optional<std::string> optional_text(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  /// Seconds, at least 0, as milliseconds; larger ones count as `most`.
  std::optional<Millis> seconds(std::string_view name, Millis most);
  bool flag(std::string_view name);
  /// Any value; null where absent.
  boost::json::value value(std::string_view name);
  /// Everything that has not been read, without looking at it.
  boost::json::object rest();
  void fail(Error error);

  Result<void> finish() const;

 private:
  boost::json::value const* find(std::string_view name);

  boost::json::object params_;
  std::set<std::string, std::less<>> as_text_, read_;
  std::optional<Error> fault_;
};

}  // namespace any::api
