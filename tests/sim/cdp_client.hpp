#pragma once
// A CDP client that says anything at any time, and checks what it hears: each command is answered once, on the session
// it was said on; no event comes on a session that it has not been told.

#include <boost/json/object.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/cdp_browser.hpp"

namespace any::cdp::sim {

/// What a client's session has last asked for in a domain, as far as it can know.
enum class Wish : unsigned char { off, on, asked, unknown };

struct ClientSession {
  std::string target;    ///< empty: the browser
  bool tab = false;      ///< stands for the tab around the page
  bool waiting = false;  ///< was told that it waits for the debugger
  std::map<std::string, Wish> domains{};
  std::map<std::string, int> asked{};  ///< commands of the domain that are not answered
  std::vector<std::string> scripts{}, paused{};
};

class SimClient {
 public:
  SimClient(ClientId id, Entry entry, Random& random, bool trace)
      : id_(id), entry_(std::move(entry)), random_(random), trace_(trace) {
    sessions_[""].target = entry_.target;
  }

  /// A message to be sent.
  std::string speak(std::vector<std::string> const& targets);
  void hear(std::string const& text, std::set<std::string>& all_sessions);
  /// The messages that end what holds others up: held targets are let run, paused requests continued.
  std::vector<std::string> settle();

  ClientId id() const { return id_; }
  Entry const& entry() const { return entry_; }
  std::size_t outstanding() const { return outstanding_.size() + malformed_; }
  std::string what_is_outstanding() const;
  std::map<std::string, ClientSession> const& sessions() const { return sessions_; }
  std::size_t answers() const { return answers_; }

 private:
  struct Said {
    std::string session, method, params;
  };
  std::string say(std::string const& session, std::string method, std::string params);
  std::string speak_to_browser(std::string const& session, std::vector<std::string> const& targets);
  std::string speak_to_target(std::string const& session);
  std::string garbage();
  void answered(Said const& said, boost::json::object const& message);
  void event(std::string const& session, std::string const& method, boost::json::object const& params,
             std::set<std::string>& all_sessions);
  [[noreturn]] void broken(std::string const& what, std::string const& text) const;

  ClientId id_;
  Entry entry_;
  Random& random_;
  bool trace_;
  std::map<std::string, ClientSession> sessions_;
  std::set<std::string> ended_, discovered_, auth_;
  std::map<std::int64_t, Said> outstanding_;
  std::int64_t last_id_ = 0;
  std::size_t malformed_ = 0, answers_ = 0;
};

}  // namespace any::cdp::sim
