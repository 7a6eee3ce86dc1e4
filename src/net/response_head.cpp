#include <utility>

#include "net/head.hpp"

namespace any::net {
namespace {

std::string_view reason(int status) noexcept {
  static constexpr std::pair<int, std::string_view> reasons[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {507, "Insufficient Storage"},
  };
  for (auto const& [number, text] : reasons)
    if (number == status) return text;
  return "Status";
}

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
      .append(reason(response.status))
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
