#include <boost/beast/http/status.hpp>

#include "net/head.hpp"

namespace any::net {
namespace {

namespace http = boost::beast::http;

bool one_line(std::string_view text) noexcept {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

}  // namespace

std::string response_head(Response const& response, Framing framing, bool close, bool http_1_0) {
  std::string text;
  text.reserve(256);
  text.append("HTTP/1.1 ")
      .append(std::to_string(response.status))
      .append(" ")
      .append(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status))))
      .append("\r\n");
  auto const bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  if (!bodiless && !response.content_type.empty() && one_line(response.content_type))
    text.append("Content-Type: ").append(response.content_type).append("\r\n");
  if (framing == Framing::chunked) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (framing == Framing::length && !bodiless) {
    text.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  for (auto const& [name, value] : response.headers)
    if (one_line(name) && one_line(value)) text.append(name).append(": ").append(value).append("\r\n");
  if (close) {
    text += "Connection: close\r\n";
  } else if (http_1_0) {
    text += "Connection: keep-alive\r\n";
  }
  return text += "\r\n";
}

}  // namespace any::net
