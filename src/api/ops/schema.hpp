#pragma once
// JSON schema as the table of operations writes it: what a value must look like, and the words for one that does not.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace any::api {

/// A BadRequestError with `path`.
Error bad_field(std::string_view path, std::string_view problem);

/// Checks all but `pattern` and `propertyNames`: these are told to the reader of /openapi.json, and whoever takes the
/// value checks what they say, in words of their own.
class Schema {
 public:
  struct Property;

  /// Anything.
  Schema() = default;
  /// Throws std::logic_error where it is no schema or has a keyword that is not known here.
  explicit Schema(boost::json::value source);
  /// Of the text of one, for the rows of the table.
  Schema(char const* text);  // NOLINT(google-explicit-constructor)

  /// BadRequestError with the `path` of what is wrong.
  Result<void> check(boost::json::value const& value, std::string const& path) const;
  /// What it takes, in words: "a whole number from 1 to 1000".
  std::string describe() const;
  /// A value that a query gives as text: the number that it stands for, where the schema takes one.
  boost::json::value read_text(std::string_view text) const;
  bool takes_list() const;

  /// Of an object's.
  std::vector<Property> const& properties() const;
  Property const* find_property(std::string_view name) const;
  bool requires_property(std::string_view name) const;
  boost::json::value const& source() const noexcept { return source_; }
  /// The name in openapi/schemas.json where it is one of those; else empty.
  std::string const& name() const noexcept { return name_; }

 private:
  enum Type : unsigned { null_type = 1, boolean = 2, integer = 4, number = 8, string = 16, array = 32, object = 64 };

  void read(boost::json::object const& source);
  void read_types(boost::json::value const& types);
  unsigned types_of(boost::json::value const& value) const;
  Result<void> check_any(boost::json::value const& value, std::string const& path) const;
  Result<void> check_object(boost::json::object const& members, std::string const& path) const;
  bool in_bounds(boost::json::value const& value) const;
  std::string describe_number(std::string_view kind) const;
  std::string describe_type(Type type) const;
  Error fault(std::string const& path) const;

  boost::json::value source_ = boost::json::object();
  std::string name_;
  Schema const* shared_ = nullptr;  ///< what `$ref` names
  unsigned types_ = 0;              ///< 0: any
  std::vector<Schema> any_of_, items_;
  boost::json::array choices_;
  std::optional<double> minimum_, maximum_;
  std::optional<std::size_t> min_length_, max_length_, max_properties_;
  std::vector<Property> properties_;
  std::vector<Schema> further_;  ///< of properties that have no name here; none: anything
  bool closed_ = false;          ///< there are no further ones
  std::vector<std::string> required_;
};

/// Which door takes a field, where not every one does.
enum class Door : unsigned char { rest, rpc };

struct Schema::Property {
  std::string name;
  Schema schema;
  std::optional<Door> only{};
  boost::json::value fallback{};  ///< its default; null: none
};

/// The shapes that several operations speak of: openapi/schemas.json.
boost::json::object const& shared_shapes();

}  // namespace any::api
