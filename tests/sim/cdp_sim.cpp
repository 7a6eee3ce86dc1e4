// The gateway between clients and a browser that do anything in any order.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "sim/cdp_client.hpp"

namespace any::cdp::sim {
namespace {

class World final : public Sockets {
 public:
  World(std::uint64_t seed, bool trace) : random_(seed), trace_(trace) {
    browser_.gateway = &gateway_;
    for (int i = 0; i < 3; ++i) browser_.open_tab("http://first/");
  }

  /// Chaos first, then quiet until all is answered. Throws Broken.
  void run() {
    auto const steps = 60 + random_.pick(240);
    for (std::size_t step = 0; step < steps; ++step) act();
    settle();
    check_domains();
    check_nothing_is_held();
    check_all_answered();
    while (!clients_.empty()) leave(clients_.begin()->first);
    drain();
    if (!gateway_.idle()) broken("without clients the gateway is not idle");
    for (auto const& [id, page] : browser_.pages) {
      if (page.attached) broken("tab " + std::to_string(id) + " is left attached");
    }
  }
  std::size_t answers() const { return answers_; }

  void send(ClientId client, std::string text) override {
    if (client == leaving_) return;
    auto const found = clients_.find(client);
    if (found == clients_.end())
      throw Broken("something is sent to client " + std::to_string(client) + ", which has gone: " + text);
    auto const before = found->second->answers();
    found->second->hear(text, all_sessions_);
    answers_ += found->second->answers() - before;
  }
  void close(ClientId client, std::uint16_t code, std::string_view reason) override {
    if (trace_) std::printf("  closed: client %d, %d %s\n", int(client), code, std::string(reason).c_str());
    if (clients_.erase(client) == 0) throw Broken("a client is closed that has gone");
  }

 private:
  [[noreturn]] static void broken(std::string const& what) { throw Broken(what); }

  void act() {
    switch (random_.pick(10)) {
      case 0:
      case 1:
      case 2:
        return (void)browser_.deliver();
      case 3:
        return happen();
      case 4:
        return pass_time(random_.chance(90) ? 50 : 15'000);
      case 5:
        return random_.chance(20) ? come_or_go() : (void)browser_.deliver();
      default:
        return speak();
    }
  }

  void speak() {
    if (clients_.empty()) return join();
    auto at = clients_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.pick(clients_.size())));
    std::vector<std::string> targets;
    for (auto const& [id, page] : browser_.pages) {
      targets.push_back(page.target);
      for (auto const& worker : page.workers) targets.push_back(worker.target);
    }
    say(*at->second, at->second->speak(targets));
  }
  void say(SimClient& client, std::string const& text) {
    if (trace_) std::printf("client %d says %s\n", int(client.id()), text.substr(0, 300).c_str());
    gateway_.receive(client.id(), text);
  }

  void join() {
    if (clients_.size() > 4) return;
    Entry entry;
    if (random_.chance(25) && !browser_.pages.empty()) entry.target = some_page().target;
    if (random_.chance(3)) entry.target = "no such";
    auto const id = ++last_client_;
    clients_.emplace(id, std::make_unique<SimClient>(id, entry, random_, trace_));
    if (trace_) std::printf("client %d joins '%s'\n", int(id), entry.target.c_str());
    gateway_.open(id, entry);
  }
  void leave(ClientId id) {
    if (trace_) std::printf("client %d leaves\n", int(id));
    leaving_ = id;  // what it is told while it leaves goes nowhere
    clients_.erase(id);
    gateway_.gone(id);
    leaving_ = 0;
  }
  void come_or_go() {
    if (random_.chance(40)) {
      if (!browser_.linked()) return link_up();
      return link_down();
    }
    if (clients_.size() > 1 && random_.chance(30)) return leave(clients_.begin()->first);
    join();
  }
  void link_up() {
    if (trace_) std::printf("link up\n");
    browser_.link_up();
    gateway_.link_up({.browser_id = "B", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
  }
  void link_down() {
    if (trace_) std::printf("link down\n");
    browser_.link_down([this] { gateway_.link_down("sim"); });
    while (browser_.deliver()) {
    }
  }

  Page& some_page() {
    auto at = browser_.pages.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.pick(browser_.pages.size())));
    return at->second;
  }

  void happen() {
    if (browser_.pages.empty()) return browser_.open_tab("http://new/");
    auto& page = some_page();
    auto const what = random_.pick(100);
    if (trace_) std::printf("happens %d in tab %d\n", int(what), int(page.tab));
    if (what < 5) return browser_.pages.size() < 6 ? browser_.open_tab("http://new/") : browser_.close_tab(page.tab);
    if (what < 8) return browser_.close_tab(page.tab);
    if (what < 20) return browser_.navigate(page);
    if (what < 23) return browser_.crash(page);
    if (what < 27) return browser_.revive(page);
    if (what < 29) return browser_.discard(page);
    if (what < 31) return browser_.cancel(page);
    if (what < 40) return browser_.start_worker(page);
    if (what < 44) return browser_.end_worker(page);
    if (what < 70) return browser_.request(page);
    if (what < 75) return browser_.garble(page);
    browser_.chatter(page);
  }

  void pass_time(Millis millis) {
    clock_.at.mono += millis;
    clock_.at.wall += millis;
    if (auto const next = gateway_.deadline(); next && *next <= clock_.at.mono) gateway_.tick();
  }

  /// Until nothing is on its way any more; time goes on.
  void drain() {
    for (int quiet = 0; quiet < 40; ++quiet) {
      for (int n = 0; browser_.deliver(); ++n) {
        if (n > 100'000) broken("the gateway and the browser never come to rest");
      }
      pass_time(1'000);
    }
  }
  void settle() {
    if (trace_) std::printf("quiet\n");
    browser_.calm = true;
    if (!browser_.linked()) link_up();
    drain();
    for (auto& [id, page] : browser_.pages) {
      if (page.crashed) browser_.revive(page);
    }
    for (int round = 0; round < 20; ++round) {
      std::vector<std::pair<ClientId, std::string>> messages;
      for (auto& [id, client] : clients_) {
        for (auto& text : client->settle()) messages.emplace_back(id, std::move(text));
      }
      for (auto const& [id, text] : messages) {
        if (auto const at = clients_.find(id); at != clients_.end()) say(*at->second, text);
      }
      drain();
      if (messages.empty()) return;
    }
    broken("requests are paused again and again");
  }

  void check_all_answered() const {
    for (auto const& [id, client] : clients_) {
      if (client->outstanding() > 0)
        broken("client " + std::to_string(id) + " waits for ever: " + client->what_is_outstanding());
    }
    if (gateway_.counts().pending > 0) broken("something is pending though all is quiet");
  }

  void check_agent(Agent const& agent, std::string const& target) const {
    for (auto const* domain : {"Page", "Runtime", "Network", "CSS", "Log", "Debugger", "Fetch"}) {
      bool wanted = false, unknown = false;
      for (auto const& [id, client] : clients_) {
        for (auto const& [name, session] : client->sessions()) {
          if (session.target != target || session.tab) continue;
          auto const at = session.domains.find(domain);
          if (at == session.domains.end()) continue;
          wanted = wanted || at->second == Wish::on;
          unknown = unknown || at->second == Wish::unknown || at->second == Wish::asked;
        }
      }
      bool const on = domain == std::string("Fetch") ? !agent.fetch.empty() : agent.enabled.contains(domain);
      if (!unknown && on != wanted) {
        broken(std::string(domain) + " is " + (on ? "on" : "off") + " in " + target +
               ", its sessions want it otherwise");
      }
    }
    if (!agent.paused.empty()) broken("a request hangs in " + target + ": " + *agent.paused.begin());
  }
  void check_domains() const {
    for (auto const& [id, page] : browser_.pages) {
      if (!page.attached) continue;
      check_agent(page.agent, page.target);
      for (auto const& worker : page.workers) {
        if (!worker.session.empty()) check_agent(worker.agent, worker.target);
      }
    }
  }
  void check_nothing_is_held() const {
    for (auto const& [id, page] : browser_.pages) {
      for (auto const& worker : page.workers) {
        if (worker.held) broken("worker " + worker.target + " waits for ever");
      }
    }
  }

  Random random_;
  bool trace_;
  SimClock clock_;
  Browser browser_{random_, trace_};
  Gateway gateway_{browser_, *this, browser_, clock_, {.max_waiting = std::size_t{64} << 10}};
  std::map<ClientId, std::unique_ptr<SimClient>> clients_;
  std::set<std::string> all_sessions_;
  ClientId last_client_ = 0, leaving_ = 0;
  std::size_t answers_ = 0;
};

std::uint64_t number(char const* name, std::uint64_t otherwise) {
  auto const* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// ANY_SIM_SEEDS=N runs N schedules (from seed ANY_SIM_FIRST=1 on), ANY_SIM_SEED=N the one of that seed with a trace of
// what happens.
TEST(CdpSimulation, EachCommandIsAnsweredOnceOnItsOwnSessionAndNothingIsLeftBehindWhateverHappens) {
  if (std::getenv("ANY_SIM_SEED")) {
    auto const world = std::make_unique<World>(number("ANY_SIM_SEED", 1), true);
    EXPECT_NO_THROW(world->run());
    return;
  }
  auto const seeds = number("ANY_SIM_SEEDS", 3'000), first = number("ANY_SIM_FIRST", 1);
  auto const stop_at_first = std::getenv("ANY_SIM_ALL") == nullptr;
  std::size_t answers = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    auto const world = std::make_unique<World>(seed, false);
    try {
      world->run();
    } catch (std::exception const& e) {
      ADD_FAILURE() << e.what() << "\nreplay: ANY_SIM_SEED=" << seed;
      if (stop_at_first) return;
    }
    answers += world->answers();
  }
  EXPECT_GT(answers, seeds * 10);
  std::printf("%llu schedules of the gateway, %zu commands answered\n", static_cast<unsigned long long>(seeds),
              answers);
}

}  // namespace
}  // namespace any::cdp::sim
