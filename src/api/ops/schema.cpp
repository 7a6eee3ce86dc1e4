#include "api/ops/schema.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <stdexcept>

#include "base/embedded.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

constexpr std::string_view reference = "#/components/schemas/";
constexpr double integers_end = 9'223'372'036'854'775'808.0;  // the first that no int64 holds

std::string_view view(json::string const& text) {
  return {text.data(), text.size()};
}

std::size_t size_of(json::value const& value) {
  return value.to_number<std::size_t>();
}

std::size_t characters(std::string_view text) {
  auto const begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

/// "a, b or c"
std::string either(std::vector<std::string> const& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

std::string number_text(double number) {
  std::array<char, 32> text{};
  auto const written = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return {text.data(), written.ptr};
}

/// A shape may speak of itself: it stands in the map before it is read.
Schema const& shared_schema(std::string_view name) {
  static std::map<std::string, std::unique_ptr<Schema>, std::less<>> known;
  if (auto const found = known.find(name); found != known.end()) return *found->second;
  auto const* source = shared_shapes().if_contains(name);
  if (source == nullptr) throw std::logic_error("there is no schema " + std::string(name));
  auto& place = known.emplace(name, std::make_unique<Schema>()).first->second;
  *place = Schema(*source);
  return *place;
}

}  // namespace

Error bad_field(std::string_view path, std::string_view problem) {
  return Error{ErrorName::BadRequestError, "\"" + std::string(path) + "\" " + std::string(problem),
               json::object{{"path", path}}};
}

json::object const& shared_shapes() {
  static auto const shapes = [] {
    auto const* file = embedded_file("api", "schemas.json");
    return file != nullptr ? json::parse(file->bytes).as_object() : json::object();
  }();
  return shapes;
}

Schema::Schema(json::value source) : source_{std::move(source)} {
  read(source_.as_object());
}

Schema::Schema(char const* text) : Schema(json::parse(text)) {}

void Schema::read(json::object const& source) {
  for (auto const& [key, value] : source) {
    if (key == "$ref") {
      auto const where = view(value.as_string());
      if (!where.starts_with(reference)) throw std::logic_error("a schema refers to " + std::string(where));
      name_ = where.substr(reference.size());
      shared_ = &shared_schema(name_);
    } else if (key == "type") {
      read_types(value);
    } else if (key == "anyOf") {
      for (auto const& branch : value.as_array()) any_of_.emplace_back(branch);
    } else if (key == "items") {
      items_.emplace_back(value);
    } else if (key == "enum") {
      choices_ = value.as_array();
    } else if (key == "const") {
      choices_ = json::array{value};
    } else if (key == "minimum") {
      minimum_ = value.to_number<double>();
    } else if (key == "maximum") {
      maximum_ = value.to_number<double>();
    } else if (key == "minLength") {
      min_length_ = size_of(value);
    } else if (key == "maxLength") {
      max_length_ = size_of(value);
    } else if (key == "maxProperties") {
      max_properties_ = size_of(value);
    } else if (key == "required") {
      for (auto const& name : value.as_array()) required_.emplace_back(view(name.as_string()));
    } else if (key == "additionalProperties") {
      if (value.is_bool())
        closed_ = !value.get_bool();
      else
        further_.emplace_back(value);
    } else if (key == "properties") {
      for (auto const& [name, of_it] : value.as_object()) {
        Property property{std::string(name), Schema(of_it)};
        auto const& members = of_it.as_object();
        if (auto const* fallback = members.if_contains("default")) property.fallback = *fallback;
        if (auto const* door = members.if_contains("x-door"))
          property.only = door->as_string() == "rest" ? Door::rest : Door::rpc;
        properties_.push_back(std::move(property));
      }
    } else if (key != "description" && key != "examples" && key != "default" && key != "x-door" && key != "pattern" &&
               key != "propertyNames") {
      throw std::logic_error("a schema has the keyword " + std::string(key) + ", which nobody checks");
    }
  }
}

void Schema::read_types(json::value const& types) {
  static std::map<std::string_view, Type> const names{{"null", null_type}, {"boolean", boolean}, {"integer", integer},
                                                      {"number", number},  {"string", string},   {"array", array},
                                                      {"object", object}};
  auto const add = [&](json::value const& name) { types_ |= names.at(view(name.as_string())); };
  if (auto const* list = types.if_array())
    for (auto const& name : *list) add(name);
  else
    add(types);
}

unsigned Schema::types_of(json::value const& value) const {
  switch (value.kind()) {
    case json::kind::null:
      return null_type;
    case json::kind::bool_:
      return boolean;
    case json::kind::int64:
      return integer | number;
    case json::kind::uint64:
      return number;  // an int64 does not hold it
    case json::kind::double_: {
      auto const given = value.get_double();
      auto const whole = given == std::floor(given) && std::abs(given) < integers_end;
      return whole ? integer | number : number;
    }
    case json::kind::string:
      return string;
    case json::kind::array:
      return array;
    case json::kind::object:
      return object;
  }
  return 0;
}

std::vector<Schema::Property> const& Schema::properties() const {
  return shared_ != nullptr ? shared_->properties() : properties_;
}

Schema::Property const* Schema::find_property(std::string_view name) const {
  auto const& all = properties();
  auto const found = std::ranges::find(all, name, &Property::name);
  return found == all.end() ? nullptr : &*found;
}

bool Schema::requires_property(std::string_view name) const {
  if (shared_ != nullptr) return shared_->requires_property(name);
  return std::ranges::find(required_, name) != required_.end();
}

bool Schema::takes_list() const {
  return shared_ != nullptr ? shared_->takes_list() : (types_ & array) != 0;
}

json::value Schema::read_text(std::string_view text) const {
  if (shared_ != nullptr) return shared_->read_text(text);
  auto const wanted = [&](json::value const& choice) { return choice.is_number(); };
  auto const whole = (types_ & integer) != 0 || std::ranges::any_of(choices_, wanted);
  auto const* const end = text.data() + text.size();
  if (std::int64_t read = 0; whole) {
    auto const [at, failure] = std::from_chars(text.data(), end, read);
    if (failure == std::errc() && at == end) return read;
  }
  if (double read = 0; (types_ & number) != 0) {
    auto const [at, failure] = std::from_chars(text.data(), end, read);
    if (failure == std::errc() && at == end && std::isfinite(read)) return read;
  }
  return json::string(text);
}

Error Schema::fault(std::string const& path) const {
  return bad_field(path, "must be " + describe());
}

bool Schema::in_bounds(json::value const& value) const {
  if (!minimum_ && !maximum_) return true;
  auto const given = value.to_number<double>();
  return given >= minimum_.value_or(given) && given <= maximum_.value_or(given);
}

Result<void> Schema::check(json::value const& value, std::string const& path) const {
  if (shared_ != nullptr) return shared_->check(value, path);
  if (!any_of_.empty()) return check_any(value, path);
  if (!choices_.empty()) {
    if (std::ranges::find(choices_, value) == choices_.end()) return fault(path);
    return {};
  }
  if (types_ != 0 && (types_ & types_of(value)) == 0) return fault(path);
  if (value.is_number() && !in_bounds(value)) return fault(path);
  if (auto const* text = value.if_string()) {
    auto const bounded = min_length_ || max_length_;
    auto const length = bounded ? characters(view(*text)) : 0;
    if (length < min_length_.value_or(0)) return bad_field(path, "must not be empty");
    if (bounded && length > max_length_.value_or(length))
      return bad_field(path, "must not be longer than " + std::to_string(*max_length_) + " characters");
  }
  if (auto const* list = value.if_array(); list != nullptr && !items_.empty()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      auto checked = items_.front().check(list->at(i), path + "[" + std::to_string(i) + "]");
      if (checked.has_error()) return checked;
    }
  }
  if (auto const* members = value.if_object()) return check_object(*members, path);
  return {};
}

Result<void> Schema::check_any(json::value const& value, std::string const& path) const {
  Schema const* meant = nullptr;  // the one kind of object that this could be
  for (auto const& branch : any_of_) {
    auto const checked = branch.check(value, path);
    if (checked.has_value()) return {};
    auto const* members = value.if_object();
    auto const& of_branch = branch.shared_ != nullptr ? *branch.shared_ : branch;
    auto const there = [&](std::string const& name) { return members->contains(name); };
    if (members != nullptr && (of_branch.types_ & object) != 0 && std::ranges::all_of(of_branch.required_, there))
      meant = meant == nullptr ? &of_branch : this;
  }
  if (meant != nullptr && meant != this) return meant->check(value, path);
  return fault(path);
}

Result<void> Schema::check_object(json::object const& members, std::string const& path) const {
  auto const inside = [&](std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  };
  for (auto const& [name, value] : members) {
    auto const* property = find_property(name);
    if (property == nullptr && closed_) {
      std::string fields;
      for (auto const& known : properties_) fields += (fields.empty() ? "" : ", ") + known.name;
      return bad_field(inside(name), "is not known here; " + (fields.empty() ? std::string("there are no fields")
                                                                             : "the fields are " + fields));
    }
    auto const* schema = property != nullptr ? &property->schema : further_.empty() ? nullptr : &further_.front();
    if (schema == nullptr) continue;
    if (auto checked = schema->check(value, inside(name)); checked.has_error()) return checked;
  }
  for (auto const& name : required_)
    if (!members.contains(name)) return bad_field(inside(name), "is missing");
  if (members.size() > max_properties_.value_or(members.size()))
    return bad_field(path, "must have at most " + std::to_string(*max_properties_) + " members");
  return {};
}

std::string Schema::describe_number(std::string_view kind) const {
  std::string out(kind);
  if (minimum_ && maximum_)
    out += " from " + number_text(*minimum_) + " to " + number_text(*maximum_);
  else if (minimum_)
    out += ", " + number_text(*minimum_) + " or more";
  else if (maximum_)
    out += ", " + number_text(*maximum_) + " at most";
  return out;
}

std::string Schema::describe_type(Type type) const {
  switch (type) {
    case null_type:
      return "null";
    case boolean:
      return "true or false";
    case integer:
      return describe_number("a whole number");
    case number:
      return describe_number("a number");
    case string:
      return "a string";
    case array:
      return "a list";
    case object:
      break;
  }
  if (required_.empty()) return "an object";
  std::string names;
  for (auto const& name : required_) names += (names.empty() ? "\"" : ", \"") + name + "\": …";
  return "{" + names + "}";
}

std::string Schema::describe() const {
  if (shared_ != nullptr) return shared_->describe();
  std::vector<std::string> words;
  words.reserve(any_of_.size() + choices_.size());
  for (auto const& branch : any_of_) words.push_back(branch.describe());
  for (auto const& choice : choices_) words.push_back(json::serialize(choice));
  for (auto const type : {boolean, integer, number, string, array, object, null_type})
    if ((types_ & type) != 0) words.push_back(describe_type(type));
  return words.empty() ? "anything" : either(words);
}

}  // namespace any::api
