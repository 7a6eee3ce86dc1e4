// The request parser, fed whole and in two pieces: a request that is whole must be the same either way.

#include <cstdlib>
#include <iostream>

#include "net/head.hpp"
#include "net/http_parser.hpp"

namespace {

constexpr std::uint64_t max_body = 1'000;

struct Outcome {
  bool refused = false, done = false;
  std::string target, body;
  std::size_t headers = 0;
  friend bool operator==(Outcome const&, Outcome const&) = default;
};

Outcome feed(std::string_view text, std::size_t first) {
  auto const parser = any::net::request_parser(16 << 10);
  Outcome outcome;
  std::string held;
  for (auto const part : {text.substr(0, first), text.substr(first)}) {
    held += part;
    while (!held.empty() && !parser->done()) {
      auto const had_head = parser->head_done();
      auto const used = parser->put(held);
      if (used.has_error()) {
        outcome.refused = true;
        return outcome;
      }
      held.erase(0, *used);
      // As a session does: a body over the limit is refused by its length, or while it comes.
      if (!had_head && parser->head_done()) {
        if (parser->content_length().value_or(0) > max_body) {
          outcome.refused = true;
          return outcome;
        }
        parser->limit_body(max_body);
      }
      if (*used == 0 && parser->head_done() == had_head) break;
      if (!parser->head_done()) break;
    }
  }
  outcome.done = parser->done();
  if (parser->head_done()) {
    any::net::Head head;
    head.method = parser->method();
    head.target = outcome.target = parser->target();
    outcome.headers = parser->headers().size();
    (void)any::net::read_target(head);
  }
  if (outcome.done) outcome.body = parser->take_body();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view const text{reinterpret_cast<char const*>(data) + 1, size - 1};
  auto const whole = feed(text, text.size());
  auto const halves = feed(text, data[0] % text.size());
  // What is malformed may be seen sooner in one piece than in two: the parser waits for the head's end.
  if ((whole.done || halves.done) && !(whole == halves)) {
    std::cerr << "another end in two pieces: " << text << '\n';
    std::abort();
  }
  return 0;
}
