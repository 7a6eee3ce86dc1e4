// Raw slices: what read_envelope and members cut out must be JSON by simdjson's word too, must lie in the text, and
// must be what simdjson finds under that key; a message put together again must read as it did.

#include <simdjson.h>

#include <cstdlib>
#include <iostream>

#include "wire/envelope.hpp"

namespace {

[[noreturn]] void differ(std::string_view what, std::string_view text) {
  std::cerr << what << ": " << text << '\n';
  std::abort();
}

void check_slice(std::string_view text, std::string_view slice) {
  if (slice.empty()) return;
  if (slice.data() < text.data() || slice.data() + slice.size() > text.data() + text.size()) differ("outside", text);
  if (any::wire::check_json(slice).has_error()) differ("a slice that is no JSON", slice);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  namespace wire = any::wire;
  using Kind = wire::Envelope::Kind;
  std::string_view const text{reinterpret_cast<char const*>(data), size};

  auto const members = wire::members(text);
  if (members.has_value()) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    auto const refused = parser.parse(simdjson::padded_string{text}).get(object);
    // simdjson's DOM is stricter in two things: half surrogates and numbers out of range.
    if (refused && refused != simdjson::STRING_ERROR && refused != simdjson::NUMBER_ERROR)
      differ("simdjson refuses", text);
    if (!refused && object.size() != members->size()) differ("another number of members", text);
    for (auto const& [key, raw] : *members) {
      check_slice(text, raw);
      simdjson::dom::element found, alone;
      if (refused) continue;
      if (object.at_key(key).get(found)) differ("a key simdjson does not find", text);
      auto const expected = simdjson::minify(found);
      simdjson::dom::parser other;
      if (other.parse(simdjson::padded_string{raw}).get(alone)) differ("a slice simdjson refuses", text);
      if (expected != simdjson::minify(alone)) differ("another slice", text);
    }
  }

  auto const envelope = wire::read_envelope(text);
  if (envelope.has_error()) return 0;
  for (auto const slice : {envelope->id, envelope->params, envelope->result, envelope->error}) check_slice(text, slice);
  if (!envelope->error.empty()) (void)wire::read_error(envelope->error);
  std::string again;
  if (envelope->kind == Kind::request) again = wire::request(envelope->id, envelope->method, envelope->params);
  if (envelope->kind == Kind::notification) again = wire::notification(envelope->method, envelope->params);
  if (envelope->kind == Kind::response) again = wire::result(envelope->id, envelope->result);
  if (again.empty()) return 0;
  auto const second = wire::read_envelope(again);
  if (second.has_error() || second->kind != envelope->kind || second->id != envelope->id ||
      second->method != envelope->method || second->params != envelope->params || second->result != envelope->result) {
    differ("another message when put together again", text);
  }
  return 0;
}
