#pragma once
// One message of a client, and the messages it gets. Texts and codes are those of Chrome's own dispatcher
// (third_party/inspector_protocol/crdtp/dispatch.cc).

#include "base/error.hpp"
#include "cdp/protocol/transport.hpp"

namespace any::cdp {

namespace code {
inline constexpr int malformed = -32700;
inline constexpr int not_a_request = -32600;
inline constexpr int unknown_method = -32601;
inline constexpr int bad_params = -32602;
inline constexpr int server_error = -32000;
inline constexpr int no_session = -32001;
}  // namespace code

/// Which session of which client. Neither is ever given twice: unlike an address it names no other session later.
struct SessionKey {
  ClientId client = 0;
  std::string id{};  ///< empty: the socket's own

  friend auto operator<=>(SessionKey const&, SessionKey const&) = default;
};

/// Whose command it is that will be answered: exactly once.
struct Ticket {
  ClientId client = 0;
  std::string session{};  ///< the client's session; empty: the socket's own
  std::string id{};       ///< raw number
  bool answered = false;  ///< it has been (silent.cpp): what Chrome will say comes too late

  bool operator==(Ticket const&) const = default;
};

struct Command {
  Ticket ticket;
  std::string method;
  std::string params;  ///< raw object; "{}" where the client left it out
};

/// A message that is no command; `id` is empty where it has none.
struct Malformed {
  std::string id{}, session{};
  Failure failure;
};

boost::system::result<Command, Malformed> read_command(ClientId client, std::string_view text);
[[noreturn]] void throw_exception_from_error(Malformed const& malformed, boost::source_location const& where);

std::string result_text(Ticket const& ticket, std::string_view result);
std::string failure_text(Ticket const& ticket, Failure const& failure);
std::string event_text(std::string_view session, std::string_view method, std::string_view params);

Failure not_found(std::string_view method);
Failure no_such_target();
Failure no_such_session();
Failure bad_params(std::string_view what);

/// What stands before the dot.
std::string_view domain_of(std::string_view method);

}  // namespace any::cdp
