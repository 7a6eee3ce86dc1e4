#include "api/fields.hpp"

#include <charconv>
#include <cmath>

namespace any::api {
namespace json = boost::json;

Error bad_field(std::string_view name, std::string_view problem) {
  return Error{ErrorName::BadRequestError, "\"" + std::string(name) + "\" " + std::string(problem),
               json::object{{"path", name}}};
}

void Fields::put_text(std::string_view name, std::string_view text) {
  params_[name] = text;
  as_text_.insert(std::string(name));
}

bool Fields::has(std::string_view name) const {
  auto const* found = params_.if_contains(name);
  return found != nullptr && !found->is_null();
}

json::value const* Fields::find(std::string_view name) {
  read_.insert(std::string(name));
  auto const* found = params_.if_contains(name);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

void Fields::fail(Error error) {
  if (!fault_) fault_ = std::move(error);
}

std::string Fields::text(std::string_view name) {
  auto found = optional_text(name);
  if (!found) fail(bad_field(name, "is missing"));
  return found.value_or("");
}

std::optional<std::string> Fields::optional_text(std::string_view name) {
  auto const* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) {
    fail(bad_field(name, "must be a string"));
    return std::nullopt;
  }
  return std::string(found->get_string());
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  auto const* found = find(name);
  if (found == nullptr) return std::nullopt;
  std::optional<std::int64_t> number;
  if (as_text_.contains(name)) {
    std::string_view const text = found->get_string();
    std::int64_t read = 0;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (failure == std::errc() && end == text.data() + text.size()) number = read;
  } else if (found->is_number()) {
    boost::system::error_code inexact;
    auto const read = found->to_number<std::int64_t>(inexact);
    if (!inexact) number = read;
  }
  if (!number || *number < least || *number > most) {
    fail(bad_field(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
    return std::nullopt;
  }
  return number;
}

std::optional<Millis> Fields::seconds(std::string_view name, Millis most) {
  auto const* found = find(name);
  if (found == nullptr) return std::nullopt;
  std::optional<double> number;
  if (as_text_.contains(name)) {
    std::string_view const text = found->get_string();
    double read = 0;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (failure == std::errc() && end == text.data() + text.size()) number = read;
  } else if (found->is_number()) {
    number = found->to_number<double>();
  }
  if (!number || !std::isfinite(*number) || *number < 0) {
    fail(bad_field(name, "must be a number of seconds, 0 or more"));
    return std::nullopt;
  }
  auto const wanted = *number * 1000;
  return wanted >= static_cast<double>(most) ? most : static_cast<Millis>(std::ceil(wanted));
}

bool Fields::flag(std::string_view name) {
  auto const* found = find(name);
  if (found == nullptr) return false;
  if (found->is_bool()) return found->get_bool();
  if (as_text_.contains(name)) {
    std::string_view const text = found->get_string();
    if (text == "1") return true;
    if (text == "0") return false;
  }
  fail(bad_field(name, as_text_.contains(name) ? "must be 1 or 0" : "must be true or false"));
  return false;
}

json::value Fields::value(std::string_view name) {
  auto const* found = find(name);
  return found != nullptr ? *found : json::value();
}

json::object Fields::rest() {
  json::object out;
  for (auto& [key, given] : params_) {
    if (read_.contains(key)) continue;
    out.emplace(key, std::move(given));
  }
  for (auto const& [key, _] : out) read_.insert(std::string(key));
  return out;
}

Result<void> Fields::finish() const {
  if (fault_) return *fault_;
  for (auto const& [key, _] : params_) {
    if (!read_.contains(key)) return bad_field(key, "is not known here; see /openapi.json or docs/protocol.md");
  }
  return {};
}

}  // namespace any::api
