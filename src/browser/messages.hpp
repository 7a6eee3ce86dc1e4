#pragma once
// The link's messages about tasks, as text and as values. No I/O.

#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "browser/browsers.hpp"
#include "browser/fields.hpp"
#include "task/core.hpp"

namespace any::browser {

/// The params of task.start, the script last.
std::string start_params(task::SendStart const& start);
std::string cancel_params(task::SendCancel const& cancel);
std::string run_params(task::RunKey const& run);
/// The task as an extension of the first prototype takes it: {"id", "script", "timeout"} (seconds).
std::string prototype_task(task::SendStart const& start);

// Readers of what the extension says. BadRequestError where a message means nothing without a member.
Result<task::RunKey> read_run(Fields const& params);
std::optional<task::TabInfo> read_tab(Fields const& params);  ///< its "tab"
Capabilities read_capabilities(Fields const& params);         ///< its "capabilities"
int read_ordinary_tabs(Fields const& params);                 ///< "ordinary" of its "tabs"; -1: not told
std::vector<task::Hold> read_holds(Fields const& params);     ///< its "holds"
task::ConsoleLine read_console(Fields const& params, Millis wall);
log::Level read_level(std::string_view level);
/// Wall time, told as "2026-01-31T09:00:00.000Z" or in milliseconds since 1970.
std::optional<Millis> read_time(Fields const& object, std::string_view name);
/// An answer to task.start.
struct StartAnswer {
  std::optional<std::int64_t> busy{};
  task::TabInfo tab{};
};
Result<StartAnswer> read_start_answer(std::string_view result);

/// What task.finish says.
struct Finish {
  task::RunKey run;
  task::Outcome outcome;
};
/// `params`: the raw text of the object; the result's value is cut out of it as it stands. An outcome that cannot be
/// read becomes an InternalError of the task, so that it ends all the same. Error: BadRequestError where the run is not
/// named.
Result<Finish> read_finish(std::string_view params);

}  // namespace any::browser
