#pragma once
// What the sessions of one target intercept with Fetch, and the requests that are paused for them. As measured between
// two sessions of a raw Chrome: a request goes to the newest session first, its response to the oldest first; what one
// has changed the next one sees; what one has made up (fulfil, fail) is a response to those before it. One session
// alone gets them, and answers, unread.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/intercept/fetch.hpp"

namespace any::cdp {

class Interceptions {
 public:
  /// The target whose requests they are, and its clients; valid during the call that it is given to.
  class Host {
   public:
    /// Chrome has answered. Not called where the target has gone meanwhile.
    using Then = std::function<void(Interceptions&, Host&, Answer const&)>;

    virtual bool attached() const = 0;
    virtual std::uint64_t attachment() const = 0;          ///< its number
    virtual std::vector<SessionKey> sessions() const = 0;  ///< the oldest first
    virtual bool has(SessionKey const& session) const = 0;
    virtual void reply(Ticket const& ticket, std::string_view result) = 0;
    virtual void fail(Ticket const& ticket, Failure const& failure) = 0;
    virtual void event(SessionKey const& to, std::string_view method, std::string_view params) = 0;
    /// To Chrome; the client gets its answer, once `then` has seen it.
    virtual void pass(Ticket const& ticket, std::string_view method, std::string_view params, Then then) = 0;
    /// To Chrome, for no client.
    virtual void ask(std::string_view method, std::string_view params, Then then) = 0;

   protected:
    ~Host() = default;
  };

  bool empty() const { return wishes_.empty(); }
  bool has(SessionKey const& session) const { return wishes_.contains(session); }

  /// A client's command of the Fetch domain.
  void run(Host& host, SessionKey const& by, Command const& command);
  /// An event of the Fetch domain.
  void on_event(Host& host, std::string_view method, std::string_view params);
  /// Chrome is told what the sessions want together, where it is not what it has.
  void update_patterns(Host& host);
  /// The session intercepts no more, or has ended: what it was asked is for others to decide, or goes on.
  void stop(Host& host, SessionKey const& session);
  /// The attachment is gone, and with it what was paused.
  void attachment_lost() { paused_.clear(); }

 private:
  /// What is kept of an earlier attachment is void: Chrome has let go of what was paused in it.
  void belong_to(std::uint64_t attachment);
  /// All that intercept, the oldest session first.
  std::vector<SessionKey> interceptors(Host const& host) const;
  std::string wanted(Host const& host) const;
  void enable(Host& host, SessionKey const& by, Command const& command);
  void read_body(Host& host, PausedRequest const& request, Command const& command);
  void answer_alone(Host& host, SessionKey const& by, std::string const& id, PausedRequest& request,
                    Command const& command);
  void decide(Host& host, SessionKey const& by, std::string const& id, PausedRequest& request, Command const& command);
  bool ask_next(Host& host, std::string const& id);  ///< false: nobody is left to ask
  void let_go(Host& host, std::string const& id);
  /// What is to be done once Chrome has been told the end of a request, which was `before`.
  Host::Then ended(std::string id, PausedRequest before) const;
  void pause_again(Host& host, std::string const& id, PausedRequest const& before);
  PausedRequest& pause(std::string const& id);
  void note_response_wishes(Host const& host, std::string const& id, PausedRequest const& request);
  void remember_underway(std::string const& id, std::vector<SessionKey> who);

  std::map<SessionKey, FetchWish> wishes_;
  std::map<std::string, PausedRequest, std::less<>> paused_;  ///< by requestId
  /// Who is to see the response of a request that has been let go, by requestId; bounded, the oldest are forgotten.
  std::deque<std::pair<std::string, std::vector<SessionKey>>> underway_;
  std::string in_force_;          ///< params of the Fetch.enable in force in Chrome; empty: none
  std::uint64_t attachment_ = 0;  ///< of which all but the wishes is true
  std::uint64_t last_serial_ = 0;
  int settling_ = 0;  ///< changes of the patterns that Chrome has not confirmed
};

}  // namespace any::cdp
