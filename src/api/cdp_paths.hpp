#pragma once
// The addresses of a Chrome with a debugging port, as we have them: /json/…, /devtools/…, bare ones for sockets, and
// all of them under /browsers/{id or label}. No I/O.

#include <optional>
#include <string>

#include "cdp/gateway.hpp"
#include "net/http_server.hpp"

namespace any::api {

struct CdpDoor {
  enum class Kind : unsigned char {
    list,      ///< /json, /json/list
    version,   ///< /json/version
    protocol,  ///< /json/protocol
    create,    ///< /json/new
    activate,  ///< /json/activate/ID
    close,     ///< /json/close/ID
    unknown,   ///< any other /json/…; `id` holds the command's name
    browser,   ///< a socket: /devtools/browser/ID and the bare paths
    page,      ///< a socket: /devtools/page/ID
  };
  Kind kind = Kind::unknown;
  std::string browser{};  ///< id or label; empty: not named
  std::string id{};       ///< of a target
};

/// What the request asks for; nothing where it is for another door. A path that is bare (`/`, `/cdp`) is ours only
/// where it asks for a WebSocket.
std::optional<CdpDoor> find_cdp_door(net::Head const& head);

/// The options in the query of a socket's address. Errors: BadRequestError.
Result<cdp::Entry> read_cdp_entry(net::Head const& head);

/// What of the query must stand in the addresses of sockets that are told to the caller, "?token=…&context=default", so
/// that it holds for those too.
std::string carried_query(net::Head const& head);

/// The address behind `?` in PUT /json/new?URL, as Chrome reads it: up to the first `&`, decoded. "about:blank" where
/// there is none or it has no scheme.
std::string new_target_url(net::Head const& head);

/// Texts of one JSON object, or of a list of them, laid out as Chrome does: scripts cut these answers with grep.
using CdpRow = std::vector<std::pair<std::string_view, std::string>>;
std::string cdp_object(CdpRow const& row);
std::string cdp_list(std::vector<CdpRow> const& rows);

}  // namespace any::api
