#pragma once
// The one error type of the project and the closed list of its names (docs/protocol.md, "Errors").

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace any {

enum class ErrorName : unsigned char {
  ScriptError,
  TimeoutError,
  CancelledError,
  NoBrowserError,
  PausedError,
  TabNotFoundError,
  FrameNotFoundError,
  ForbiddenPageError,
  WorldUnavailableError,
  NavigatedError,
  TabClosedError,
  PageCrashedError,
  BrowserLostError,
  NotSerializableError,
  ResultTooLargeError,
  BadRequestError,
  UnauthorizedError,
  ForbiddenError,
  NotFoundError,
  MethodNotAllowedError,
  ConflictError,
  TooLargeError,
  QueueFullError,
  RequestTimeoutError,
  DiskFullError,
  InternalError,
  UnavailableError,
  ProtocolError,
};

/// The name as it stands in JSON, e.g. "TabNotFoundError".
std::string_view to_string(ErrorName name) noexcept;
/// The name for that text; nothing for a text outside the list.
std::optional<ErrorName> error_name(std::string_view text) noexcept;
/// The HTTP status for an error met at a door (500 for names that belong to a task's end).
int http_status(ErrorName name) noexcept;

struct Error {
  ErrorName name = ErrorName::InternalError;
  std::string message;          ///< what happened and what to do next, one or two sentences
  boost::json::object extra{};  ///< further members of the JSON form: stack, file, line, column, path, tabs …
};

/// {"name", "message", …extra}
boost::json::object to_json(Error const& error);
/// Reads the JSON form; a name outside the list becomes InternalError with the original name in the message.
Error error_from_json(boost::json::object const& json);

template <class T>
using Result = boost::system::result<T, Error>;

/// What Result::value() throws where there is an error: a bug of the caller, who had to ask first.
class BadResult : public std::logic_error {
 public:
  explicit BadResult(Error const& error);
};
[[noreturn]] void throw_exception_from_error(Error const& error, boost::source_location const& where);

}  // namespace any
