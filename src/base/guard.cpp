#include "base/guard.hpp"

#include "base/log.hpp"

namespace any {

std::string text_of(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (std::exception const& caught) {
    return caught.what();
  } catch (...) {
    return "not an exception of the library";
  }
}

void log_bug(std::string_view what, std::exception_ptr const& thrown) {
  log::error("A bug: " + std::string(what) + " failed: " + text_of(thrown));
}

Error internal_error(std::string_view what) {
  return {ErrorName::InternalError,
          "A bug of the daemon: " + std::string(what) + " failed. Please report it with the lines of `any logs`."};
}

}  // namespace any
