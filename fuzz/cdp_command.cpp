// A client's CDP message: whatever read_command takes simdjson takes too, and finds the same id, method, session and
// params under the same keys; what it refuses gets an answer that is JSON; no text makes it take a second `method`.

#include <simdjson.h>

#include <cstdlib>
#include <iostream>

#include "cdp/protocol/command.hpp"
#include "wire/json.hpp"

namespace {

[[noreturn]] void differ(std::string_view what, std::string_view text) {
  std::cerr << what << ": " << text << '\n';
  std::abort();
}

void check_message(std::string const& message) {
  simdjson::dom::parser parser;
  simdjson::dom::element read;
  if (parser.parse(simdjson::padded_string{message}).get(read)) differ("an answer that is no JSON", message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  namespace cdp = any::cdp;
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  auto const command = cdp::read_command(7, text);
  if (command.has_error()) {
    auto const& bad = command.error();
    check_message(cdp::failure_text({7, bad.session, bad.id}, bad.failure));
    return 0;
  }
  if (command->ticket.client != 7) differ("another client", text);
  simdjson::dom::parser parser, other;
  simdjson::dom::object object;
  auto const refused = parser.parse(simdjson::padded_string{text}).get(object);
  // simdjson's DOM is stricter in two things: half surrogates and numbers out of range.
  if (refused == simdjson::STRING_ERROR || refused == simdjson::NUMBER_ERROR) return 0;
  if (refused) differ("simdjson refuses", text);
  std::size_t methods = 0;
  for (auto const field : object) methods += field.key == "method" ? 1 : 0;
  if (methods != 1) differ("not one method", text);
  std::string_view method, session;
  if (object["method"].get(method) || method != command->method) differ("another method", text);
  if (object["sessionId"].get(session) == simdjson::SUCCESS ? session != command->ticket.session
                                                            : !command->ticket.session.empty()) {
    differ("another session", text);
  }
  simdjson::dom::element params, again;
  if (object["params"].get(params) == simdjson::SUCCESS) {
    if (other.parse(simdjson::padded_string{command->params}).get(again)) differ("params that simdjson refuses", text);
    if (simdjson::minify(params) != simdjson::minify(again)) differ("other params", text);
  } else if (command->params != "{}") {
    differ("params out of nothing", text);
  }
  check_message(cdp::result_text(command->ticket, command->params));
  check_message(cdp::failure_text(command->ticket, cdp::not_found(command->method)));
  return 0;
}
