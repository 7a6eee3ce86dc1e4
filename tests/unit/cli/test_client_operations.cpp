// The C++ library against the table of operations: each is reached by a function of its own, or left out with a reason.
#include <any/client.hpp>
#include <map>
#include <set>

#include "api/ops/table.hpp"
#include "unit/net/fixture.hpp"
#include "wire/envelope.hpp"

namespace any {
namespace {

using namespace std::chrono_literals;

std::map<std::string_view, std::string_view> const lacking{
    {"tasks.result", "TaskHandle::result() reads it from the record"},
    {"tasks.script", "whoever asks by the library has the script"},
    {"tasks.screenshot", "its address stands in the record"},
    {"tasks.unwatch", "a watch ends with the connection"},
    {"browsers.label", "by call()"},
    {"browsers.forget", "by call()"},
    {"browsers.chrome", "by call()"},
    {"browsers.reload", "the daemon does it itself after an upgrade"},
    {"cdp.call", "by call(); a program has CDP clients of its own at the daemon's address"},
    {"cdp.watch", "as cdp.call"},
    {"operations.list", "for whoever makes a client"},
    {"openapi", "for whoever makes a client"},
    {"metrics", "for Prometheus"},
    {"shutdown", "a program does not end the daemon that others use"},
};

class ClientOperations : public net::ServerTest {
 protected:
  Async<void> converse(net::Exchange& exchange) {
    auto accepted = co_await exchange.accept({});
    auto const socket = std::move(*accepted);
    for (;;) {
      auto const message = co_await socket->receive();
      if (message.has_error()) co_return;
      auto const asked = wire::read_envelope(*message);
      if (asked.has_error()) continue;
      called.emplace(asked->method);
      auto const is_task = asked->method.starts_with("tasks.");
      socket->send(wire::result(asked->id, is_task ? R"({"id":"t","state":"completed","result":1})" : "{}"));
      if (asked->method == "logs.watch") socket->send(wire::notification("log.line", "{}"));
    }
  }

  std::set<std::string, std::less<>> called;
};

TEST_F(ClientOperations, EachIsAFunctionOfTheLibraryOrLeftOutWithAReason) {
  serve([this](net::Exchange& exchange) { return converse(exchange); });
  ClientOptions options;
  options.daemon = url("");
  options.state_dir = "/nonexistent";
  {
    Client client{options};
    auto task = client.submit("return 1");
    task.result();
    task.record();
    task.cancel();
    task.on_event([](Event const&) {});
    client.tasks();
    client.browsers();
    client.wait_for_browser(1s);
    client.tabs();
    client.health();
    client.logs();
    client.follow_logs([](std::string_view) { return false; });
  }
  std::set<std::string, std::less<>> known;
  for (auto const& operation : api::operations()) {
    known.emplace(operation.name);
    EXPECT_NE(called.contains(operation.name), lacking.contains(operation.name))
        << operation.name << " is " << (called.contains(operation.name) ? "reached: take it off the list" : "left out");
  }
  for (auto const& method : called) EXPECT_TRUE(known.contains(method)) << method;
  for (auto const& [name, reason] : lacking) EXPECT_TRUE(known.contains(name)) << name << ": " << reason;
}

}  // namespace
}  // namespace any
