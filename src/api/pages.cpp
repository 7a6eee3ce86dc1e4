#include "api/pages.hpp"

#include "api/request_guard.hpp"
#include "base/embedded.hpp"

namespace any::api {
namespace {

net::Response plain(int status, std::string text) {
  net::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text) + "\n";
  response.headers = {{"X-Content-Type-Options", "nosniff"}};
  return response;
}

net::Response page_response(std::string_view path) {
  std::string name(path.substr(1));
  if (name.empty() || name.ends_with('/')) name += "index.html";
  auto const* file = embedded_file("pages", name);
  if (file == nullptr) return plain(404, "There is no such page.");
  net::Response response;
  response.content_type = file->content_type;
  response.body = file->bytes;
  response.headers = {{"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  return response;
}

Async<void> serve(net::Exchange& exchange) {
  auto response = page_response(exchange.head().path);
  co_await exchange.respond(std::move(response));
}

}  // namespace

net::Handler pages_handler() {
  net::Handler handler;
  handler.admit = [](net::Head const& head) -> std::optional<net::Response> {
    if (auto const host = check_host(head); host.has_error())
      return plain(http_status(host.error().name), host.error().message);
    if (head.method == "GET" || head.method == "HEAD") return std::nullopt;
    auto response = plain(405, "Only GET and HEAD.");
    response.headers.push_back({"Allow", "GET, HEAD"});
    return response;
  };
  handler.handle = serve;
  handler.failure = [](Error const& error) { return plain(http_status(error.name), error.message); };
  return handler;
}

}  // namespace any::api
