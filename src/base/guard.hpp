#pragma once
// Where an exception must not go any further: it is logged with the name of what failed.

#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace any {

/// What the exception says.
std::string text_of(std::exception_ptr const& thrown);
/// "A bug: WHAT failed: …", in the log.
void log_bug(std::string_view what, std::exception_ptr const& thrown);
/// For whoever asked for what has failed so.
Error internal_error(std::string_view what);

/// Runs it; false where it has thrown, which is in the log then.
template <class Work>
bool guarded(std::string_view what, Work&& work) {
  try {
    std::forward<Work>(work)();
    return true;
  } catch (...) {
    log_bug(what, std::current_exception());
    return false;
  }
}

/// Runs it at the end of its scope, however that is left.
class Finally {
 public:
  explicit Finally(std::function<void()> work) : work_{std::move(work)} {}
  Finally(Finally const&) = delete;
  Finally& operator=(Finally const&) = delete;
  ~Finally() { guarded("a tidying up", work_); }

 private:
  std::function<void()> work_;
};

}  // namespace any
