#pragma once
// Addresses as people write them.

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace any::net {

/// "127.0.0.1:8766", "[::1]:0", "localhost:80" (127.0.0.1). Errors: BadRequestError.
Result<boost::asio::ip::tcp::endpoint> read_endpoint(std::string_view text);

struct Url {
  std::string host;  ///< as it stands in Host, with its port: "127.0.0.1:8766", "[::1]:80"
  std::vector<boost::asio::ip::tcp::endpoint> endpoints;  ///< to be tried in order; localhost has two
  std::string target;                                     ///< "/path?query"
};

/// http:// or ws:// with a numeric address or localhost. Errors: BadRequestError.
Result<Url> read_url(std::string_view text);

}  // namespace any::net
