#pragma once
// Who may come in. Judged from the head alone, before any byte of a body is read.

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "net/http_server.hpp"

namespace any::api {

/// The id that the `key` of extension/manifest.json gives it.
inline constexpr std::string_view extension_id = "fiboagademobpcbeeblkmghchapdlnjd";

struct GuardRules {
  std::string token{};                          ///< empty: none is demanded
  std::vector<std::string> allow_extensions{};  ///< besides the pinned one
};

/// Host, Origin, Sec-Fetch-Site and token of a request on one of the daemon's own ports.
/// Errors: ForbiddenError, UnauthorizedError, BadRequestError (no path in the target).
Result<void> check_head(net::Head const& head, GuardRules const& rules);

/// The id of an extension that wants to link, or to know whether a daemon is there, and that the rules do not let in.
std::optional<std::string> refused_extension(net::Head const& head, GuardRules const& rules);

/// Host alone: the examples' pages are for anyone's eyes, but under no name but loopback's (a page whose name was made
/// to point here must not become their origin).
Result<void> check_host(net::Head const& head);

/// ForbiddenError where the user at the other end is another than `own`, or cannot be told.
Result<void> check_user(net::Peer const& peer, unsigned own);

}  // namespace any::api
