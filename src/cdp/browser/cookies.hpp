#pragma once
// Cookies between CDP's form and that of chrome.cookies.

#include <boost/json/object.hpp>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cdp/protocol/params.hpp"

namespace any::cdp {

/// What tells one cookie from another.
struct CookieKey {
  std::string store, name, domain, path, partition;  ///< domain: with a dot in front where subdomains see it
  friend auto operator<=>(CookieKey const&, CookieKey const&) = default;
};

/// Cookies that one client has made: the argument of chrome.cookies.set that deletes each.
using OwnCookies = std::map<CookieKey, boost::json::object>;

CookieKey cookie_key(boost::json::object const& chrome_cookie);
/// A cookie of chrome.cookies as CDP's Network.Cookie.
boost::json::object cdp_cookie(boost::json::object const& chrome_cookie);
/// CDP's Network.CookieParam as the argument of chrome.cookies.set. What is wrong with it is Chrome's "Invalid cookie
/// fields", or the types' failure.
boost::system::result<boost::json::object, Failure> chrome_cookie(Params& cookie, std::string_view store);
/// The argument of chrome.cookies.set that deletes this cookie and no other (chrome.cookies.remove takes all of that
/// name that the URL would be sent).
boost::json::object deletion_of(boost::json::object const& chrome_cookie);

/// Which cookies of the person's profile each client has made.
class ClientsCookies {
 public:
  void note(ClientId client, CookieKey key, boost::json::object deletion) {
    made_[client].insert_or_assign(std::move(key), std::move(deletion));
  }
  /// Those that are noted already stay as they are.
  void note(ClientId client, OwnCookies const& cookies) { made_[client].insert(cookies.begin(), cookies.end()); }
  /// They are the client's no more; what deletes each.
  std::vector<boost::json::object> take(ClientId client, std::string_view store) {
    std::vector<boost::json::object> deletions;
    std::erase_if(made_[client], [&](auto const& row) {
      if (row.first.store != store) return false;
      deletions.push_back(row.second);
      return true;
    });
    return deletions;
  }
  void forget(ClientId client) { made_.erase(client); }

 private:
  std::map<ClientId, OwnCookies> made_;
};

}  // namespace any::cdp
