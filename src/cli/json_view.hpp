#pragma once
// Reading members of the daemon's answers without a check at each step.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace any::cli {

/// The member as text: a string as it is, null and absent as "", anything else as JSON.
std::string text_of(boost::json::object const& object, std::string_view member);
bool flag_of(boost::json::object const& object, std::string_view member);
/// The member as an object or an array; an empty one where it is something else.
boost::json::object const& object_of(boost::json::object const& object, std::string_view member);
boost::json::array const& array_of(boost::json::object const& object, std::string_view member);

}  // namespace any::cli
