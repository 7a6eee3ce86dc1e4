#pragma once
// The request of a task, made from the words of a command line.

#include <boost/json/object.hpp>

#include "base/error.hpp"
#include "cli/options.hpp"

namespace any::cli {

/// The body of `tasks.submit`, with an id of its own. Reads the script and the file of --args. BadRequestError, naming
/// the flag, where a value is none that it takes or a file cannot be read.
Result<boost::json::object> request_from(RunOptions const& options);

}  // namespace any::cli
