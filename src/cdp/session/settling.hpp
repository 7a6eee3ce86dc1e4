#pragma once
// Sessions on popups whose clients still set them up. A raw Chrome's popup stands still until its clients let it go;
// this one does not, and a client that is told what happens in it between the answers to its first commands takes them
// for the page that is gone: the events wait behind those answers.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/protocol/command.hpp"

namespace any::cdp {

class Settling {
 public:
  using Events = std::vector<std::pair<std::string, std::string>>;  ///< method and params

  bool empty() const { return sessions_.empty(); }
  void begin(SessionKey session) { sessions_.emplace(std::move(session), Waiting()); }
  /// The client has sent a command.
  void asked(Ticket const& ticket) {
    auto const found = sessions_.find({ticket.client, ticket.session});
    if (found != sessions_.end() && !found->second.let_go) found->second.unanswered.insert(ticket.id);
  }
  /// The client has let the popup go: it is settled once what was asked before has been answered.
  void let_go(SessionKey const& session) {
    if (auto const found = sessions_.find(session); found != sessions_.end()) found->second.let_go = true;
  }
  /// True: that was the last answer.
  bool answered(Ticket const& ticket) {
    auto const found = sessions_.find({ticket.client, ticket.session});
    if (found == sessions_.end()) return false;
    found->second.unanswered.erase(ticket.id);
    return found->second.let_go && found->second.unanswered.empty();
  }
  bool has(SessionKey const& session) const { return sessions_.contains(session); }
  void keep(SessionKey const& session, std::string_view method, std::string_view params) {
    if (auto const found = sessions_.find(session); found != sessions_.end()) {
      found->second.events.emplace_back(method, params);
    }
  }
  /// It is settled; what has waited.
  Events end(SessionKey const& session) {
    auto const ended = sessions_.extract(session);
    return ended.empty() ? Events() : std::move(ended.mapped().events);
  }
  void clear() { sessions_.clear(); }

 private:
  struct Waiting {
    bool let_go = false;
    std::set<std::string> unanswered{};  ///< ids of its commands
    Events events{};
  };

  std::map<SessionKey, Waiting> sessions_;
};

}  // namespace any::cdp
