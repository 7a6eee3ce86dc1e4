#pragma once
// The members of a message from the extension. Texts that come from pages may hold halves of surrogate pairs, which
// strict JSON refuses: here they become U+FFFD, so that no page can break the link.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.hpp"

namespace any::browser {

/// A member that is missing or has another type counts as not said.
class Fields {
 public:
  Fields() = default;
  /// Views into `object`, which must live as long. BadRequestError where it is no object.
  static Result<Fields> read(std::string_view object);

  bool has(std::string_view name) const { return !raw(name).empty(); }
  std::string_view raw(std::string_view name) const { return wire::member(members_, name); }
  std::string text(std::string_view name) const;
  bool flag(std::string_view name) const { return raw(name) == "true"; }
  std::optional<std::int64_t> number(std::string_view name) const;
  std::optional<Fields> object(std::string_view name) const;
  std::vector<Fields> objects(std::string_view name) const;
  wire::Members const& all() const { return members_; }

 private:
  wire::Members members_;
};

}  // namespace any::browser
