#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <boost/throw_exception.hpp>
#include <utility>

namespace any {
namespace {

struct Entry {
  std::string_view text;
  int status;
};

// In the order of ErrorName.
constexpr std::array entries{
    Entry{"ScriptError", 500},        Entry{"TimeoutError", 500},          Entry{"CancelledError", 500},
    Entry{"NoBrowserError", 503},     Entry{"PausedError", 503},           Entry{"TabNotFoundError", 500},
    Entry{"FrameNotFoundError", 500}, Entry{"ForbiddenPageError", 500},    Entry{"WorldUnavailableError", 500},
    Entry{"NavigatedError", 500},     Entry{"TabClosedError", 500},        Entry{"PageCrashedError", 500},
    Entry{"BrowserLostError", 500},   Entry{"NotSerializableError", 500},  Entry{"ResultTooLargeError", 500},
    Entry{"BadRequestError", 400},    Entry{"UnauthorizedError", 401},     Entry{"ForbiddenError", 403},
    Entry{"NotFoundError", 404},      Entry{"MethodNotAllowedError", 405}, Entry{"ConflictError", 409},
    Entry{"TooLargeError", 413},      Entry{"QueueFullError", 429},        Entry{"RequestTimeoutError", 408},
    Entry{"DiskFullError", 507},      Entry{"InternalError", 500},         Entry{"UnavailableError", 503},
    Entry{"ProtocolError", 500},
};
static_assert(entries.size() == static_cast<std::size_t>(ErrorName::ProtocolError) + 1);

Entry const& entry(ErrorName name) noexcept {
  auto const index = static_cast<std::size_t>(name);
  return entries[index < entries.size() ? index : static_cast<std::size_t>(ErrorName::InternalError)];
}

std::string_view text_member(boost::json::object const& json, std::string_view key) noexcept {
  auto const* value = json.if_contains(key);
  auto const* text = value ? value->if_string() : nullptr;
  return text ? std::string_view{text->data(), text->size()} : std::string_view{};
}

}  // namespace

std::string_view to_string(ErrorName name) noexcept {
  return entry(name).text;
}

std::optional<ErrorName> error_name(std::string_view text) noexcept {
  auto const* found = std::find_if(entries.begin(), entries.end(), [&](Entry const& e) { return e.text == text; });
  if (found == entries.end()) return std::nullopt;
  return static_cast<ErrorName>(found - entries.begin());
}

int http_status(ErrorName name) noexcept {
  return entry(name).status;
}

boost::json::object to_json(Error const& error) {
  boost::json::object json;
  json.reserve(error.extra.size() + 2);
  json.emplace("name", to_string(error.name));
  json.emplace("message", error.message);
  for (auto const& member : error.extra) json.insert(member);  // keeps the name and message that are there
  return json;
}

Error error_from_json(boost::json::object const& json) {
  auto const text = text_member(json, "name");
  Error error{error_name(text).value_or(ErrorName::InternalError), std::string{text_member(json, "message")}};
  if (!error_name(text)) {
    error.message = (text.empty() ? std::string{"an error without a name"} : std::string{text}) +
                    (error.message.empty() ? "" : ": ") + error.message;
  }
  for (auto const& member : json)
    if (member.key() != "name" && member.key() != "message") error.extra.insert(member);
  return error;
}

BadResult::BadResult(Error const& error)
    : std::logic_error{"a result was used that is an error: " + std::string{to_string(error.name)} + ": " +
                       error.message} {}

void throw_exception_from_error(Error const& error, boost::source_location const& where) {
  boost::throw_with_location(BadResult{error}, where);
}

}  // namespace any
