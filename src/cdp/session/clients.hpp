#pragma once
// The clients and their sessions. A session lies with its client, and its target lists it (SessionsOn); both are
// changed here alone, in one step, so that no target lists a session that has ended.

#include <map>
#include <string>
#include <string_view>

#include "cdp/session/session.hpp"

namespace any::cdp {

class Clients {
 public:
  using ById = std::map<ClientId, Client>;

  /// `prefix`: how the sessions' ids begin, 16 characters that no other program can guess.
  explicit Clients(std::string prefix) : prefix_(std::move(prefix)) {}

  Client* find(ClientId id);
  Session* session(ClientId client, std::string_view id);
  Session* session(SessionKey const& key) { return session(key.client, key.id); }
  bool contains(ClientId id) const { return by_id_.contains(id); }
  bool empty() const { return by_id_.empty(); }
  std::size_t size() const { return by_id_.size(); }
  std::size_t sessions() const;
  ById::iterator begin() { return by_id_.begin(); }
  ById::iterator end() { return by_id_.end(); }
  ById::const_iterator begin() const { return by_id_.begin(); }
  ById::const_iterator end() const { return by_id_.end(); }

  Client& add(ClientId id, Entry entry, Receiver* receiver);
  /// Its sessions have ended.
  void remove(ClientId id) { by_id_.erase(id); }

  /// A session of the client on the target; the client's first is its socket's own, which has no name.
  Session& begin_session(Client& owner, Session::Kind kind, Target* on, std::string_view parent, bool automatic);
  /// The target lists it no more; it goes on until end_session().
  static void leave(Session const& session, Target& on);
  void end_session(Client& owner, std::string const& id) { owner.sessions_.erase(id); }

 private:
  std::string make_session_id();

  std::string prefix_;
  std::uint64_t last_session_ = 0;
  ById by_id_;
};

}  // namespace any::cdp
