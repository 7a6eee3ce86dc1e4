#include "cdp/browser/cookies.hpp"

namespace any::cdp {

namespace {

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

/// The host in an http(s) URL; empty where it is no such URL.
std::string host_of(std::string_view url, bool& secure) {
  auto const lower = in_lower_case(url.substr(0, 8));
  secure = lower.starts_with("https://");
  if (!secure && !lower.starts_with("http://")) return {};
  auto rest = url.substr(secure ? 8 : 7);
  rest = rest.substr(0, rest.find_first_of("/?#\\"));
  if (auto const at = rest.rfind('@'); at != rest.npos) rest.remove_prefix(at + 1);
  if (auto const colon = rest.rfind(':'); colon != rest.npos && rest.find(']', colon) == rest.npos) {
    rest = rest.substr(0, colon);
  }
  return std::string(rest);
}

std::string url_of(std::string_view domain, std::string_view path, bool secure) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  std::string url = secure ? "https://" : "http://";
  return url.append(domain).append(path.starts_with('/') ? path : "/");
}

Failure invalid_cookie() {
  return {code::bad_params, "Invalid cookie fields"};
}

}  // namespace

CookieKey cookie_key(json::object const& cookie) {
  auto const& partition = object_in(cookie, "partitionKey");
  auto site = text_in(partition, "topLevelSite");
  if (flag_in(partition, "hasCrossSiteAncestor")) site += " across";
  return {text_in(cookie, "storeId"), text_in(cookie, "name"), text_in(cookie, "domain"), text_in(cookie, "path"),
          std::move(site)};
}

json::object cdp_cookie(json::object const& cookie) {
  auto const name = text_in(cookie, "name"), value = text_in(cookie, "value");
  bool const session = flag_in(cookie, "session"), secure = flag_in(cookie, "secure");
  json::object told{{"name", name},
                    {"value", value},
                    {"domain", text_in(cookie, "domain")},
                    {"path", text_in(cookie, "path")},
                    {"expires", -1},
                    {"size", name.size() + value.size()},
                    {"httpOnly", flag_in(cookie, "httpOnly")},
                    {"secure", secure},
                    {"session", session}};
  if (auto const* expires = cookie.if_contains("expirationDate"); expires && !session) told["expires"] = *expires;
  auto const same_site = text_in(cookie, "sameSite");
  if (same_site == "no_restriction") told["sameSite"] = "None";
  if (same_site == "lax") told["sameSite"] = "Lax";
  if (same_site == "strict") told["sameSite"] = "Strict";
  // chrome.cookies does not tell the last three: CDP's words for "not known" and for what most cookies have.
  told["priority"] = "Medium";
  told["sourceScheme"] = "Unset";
  told["sourcePort"] = -1;
  if (auto const* partition = cookie.if_contains("partitionKey"); partition && partition->is_object()) {
    told["partitionKey"] =
        json::object{{"topLevelSite", text_in(partition->get_object(), "topLevelSite")},
                     {"hasCrossSiteAncestor", flag_in(partition->get_object(), "hasCrossSiteAncestor")}};
  }
  return told;
}

boost::system::result<json::object, Failure> chrome_cookie(Params& cookie, std::string_view store) {
  auto const name = cookie.text("name"), value = cookie.text("value");
  auto const url = cookie.maybe_text("url").value_or(""), path = cookie.maybe_text("path").value_or("");
  auto domain = cookie.maybe_text("domain").value_or("");
  bool secure = cookie.flag("secure"), secure_url = false;
  bool const http_only = cookie.flag("httpOnly");
  auto const same_site = cookie.maybe_text("sameSite").value_or("");
  auto const expires = cookie.maybe_number("expires");
  auto partition = cookie.object("partitionKey", false);
  auto const site = partition ? partition->text("topLevelSite") : "";
  bool const ancestor = partition && partition->flag("hasCrossSiteAncestor");
  if (partition) cookie.take_wrong(*partition);
  if (cookie.wrong()) return *cookie.wrong();

  if (!url.empty()) {
    auto const host = host_of(url, secure_url);
    if (host.empty()) return invalid_cookie();
    secure = secure || secure_url;
    if (domain.empty()) domain = host;
  }
  domain = in_lower_case(domain);
  if (domain.empty() || domain == "." || domain.find_first_of("/?#@ ") != domain.npos) return invalid_cookie();
  auto const at = path.empty() ? std::string("/") : path;
  json::object set{{"storeId", store},     {"url", url_of(domain, at, secure)},
                   {"name", name},         {"value", value},
                   {"path", at},           {"secure", secure},
                   {"httpOnly", http_only}};
  // In CDP a domain without a dot in front is a cookie of that host alone; for chrome.cookies any domain means its
  // subdomains too.
  if (domain.starts_with('.')) set["domain"] = domain;
  if (same_site == "None") set["sameSite"] = "no_restriction";
  if (same_site == "Lax") set["sameSite"] = "lax";
  if (same_site == "Strict") set["sameSite"] = "strict";
  if (expires && *expires >= 0) set["expirationDate"] = *expires;
  if (!site.empty()) set["partitionKey"] = json::object{{"topLevelSite", site}, {"hasCrossSiteAncestor", ancestor}};
  return set;
}

json::object deletion_of(json::object const& cookie) {
  bool const secure = flag_in(cookie, "secure");
  auto const domain = text_in(cookie, "domain"), path = text_in(cookie, "path");
  json::object set{{"storeId", text_in(cookie, "storeId")},
                   {"url", url_of(domain, path, secure)},
                   {"name", text_in(cookie, "name")},
                   {"value", ""},
                   {"path", path},
                   {"secure", secure},
                   {"expirationDate", 1}};
  if (domain.starts_with('.')) set["domain"] = domain;
  if (auto const* partition = cookie.if_contains("partitionKey")) set["partitionKey"] = *partition;
  return set;
}

}  // namespace any::cdp
