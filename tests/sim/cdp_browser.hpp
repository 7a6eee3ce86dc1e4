#pragma once
// A browser as the gateway reaches it, small and deterministic: tabs, workers below them, what Chrome keeps for an
// attached debugger. Each call is carried out when the schedule delivers it, one queue a tab, in any order between.

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "cdp/gateway.hpp"

namespace any::cdp::sim {

/// A promise was broken; the text says which.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Random {
  explicit Random(std::uint64_t seed) : engine(seed) {}
  std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(engine); }
  bool chance(int percent) { return pick(100) < static_cast<std::size_t>(percent); }
  template <class T>
  auto& one_of(T& all) {
    return all[pick(all.size())];
  }
  std::mt19937_64 engine;
};

struct SimClock final : Clock {
  Instant at{1'000, 1'700'000'000'000};
  Instant now() const override { return at; }
};

/// What a debugger has in one page or worker.
struct Agent {
  std::set<std::string> enabled, scripts;
  std::multiset<std::string> bindings;
  std::string fetch;             ///< params of Fetch.enable; empty: off
  std::set<std::string> paused;  ///< requests
  bool auto_attach = false, wait = false;
};

struct Worker {
  std::string target, session;  ///< session: empty where not attached to
  bool held = false;
  Agent agent{};
};

struct Page {
  TabId tab = -1;
  std::string target, url;
  bool attached = false, crashed = false, discarded = false, complete = true;
  int loader = 1;
  Agent agent{};
  std::vector<Worker> workers;
};

class Browser final : public Transport, public Files {
 public:
  Browser(Random& random, bool trace) : random_(random), trace_(trace) {}

  void attach(Debuggee const& debuggee, Answered done) override;
  void detach(Debuggee const& debuggee) override;
  void send(Debuggee const& debuggee, std::string_view session, std::string_view method, std::string_view params,
            Answered done) override;
  void follow(TabId, bool, std::string_view, std::int64_t) override {}
  void name_downloads(bool, bool) override {}
  void chrome(std::string_view path, std::string_view args, Answered done) override;
  void subscribe(std::string_view path) override { subscribed_.emplace(path); }
  void unsubscribe(std::string_view path) override { subscribed_.erase(std::string(path)); }
  void move(std::string, std::string, Answered done) override { put_file(std::move(done)); }
  void copy(std::string, std::string, Answered done) override { put_file(std::move(done)); }
  void read_text(std::string, std::string, Answered done) override { put_file(std::move(done)); }
  void sandbox(std::string_view, std::string_view, Answered done) override {
    put("sandboxes", std::move(done), [] { return "{}"; });
  }

  /// Delivers one thing; false where nothing is on its way.
  bool deliver();
  /// The link is lost, then the gateway is told so, then what was under way fails.
  void link_down(std::function<void()> const& tell);
  void link_up();
  bool linked() const { return linked_; }
  std::set<std::string> const& subscribed() const { return subscribed_; }
  bool calm = false;  ///< nothing fails any more

  // What happens in it by itself.
  void open_tab(std::string url);
  void close_tab(TabId id);
  void navigate(Page& page);
  void crash(Page& page);
  void revive(Page& page);
  void discard(Page& page);
  void cancel(Page& page);  ///< "Cancel" on the debugging bar
  void start_worker(Page& page);
  void end_worker(Page& page);
  void request(Page& page);
  void chatter(Page& page);
  void garble(Page& page);  ///< an event that no Chrome would send

  std::map<TabId, Page> pages;
  Gateway* gateway = nullptr;
  std::size_t carried_out = 0;

 private:
  struct Pending {
    Answered done;                     ///< empty: an event
    std::function<std::string()> act;  ///< what it does, and its result; throws Failure
    std::size_t number = 0;            ///< in the order of the calls
  };

  /// What a tab is asked is carried out in its order; answers and events then leave in theirs.
  void carry_out_next(std::string const& tab, Pending next);
  void put(std::string queue, Answered done, std::function<std::string()> act);
  void put_file(Answered done);  ///< no matter of the link
  void tell_chrome(std::string path, std::string args);
  void tell(TabId tab, std::string session, std::string method, std::string params);
  std::string carry_out(Debuggee const& debuggee, std::string const& session, std::string const& method,
                        std::string const& params);
  void set_auto_attach(Page& page, bool on, bool wait);
  void attach_worker(Page& page, Worker& worker);
  void drop_attachment(Page& page);
  std::string call(std::string const& path, std::string const& args);
  std::string tab_json(Page const& page) const;
  Page& page_of(TabId tab);
  void trace(std::string const& text) const;

  Random& random_;
  bool trace_;
  bool linked_ = false;
  std::map<std::string, std::deque<Pending>> queues_;
  std::map<TabId, std::vector<Pending>> stuck_;  ///< for crashed pages: wait until they are loaded again
  std::set<std::string> subscribed_;
  TabId next_tab_ = 1;
  int next_name_ = 1;
  std::size_t calls_ = 0;
};

}  // namespace any::cdp::sim
