// Speaks CDP with nothing but Boost: opens a page in a tab of its own, prints its title and closes the tab.
// The address is that of a Chrome with --remote-debugging-port, or of the daemon: to a CDP client they are the same.
//   cmake --build build/release --target example_cdp_title
//   build/release/example_cdp_title http://127.0.0.1:8766 URL

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>
#include <deque>
#include <iostream>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using asio::ip::tcp;

namespace {

struct Address {
  std::string authority, host, port, path;  // the path has no slash at its end
  auto resolved(asio::io_context& io) const { return tcp::resolver{io}.resolve(host, port); }
};

std::string text(json::value const& value) {
  return json::value_to<std::string>(value);
}

/// @throws std::runtime_error where `written` is no address with a port
Address parse(std::string const& written) {
  static std::regex const shape{"(?:http|ws)://(([^/]+):([0-9]+))(/.*?)?/?"};
  std::smatch found;
  if (!std::regex_match(written, found, shape))
    throw std::runtime_error{written + " is no address like http://127.0.0.1:8766"};
  return {found[1], found[2], found[3], found[4]};
}

/// The address of the browser's WebSocket, as GET /json/version tells it.
Address browser_socket(asio::io_context& io, Address const& browser) {
  tcp::socket socket{io};
  asio::connect(socket, browser.resolved(io));
  http::request<http::empty_body> request{http::verb::get, browser.path + "/json/version", 11};
  request.set(http::field::host, browser.authority);
  http::write(socket, request);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(socket, buffer, response);
  if (response.result() != http::status::ok)
    throw std::runtime_error{"GET /json/version: " + std::to_string(response.result_int()) + ' ' + response.body()};
  return parse(text(json::parse(response.body()).at("webSocketDebuggerUrl")));
}

/// One WebSocket to a browser. Each call waits for its answer; events that come meanwhile are kept for `next_event`.
class Browser {
 public:
  Browser(asio::io_context& io, Address const& at) : stream_{io} {
    asio::connect(stream_.next_layer(), at.resolved(io));
    stream_.handshake(at.authority, at.path);
  }

  /// The command's result. `session` is that of an attached target, empty for the browser itself.
  /// @throws std::runtime_error with the browser's own words where it answers with an error
  json::object call(std::string_view method, json::object params = {}, std::string_view session = {}) {
    json::object command{{"id", ++last_id_}, {"method", method}, {"params", std::move(params)}};
    if (!session.empty()) command["sessionId"] = session;
    stream_.write(asio::buffer(json::serialize(command)));
    for (;;) {
      auto message = read();
      auto const* id = message.if_contains("id");
      if (!id) {
        events_.push_back(std::move(message));
      } else if (*id == last_id_) {
        if (auto const* error = message.if_contains("error"))
          throw std::runtime_error{std::string{method} + ": " + text(error->at("message"))};
        return std::move(message.at("result").as_object());
      }
    }
  }

  /// The params of the next event of that name in that session; events before it are let go.
  json::object next_event(std::string_view method, std::string_view session) {
    for (;;) {
      if (events_.empty()) events_.push_back(read());
      auto event = std::move(events_.front());
      events_.pop_front();
      if (event["method"] == json::value(method) && event["sessionId"] == json::value(session))
        return std::move(event["params"].as_object());
      if (event["method"] == "Target.detachedFromTarget") throw std::runtime_error{"the tab was closed meanwhile"};
    }
  }

 private:
  json::object read() {
    beast::flat_buffer buffer;
    stream_.read(buffer);
    return json::parse(beast::buffers_to_string(buffer.data())).as_object();
  }

  beast::websocket::stream<tcp::socket> stream_;
  int last_id_ = 0;
  std::deque<json::object> events_;
};

std::string title_of(Browser& browser, std::string_view target, std::string const& url) {
  auto const attached = browser.call("Target.attachToTarget", {{"targetId", target}, {"flatten", true}});
  auto const session = text(attached.at("sessionId"));
  browser.call("Page.enable", {}, session);
  auto const going = browser.call("Page.navigate", {{"url", url}}, session);
  if (auto const* error = going.if_contains("errorText")) throw std::runtime_error{url + ": " + text(*error)};
  if (auto const* loader = going.if_contains("loaderId")) {  // none: it stays in the same document
    // the empty page that the tab began with may tell of its own load first
    while (browser.next_event("Page.frameNavigated", session)["frame"].at("loaderId") != *loader) continue;
    browser.next_event("Page.loadEventFired", session);
  }
  auto const told = browser.call("Runtime.evaluate", {{"expression", "document.title"}}, session);
  return text(told.at("result").at("value"));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    return std::cerr << "usage: cdp_title http://127.0.0.1:PORT URL\n", 2;
  }
  asio::io_context io;
  Browser browser{io, browser_socket(io, parse(argv[1]))};
  auto const target = text(browser.call("Target.createTarget", {{"url", "about:blank"}}).at("targetId"));
  int status = 0;
  try {
    std::cout << title_of(browser, target, argv[2]) << '\n';
  } catch (std::exception const& error) {
    std::cerr << error.what() << '\n';
    status = 1;
  }
  browser.call("Target.closeTarget", {{"targetId", target}});
  return status;
} catch (boost::system::system_error const& error) {
  return std::cerr << "no answer from " << argv[1] << " (is it running?): " << error.code().message() << '\n', 1;
} catch (std::exception const& error) {
  return std::cerr << error.what() << '\n', 1;
}
