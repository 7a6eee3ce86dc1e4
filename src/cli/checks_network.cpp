// What `any doctor` finds between programs and the daemon: proxies, and the meaning of localhost.

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>

#include "cli/checks.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

/// Whether a list like "localhost,127.0.0.0/8,.example" spares that host, as curl and Python read it.
bool spares(std::string_view list, std::string_view host) {
  while (!list.empty()) {
    auto const end = list.find(',');
    auto entry = list.substr(0, end);
    list = end == std::string_view::npos ? "" : list.substr(end + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry == "*" || entry == host || (entry == "127.0.0.0/8" && host.starts_with("127."))) return true;
  }
  return false;
}

/// The first address that the name means here, in text; empty where it is not known.
std::string meaning_of_localhost(std::string const& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo("localhost", port.c_str(), &hints, &found) != 0 || found == nullptr) return "";
  std::array<char, NI_MAXHOST> text{};
  auto const failed =
      getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(found);
  return failed != 0 ? "" : text.data();
}

}  // namespace

Findings check_proxy(Environment const& environment, std::string_view host) {
  std::string named;
  for (std::string const name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    auto const value = environment(name);
    if (value && !value->empty()) named += (named.empty() ? "" : ", ") + name + "=" + *value;
  }
  if (named.empty()) return {};
  for (char const* name : {"no_proxy", "NO_PROXY"}) {
    auto const list = environment(name);
    if (list && spares(*list, host))
      return {{"proxy.environment", Verdict::ok, named + ", but " + name + " spares " + std::string(host), ""}};
  }
  return {{"proxy.environment", Verdict::note,
           named + " would catch calls to " + std::string(host) +
               " made by curl and other programs (any's own command line and libraries never use a proxy)",
           "export no_proxy=127.0.0.1,localhost,::1"}};
}

Findings check_localhost(Reach const& reach, std::string_view pid) {
  auto const port = reach.daemon.substr(reach.daemon.rfind(':') + 1);
  auto const address = meaning_of_localhost(port);
  if (address.empty())
    return {{"localhost", Verdict::note, "the name localhost is not known on this machine",
             "use 127.0.0.1 in addresses, or mend /etc/hosts"}};
  bool const six = address.find(':') != std::string::npos;
  auto there = reach;
  there.daemon = "http://" + (six ? "[" + address + "]" : address) + ":" + port;
  auto const answer = http_get(there, "/health", Duration(2000));
  boost::system::error_code failure;
  auto const parsed = answer.has_error() ? json::value() : json::parse(answer.value().body, failure);
  bool const same = parsed.is_object() && text_of(parsed.get_object(), "pid") == pid;
  if (same && !six) return {};
  if (same)
    return {{"localhost", Verdict::ok, "localhost means " + address + ", and the daemon listens there too", ""}};
  return {{"localhost", Verdict::problem,
           "localhost means " + address + " here, and the daemon does not listen on " + there.daemon.substr(7) +
               ": a program told to go to localhost:" + port + " may not find it",
           "write 127.0.0.1 in addresses, or any serve --listen 127.0.0.1:" + port + " --listen '[::1]:" + port + "'"}};
}

}  // namespace any::cli
