#include "net/address.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

namespace any::net {
namespace {

namespace ip = boost::asio::ip;

struct HostPort {
  std::string_view host, port;  // the port may be empty
};

std::optional<HostPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    auto const rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    return HostPort{text.substr(1, end - 1), rest.empty() ? rest : rest.substr(1)};
  }
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos) return HostPort{text, {}};
  if (text.find(':') != colon) return std::nullopt;  // an IPv6 address without its brackets
  return HostPort{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::vector<ip::address> read_host(std::string_view text) {
  if (text == "localhost") return {ip::address_v4::loopback(), ip::address_v6::loopback()};
  boost::system::error_code failed;
  auto const address = ip::make_address(std::string{text}, failed);
  if (failed) return {};
  return {address};
}

}  // namespace

Result<ip::tcp::endpoint> read_endpoint(std::string_view text) {
  auto const parts = split(text);
  auto const port = parts ? read_port(parts->port) : std::nullopt;
  auto const hosts = parts ? read_host(parts->host) : std::vector<ip::address>{};
  if (!port || hosts.empty()) {
    return Error{ErrorName::BadRequestError,
                 "\"" + std::string{text} +
                     "\" is no address to listen on: write HOST:PORT, e.g. 127.0.0.1:8766 or [::1]:8766."};
  }
  return ip::tcp::endpoint{hosts.front(), *port};
}

Result<Url> read_url(std::string_view text) {
  auto const refuse = [&](std::string_view why) {
    return Error{ErrorName::BadRequestError, "\"" + std::string{text} + "\" is no address of a daemon: " +
                                                 std::string{why} + " (e.g. http://127.0.0.1:8766)."};
  };
  auto rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else {
    return refuse("it must begin with http:// or ws://");
  }
  auto const slash = rest.find_first_of("/?#");
  auto const authority = rest.substr(0, slash);
  auto const parts = split(authority);
  auto const port = !parts                ? std::nullopt
                    : parts->port.empty() ? std::optional<std::uint16_t>{std::uint16_t{80}}
                                          : read_port(parts->port);
  if (!port || *port == 0) return refuse("its port cannot be read");
  auto const hosts = read_host(parts->host);
  if (hosts.empty()) return refuse("the host must be a numeric address or localhost");
  Url url{std::string{authority}, {}, slash == std::string_view::npos ? "" : std::string{rest.substr(slash)}};
  if (auto const hash = url.target.find('#'); hash != std::string::npos) url.target.resize(hash);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  for (auto const& host : hosts) url.endpoints.emplace_back(host, *port);
  return url;
}

}  // namespace any::net
