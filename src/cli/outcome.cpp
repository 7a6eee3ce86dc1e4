#include "cli/outcome.hpp"

#include <boost/json/parse.hpp>
#include <iostream>

#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "wire/envelope.hpp"

namespace any::cli {

bool has_ended(std::string const& record_text) {
  // The record's own member: what a script returned may hold the same words.
  auto const members = wire::members(record_text);
  return members.has_error() || wire::member(members.value(), "ended") != "null";
}

int show_outcome(std::string const& record_text, bool whole) {
  auto const members = wire::members(record_text);
  if (members.has_error()) return fail(members.error());
  std::string_view state, result = "null", error;
  for (auto const& [key, raw] : members.value()) {
    if (key == "state") state = raw;
    if (key == "result") result = raw;
    if (key == "error") error = raw;
  }
  if (whole) std::cout << record_text << '\n';
  if (state == "\"completed\"") {
    if (!whole) std::cout << result << '\n';
    std::cout.flush();
    if (!std::cout) {
      say("the result could not be written to standard output");
      return exit_refused;
    }
    return exit_ok;
  }
  boost::system::error_code failure;
  auto const parsed = boost::json::parse(error, failure);
  if (failure || !parsed.is_object()) {
    say("the task has not ended yet");
    return exit_timeout;
  }
  return fail(error_from_json(parsed.get_object()));
}

}  // namespace any::cli
