#include "simulated_browser.hpp"

#include "base/ids.hpp"
#include "wire/envelope.hpp"

namespace any::bench {
namespace {

std::string text_member(wire::Members const& members, std::string_view key) {
  auto const text = wire::string_value(wire::member(members, key));
  return text.has_value() ? text.value() : std::string();
}

/// The answers to one task.start: it is accepted, has begun, has ended.
void play(net::WebSocket& socket, std::string_view id, std::string_view params, std::atomic<std::uint64_t>& finished,
          std::uint64_t& next_id) {
  auto const members = wire::members(params);
  if (members.has_error()) return;
  std::string const run = "\"task\":" + std::string(wire::member(members.value(), "task")) +
                          ",\"attempt\":" + std::string(wire::member(members.value(), "attempt")) +
                          ",\"hop\":" + std::string(wire::member(members.value(), "hop"));
  // A tab of its own for each task, as if each had been opened for it.
  auto const tab = std::to_string(1000 + ++finished);
  std::string const where = R"({"id":)" + tab + R"(,"url":"http://127.0.0.1/","title":"simulated"})";
  socket.send(wire::result(id, R"({"accepted":true,"tab":)" + where + "}"));
  socket.send(wire::notification("task.started", "{" + run + R"(,"injection":"scripting","tab":)" + where + "}"));
  socket.send(wire::request(
      next_id++, "task.finish",
      "{" + run + R"(,"injection":"scripting","tab":)" + where + R"(,"started":true,"outcome":"value","value":1})"));
}

}  // namespace

Async<Result<void>> SimulatedBrowser::run(std::string origin) {
  std::vector<net::Header> headers{{"Origin", std::move(origin)}};
  auto connected = co_await net::connect_websocket(daemon + "/extension", std::move(headers), {});
  if (connected.has_error()) co_return connected.error();
  auto& socket = *connected.value();
  auto const browser = make_uuid();
  auto const nonce = random_base64(32);
  std::uint64_t next_id = 3;
  socket.send(wire::request(
      std::uint64_t{1}, "link.begin",
      R"({"protocol":1,"version":"0.1.0","browser":")" + browser + R"(","nonce":")" + nonce + R"(","has_key":false})"));
  for (;;) {
    auto const message = co_await socket.receive();
    if (message.has_error()) co_return message.error();
    auto const envelope = wire::read_envelope(message.value());
    if (envelope.has_error()) co_return envelope.error();
    using Kind = wire::Envelope::Kind;
    auto const& got = envelope.value();
    if (got.kind == Kind::error) co_return wire::read_error(got.error);
    if (got.kind == Kind::response && got.id == "1") {
      auto const members = wire::members(got.result);
      if (members.has_error()) co_return members.error();
      auto const proof = hmac_base64(text_member(members.value(), "key"),
                                     "browser|" + text_member(members.value(), "nonce") + "|" + nonce + "|" + browser);
      socket.send(wire::request(
          std::uint64_t{2}, "hello",
          R"({"proof":")" + proof + R"(","instance":")" + make_uuid() +
              R"(","label":"simulated","product":"Simulated/1","platform":"bench","user_agent":"","capabilities":{"user_scripts":true,"debugger":true,)"
              R"("incognito":false,"file_urls":false},"paused":false,"tabs":{"ordinary":1,"total":1},"holds":[],"proxy":null})"));
    } else if (got.kind == Kind::response && got.id == "2") {
      linked = true;
    } else if (got.kind == Kind::request && got.method == "task.start") {
      play(socket, got.id, got.params, finished, next_id);
    } else if (got.kind == Kind::request) {
      socket.send(wire::result(got.id, "{}"));
    }
  }
}

}  // namespace any::bench
