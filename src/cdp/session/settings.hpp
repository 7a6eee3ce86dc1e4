#pragma once
// What one page has once and several sessions set, as Chrome itself settles it between two sessions of one page
// (measured on 156): extra headers and blocked addresses of all are taken together; timezone and locale belong to
// whoever comes first; viewport and geolocation to whoever came last, and are back to the page's own when that one
// goes.

#include "cdp/model/target.hpp"
#include "cdp/session/session_state.hpp"

namespace any::cdp {

/// The params of the one command by which Chrome does what all sessions of the target together have asked.
std::string together(Target const& on, std::string_view method);

/// What Chrome says to a session that sets what another one holds; nullopt: it may.
struct Held {
  bool by_another = false;   ///< another session has set it, this one only takes back
  std::string_view refusal;  ///< Chrome's words; empty: nothing to refuse
};
Held held(Target const& on, Session const& by, std::string_view method, std::string_view params);

/// The command that undoes a setting after its session has gone from the target, or has dropped it: what the others
/// want instead, or Chrome's own. Empty method: nothing.
struct Undo {
  std::string method, params;
};
Undo undo(Target const& on, SessionState::Entry const& entry);

/// Takes from the session what it has set in a domain that it disables: Chrome forgets it with the domain.
std::vector<SessionState::Entry> drop_settings(Session& by, std::string_view domain);

/// `params` with the object group made the session's own, so that no other session releases it. "console" is Chrome's.
std::string with_own_group(Session& by, std::string_view params);

}  // namespace any::cdp
