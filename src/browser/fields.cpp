#include "browser/fields.hpp"

#include <charconv>
#include <cmath>

#include "wire/scanner.hpp"

namespace any::browser {

Result<Fields> Fields::read(std::string_view object) {
  auto members = wire::members(object.empty() ? "{}" : object);
  if (!members) return members.error();
  Fields fields;
  fields.members_ = std::move(*members);
  return fields;
}

std::string Fields::text(std::string_view name) const {
  auto text = wire::string_value(raw(name));
  return text ? std::move(*text) : std::string();
}

std::optional<std::int64_t> Fields::number(std::string_view name) const {
  auto const value = raw(name);
  double number = 0;
  auto const [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || failed != std::errc() || end != value.data() + value.size()) return std::nullopt;
  if (!(std::abs(number) < 9e15)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<Fields> Fields::object(std::string_view name) const {
  auto const value = raw(name);
  if (!value.starts_with('{')) return std::nullopt;
  auto fields = read(value);
  if (!fields) return std::nullopt;
  return std::move(*fields);
}

std::vector<Fields> Fields::objects(std::string_view name) const {
  std::vector<Fields> found;
  auto const array = raw(name);
  wire::Scanner scanner(array, {});
  if (!scanner.at('[') || !scanner.take('[')) return found;
  while (!scanner.at(']')) {
    auto const start = scanner.position();
    if (!scanner.value()) break;
    if (auto fields = read(array.substr(start, scanner.position() - start))) found.push_back(std::move(*fields));
    scanner.skip_space();
    if (!scanner.at(',') || !scanner.take(',')) break;
  }
  return found;
}

}  // namespace any::browser
