#pragma once
// The end of a task, said as `any run` and `any result` say it.

#include <string>

namespace any::cli {

/// True where the record tells of an end, and where it cannot be read: then there is nothing to wait for.
bool has_ended(std::string const& record_text);
/// Prints the result (or, with `whole`, the record) on stdout as it came, the error on stderr; returns the exit code.
int show_outcome(std::string const& record_text, bool whole);

}  // namespace any::cli
