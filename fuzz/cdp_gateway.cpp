// The whole gateway: each line of the input is one thing that comes to it, from a client or from the browser. It must
// say nothing that is not JSON, answer no command twice, and hold nothing once all have gone.
//   c…  a message of client 1, d… of client 2 (a socket of the page's own); e… an event of the tab: METHOD PARAMS;
//   t…  an event of chrome.*: PATH ARGS; a… answers the oldest call with this text, f… fails it; u/w link up, down; p
//   time

#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>

#include "cdp/gateway.hpp"
#include "wire/json.hpp"

namespace {

using namespace any::cdp;

[[noreturn]] void differ(std::string_view what, std::string_view text) {
  std::cerr << what << ": " << text << '\n';
  std::abort();
}

struct TestClock final : any::Clock {
  any::Instant at{1'000, 1'700'000'000'000};
  any::Instant now() const override { return at; }
};

class World final : public Transport, public Files, public Sockets {
 public:
  struct Call {
    std::string what;
    Answered done;
  };

  void attach(Debuggee const&, Answered done) override { calls.push_back({"attach", std::move(done)}); }
  void detach(Debuggee const&) override {}
  void send(Debuggee const&, std::string_view, std::string_view method, std::string_view params,
            Answered done) override {
    if (any::wire::check_json(params).has_error()) differ("the browser is sent what is no JSON", params);
    calls.push_back({std::string(method), std::move(done)});
  }
  void follow(TabId, bool, std::string_view foretold, std::int64_t) override {
    if (any::wire::check_json(foretold).has_error()) differ("a popup is foretold what is no JSON", foretold);
  }
  void name_downloads(bool, bool) override {}
  void chrome(std::string_view path, std::string_view args, Answered done) override {
    if (any::wire::check_json(args).has_error()) differ("chrome.* is called with what is no JSON", args);
    calls.push_back({std::string(path), std::move(done)});
  }
  void subscribe(std::string_view) override {}
  void unsubscribe(std::string_view) override {}
  void move(std::string, std::string, Answered done) override { calls.push_back({"move", std::move(done)}); }
  void copy(std::string, std::string, Answered done) override { calls.push_back({"copy", std::move(done)}); }
  void read_text(std::string, std::string, Answered done) override { calls.push_back({"read", std::move(done)}); }
  void sandbox(std::string_view, std::string_view, Answered done) override {
    calls.push_back({"sandbox", std::move(done)});
  }
  void send(ClientId client, std::string text) override {
    simdjson::dom::parser parser;
    simdjson::dom::element read;
    if (auto const bad = parser.parse(simdjson::padded_string{text}).get(read);
        bad && bad != simdjson::STRING_ERROR && bad != simdjson::NUMBER_ERROR && bad != simdjson::DEPTH_ERROR) {
      differ("a client is sent what is no JSON", text);
    }
    if (text.starts_with(R"({"id":)")) ++answers[client];
    if (answers[client] > commands[client]) differ("more answers than commands", text);
  }
  void close(ClientId, std::uint16_t, std::string_view) override {}

  void answer(std::string_view text, bool fails) {
    if (calls.empty()) return;
    auto const call = std::move(calls.front());
    calls.pop_front();
    if (fails) return call.done(Failure{-32000, std::string(text)});
    if (text.empty()) text = usual(call.what);
    if (any::wire::check_json(text)) call.done(text);
  }

  std::deque<Call> calls;
  std::map<ClientId, std::size_t> commands, answers;

 private:
  static std::string_view usual(std::string_view what) {
    if (what == "tabs.query") {
      return R"([{"id":1,"windowId":1,"url":"http://a/","title":"","status":"complete"},{"id":2,"windowId":1,"url":"http://b/"}])";
    }
    if (what == "debugger.getTargets") {
      return R"([{"id":"T1","tabId":1,"type":"page","url":"http://a/"},{"id":"T2","tabId":2,"type":"page","url":"http://b/"}])";
    }
    return "{}";
  }
};

std::pair<std::string_view, std::string_view> cut(std::string_view line) {
  auto const space = std::min(line.find(' '), line.size());
  return {line.substr(0, space), line.substr(std::min(line.size(), space + 1))};
}

bool is_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view input{reinterpret_cast<char const*>(data), size};
  TestClock clock;
  World world;
  Gateway gateway(world, world, world, clock, {.max_waiting = 4'096});
  gateway.link_up({.browser_id = "B", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
  gateway.open(1, {});
  gateway.open(2, {.target = "T1"});
  while (world.calls.size() > 0) world.answer("", false);
  while (!input.empty()) {
    auto const line = input.substr(0, std::min(input.find('\n'), input.size()));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    if (line.empty()) continue;
    auto const rest = line.substr(1);
    auto const [name, raw] = cut(rest);
    switch (line.front()) {
      case 'c':
      case 'd': {
        ClientId const client = line.front() == 'c' ? 1 : 2;
        ++world.commands[client];
        gateway.receive(client, std::string(rest));
        break;
      }
      case 'e':  // the link takes nothing that is no JSON, and a method's name is Chrome's
        if (is_name(name) && any::wire::check_json(raw)) gateway.debugger_event({.tab = 1}, "", name, raw);
        break;
      case 't':
        if (any::wire::check_json(raw)) gateway.chrome_event(name, raw);
        break;
      case 'a':
        world.answer(rest, false);
        break;
      case 'f':
        world.answer(rest, true);
        break;
      case 'u':
        gateway.link_up({.browser_id = "B", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
        break;
      case 'w':
        gateway.link_down("fuzz");
        break;
      case 'p':
        clock.at.mono += 5'000;
        gateway.tick();
        break;
      default:
        break;
    }
  }
  gateway.gone(1);
  gateway.gone(2);
  while (!world.calls.empty()) world.answer("{}", false);
  if (gateway.counts().clients != 0 || gateway.counts().sessions != 0) differ("a client is left", "");
  return 0;
}
