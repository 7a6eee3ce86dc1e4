#pragma once
// A client, and its sessions: its view of the browser and of each target.

#include <memory>
#include <optional>

#include "cdp/model/target.hpp"
#include "cdp/protocol/facts.hpp"
#include "cdp/session/session_state.hpp"

namespace any::cdp {

struct AutoAttach {
  bool on = false, wait = false;
  TargetFilter filter{};
};

struct Session {
  enum class Kind : unsigned char { browser, tab, target, made };

  std::string id;  ///< as the client knows it; empty: the socket's own
  ClientId client = 0;
  Kind kind = Kind::target;
  std::string target;      ///< the target's id (Kind::tab: that of the page in it); empty: the browser
  std::string parent;      ///< the session on which it was announced
  bool automatic = false;  ///< it came by the client's setAutoAttach
  bool held = false;       ///< was told that the target waits, has not said Runtime.runIfWaitingForDebugger
  bool set_up = false;     ///< has said Runtime.runIfWaitingForDebugger
  bool used = false;       ///< the client has asked something that needs the target
  bool watched = false;    ///< its handshake is looked at in a moment
  bool tracing = false;    ///< has ended a trace whose data is still coming
  AutoAttach auto_attach{};
  std::optional<TargetFilter> discover{};  ///< Target.setDiscoverTargets
  std::set<std::string> told{};            ///< targets that discovery has told of
  SessionState state{};
  int last_script = 0;

  SessionKey key() const { return {client, id}; }
};

class Client {
 public:
  using Sessions = std::map<std::string, std::unique_ptr<Session>, std::less<>>;

  ClientId id = 0;
  Entry entry{};
  Receiver* receiver = nullptr;  ///< of a client inside the daemon: in the place of its socket
  bool open = false;             ///< false: waits for the browser to tell its tabs
  std::deque<Command> waiting{};
  std::size_t waiting_bytes = 0;

  /// By id; the socket's own is "".
  Sessions const& sessions() const { return sessions_; }

 private:
  friend class Clients;
  Sessions sessions_{};
};

}  // namespace any::cdp
