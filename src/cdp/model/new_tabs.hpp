#pragma once
// Tabs whose target is not known yet: who opened them, who waits for them, what Chrome has sent of them already, and
// where they go once their clients let them.

#include <boost/json/array.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdp/protocol/transport.hpp"

namespace any::cdp {

struct Target;

class NewTabs {
 public:
  struct Opener {
    TabId tab = -1;
    std::int64_t frame = -1;
  };
  /// Who waits for the target of a tab: called once, with it or with why it never comes.
  struct Waiting {
    std::function<void(Target&)> there;
    std::function<void(Failure const&)> never;
  };
  struct Event {
    std::string upstream, method, params;
  };

  void opened(TabId tab, Opener by) { openers_[tab] = by; }
  bool has_opener(TabId tab) const { return openers_.contains(tab); }
  std::optional<Opener> take_opener(TabId tab) { return take(openers_, tab); }

  void wait_for(TabId tab, Waiting waiting) { waiting_[tab].push_back(std::move(waiting)); }
  bool waited_for(TabId tab) const { return waiting_.contains(tab); }
  std::vector<TabId> waited_for() const {
    std::vector<TabId> tabs;
    for (auto const& [tab, waiting] : waiting_) tabs.push_back(tab);
    return tabs;
  }
  std::vector<Waiting> take_waiting(TabId tab) { return take(waiting_, tab).value_or(std::vector<Waiting>()); }

  /// Of a tab that Chrome has attached to by itself.
  void keep_event(TabId tab, Event event) {
    if (auto& kept = events_[tab]; kept.size() < most_events) kept.push_back(std::move(event));
  }
  std::vector<Event> take_events(TabId tab) { return take(events_, tab).value_or(std::vector<Event>()); }
  /// What Chrome has answered to the plan of such a tab.
  void keep_answers(TabId tab, boost::json::array answers) { answers_[tab] = std::move(answers); }
  std::optional<boost::json::array> take_answers(TabId tab) { return take(answers_, tab); }

  void go_later(TabId tab, std::string url) { urls_[tab] = std::move(url); }
  std::optional<std::string> take_url(TabId tab) { return take(urls_, tab); }

  /// While we make a tab, Chrome may tell of it before it is known whose it is.
  bool making() const { return making_ > 0; }
  void begin_making() { ++making_; }
  void end_making() {
    if (making_ > 0) --making_;
  }

  /// The tab is gone. Whoever waits for it is left to take_waiting().
  void tab_gone(TabId tab) {
    openers_.erase(tab);
    events_.erase(tab);
    answers_.erase(tab);
    urls_.erase(tab);
  }
  void link_lost() {
    events_.clear();
    answers_.clear();
  }
  void browser_gone() {
    openers_.clear();
    urls_.clear();
  }

 private:
  static constexpr std::size_t most_events = 1'000;  ///< of one tab

  template <class Value>
  static std::optional<Value> take(std::map<TabId, Value>& from, TabId tab) {
    auto node = from.extract(tab);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }

  std::map<TabId, Opener> openers_;
  std::map<TabId, std::vector<Waiting>> waiting_;
  std::map<TabId, std::vector<Event>> events_;
  std::map<TabId, boost::json::array> answers_;
  std::map<TabId, std::string> urls_;
  int making_ = 0;
};

}  // namespace any::cdp
