#pragma once
// A browser and clients' sockets that are played by hand: each call is written down, and answered when the test says
// so; never before the call has returned. tests/contracts holds both to what they stand for.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cdp/gateway.hpp"
#include "wire/json.hpp"

namespace any::cdp::test {

struct FakeClock final : Clock {
  Instant at{1'000, 1'700'000'000'000};
  Instant now() const override { return at; }
  void pass(Millis millis) {
    at.mono += millis;
    at.wall += millis;
  }
};

/// One call of the gateway on its Transport, waiting for its answer.
struct Asked {
  enum class Kind : unsigned char { attach, send, chrome, sandbox };
  Kind kind;
  std::string what;    ///< attach: ""; send, sandbox: the method; chrome: the path
  std::string params;  ///< raw
  Debuggee debuggee{};
  std::string session{};
  Answered done{};
};

class FakeTransport final : public Transport {
 public:
  void attach(Debuggee const& debuggee, Answered done) override {
    put({.kind = Asked::Kind::attach, .what = {}, .params = {}, .debuggee = debuggee, .done = std::move(done)});
  }
  void detach(Debuggee const& debuggee) override { let_go.push_back(debuggee); }
  void send(Debuggee const& debuggee, std::string_view session, std::string_view method, std::string_view params,
            Answered done) override {
    put({.kind = Asked::Kind::send,
         .what = std::string(method),
         .params = std::string(params),
         .debuggee = debuggee,
         .session = std::string(session),
         .done = std::move(done)});
  }
  void follow(TabId tab, bool on, std::string_view commands, std::int64_t mark) override {
    on ? (void)followed.insert(tab) : (void)followed.erase(tab);
    if (on) popups_get[tab] = {std::string(commands), mark};
  }
  void name_downloads(bool regular, bool incognito) override {
    naming.push_back(std::string(regular ? "regular" : "") + (incognito ? " incognito" : ""));
  }
  void chrome(std::string_view path, std::string_view args, Answered done) override {
    put({.kind = Asked::Kind::chrome, .what = std::string(path), .params = std::string(args), .done = std::move(done)});
  }
  void subscribe(std::string_view path) override { subscribed.emplace(path); }
  void unsubscribe(std::string_view path) override { subscribed.erase(std::string(path)); }
  void sandbox(std::string_view method, std::string_view params, Answered done) override {
    put({.kind = Asked::Kind::sandbox,
         .what = std::string(method),
         .params = std::string(params),
         .done = std::move(done)});
  }

  /// The oldest call that waits for an answer and is called so ("" of an attach); a failure of the test where none is.
  Asked take(std::string_view what) {
    auto const at =
        std::find_if(waiting.begin(), waiting.end(), [&](Asked const& asked) { return asked.what == what; });
    if (at == waiting.end()) {
      std::string have;
      for (auto const& asked : waiting) have += asked.what + " ";
      ADD_FAILURE() << "nobody has called '" << what << "'; calls that wait: " << have;
      return {.kind = Asked::Kind::chrome, .what = {}, .params = {}, .done = [](Answer const&) {}};
    }
    auto asked = std::move(*at);
    waiting.erase(at);
    return asked;
  }
  bool waits(std::string_view what) const {
    return std::any_of(waiting.begin(), waiting.end(), [&](Asked const& asked) { return asked.what == what; });
  }
  /// Answers the oldest call of that name; gives what it was asked with.
  std::string answer(std::string_view what, std::string_view result = "null") {
    auto const asked = take(what);
    asked.done(result);
    return asked.params;
  }
  std::string refuse(std::string_view what, std::string message, int code = -32000) {
    auto const asked = take(what);
    asked.done(Failure{code, std::move(message)});
    return asked.params;
  }
  /// The link drops, as the real one does: the gateway hears of it, then what was under way fails. What the browser had
  /// subscribed and followed for it is over.
  template <class Gateway>
  void link_down(Gateway& gateway, std::string_view why = "cut") {
    linked = false;
    subscribed.clear();
    followed.clear();
    gateway.link_down(why);
    auto const under_way = std::exchange(waiting, {});
    for (auto const& asked : under_way) {
      asked.done(Failure{link_lost, "The link ended before it answered: it may or may not have been carried out."});
    }
  }
  template <class Gateway>
  void link_up(Gateway& gateway, Facts facts) {
    linked = true;
    gateway.link_up(std::move(facts));
  }
  /// From now on each such call is answered so by settle().
  void always(std::string what, std::string result) { usual[std::move(what)] = std::move(result); }
  /// Answers, in their order, all calls for which there is a usual answer, and those that follow from the answers.
  /// Those that came while the link was down fail.
  void settle() {
    while (!refused.empty()) {
      auto const asked = std::move(refused.front());
      refused.pop_front();
      asked.done(Failure{link_lost, "The browser is not linked now."});
    }
    for (;;) {
      auto const at = std::find_if(waiting.begin(), waiting.end(),
                                   [this](Asked const& asked) { return usual.contains(asked.what); });
      if (at == waiting.end()) return;
      auto const asked = std::move(*at);
      waiting.erase(at);
      auto const result = usual.at(asked.what);
      asked.done(std::string_view(result));
    }
  }

  std::list<Asked> waiting;
  std::list<Asked> refused;  ///< asked while the link was down
  bool linked = true;
  std::vector<std::string> all;  ///< each call in order: "tabs.query [{}]", "Page.enable {}", "attach 17"
  std::vector<Debuggee> let_go;
  std::set<std::string> subscribed;
  std::set<TabId> followed;
  std::vector<std::string> naming;  ///< of downloads: in which windows, as said one after the other
  std::map<TabId, std::pair<std::string, std::int64_t>> popups_get;  ///< what a tab opens is sent, and its mark
  std::map<std::string, std::string> usual;

 private:
  void put(Asked asked) {
    all.push_back(asked.kind == Asked::Kind::attach ? "attach " + std::to_string(asked.debuggee.tab)
                                                    : asked.what + " " + asked.params);
    (linked ? waiting : refused).push_back(std::move(asked));
  }
};

class FakeSockets final : public Sockets {
 public:
  void send(ClientId client, std::string text) override {
    if (!closed.contains(client)) sent[client].push_back(std::move(text));
  }
  void close(ClientId client, std::uint16_t code, std::string_view reason) override {
    closed.try_emplace(client, std::to_string(code) + " " + std::string(reason));
  }

  /// The oldest message that the client has not taken yet; "" where there is none.
  std::string next(ClientId client = 1) {
    auto& queue = sent[client];
    if (queue.empty()) return {};
    auto text = std::move(queue.front());
    queue.pop_front();
    return text;
  }
  /// All that the client has not taken yet.
  std::vector<std::string> rest(ClientId client = 1) {
    auto& queue = sent[client];
    std::vector<std::string> all(queue.begin(), queue.end());
    queue.clear();
    return all;
  }

  std::map<ClientId, std::deque<std::string>> sent;
  std::map<ClientId, std::string> closed;
};

}  // namespace any::cdp::test
