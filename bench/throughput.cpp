// Durable tasks a second, from submit to end, with a simulated browser.
//   throughput any URL EXTENSION_ID TASKS IN_FLIGHT        our daemon: JSON-RPC socket, each end on disk
//   throughput prototype URL TASKS IN_FLIGHT               the prototype's design: REST, in memory
// Prints one line: tasks a second.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "simulated_browser.hpp"
#include "wire/envelope.hpp"

namespace asio = boost::asio;
namespace any::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Count {
  int tasks = 0, in_flight = 0, sent = 0, done = 0;
  Clock::time_point began{};
  double seconds() const { return std::chrono::duration<double>(Clock::now() - began).count(); }
  void report() const { std::printf("%.0f\n", tasks / seconds()); }
};

[[noreturn]] void give_up(Error const& error) {
  std::cerr << "throughput: " << error.message << '\n';
  std::exit(1);
}

Async<void> pause(int milliseconds) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(milliseconds));
  co_await timer.async_wait(asio::use_awaitable);
}

Async<void> browse(SimulatedBrowser& browser, std::string origin) {
  auto const ended = co_await browser.run(std::move(origin));
  if (ended.has_error()) give_up(ended.error());
}

/// Submits with `wait`, so that each answer is a task's end.
Async<void> submit_all(std::string url, SimulatedBrowser& browser, Count& count) {
  while (!browser.linked) co_await pause(5);
  auto connected = co_await net::connect_websocket(url + "/v1/rpc", {}, {});
  if (connected.has_error()) give_up(connected.error());
  auto& socket = *connected.value();
  std::string const params = R"({"script":"return 1","tab":{"open":"http://127.0.0.1/"},"wait":60})";
  count.began = Clock::now();
  auto const send = [&] {
    socket.send(wire::request(static_cast<std::uint64_t>(++count.sent), "tasks.submit", params));
  };
  while (count.sent < count.in_flight) send();
  while (count.done < count.tasks) {
    auto const answer = co_await socket.receive();
    if (answer.has_error()) give_up(answer.error());
    if (answer.value().find("\"state\":\"completed\"") == std::string::npos)
      give_up(Error{ErrorName::InternalError, answer.value()});
    ++count.done;
    if (count.sent < count.tasks) send();
  }
  count.report();
  std::exit(0);
}

// The prototype: an extension on /events that posts each result, programs that post and then ask until it is there.

Async<void> prototype_post(std::string url, std::string path, std::string body) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = url + path;
  request.body = std::move(body);
  request.headers = {{"Content-Type", "application/json"}};
  auto const answer = co_await net::http_call(std::move(request));
  if (answer.has_error()) give_up(answer.error());
}

Async<void> prototype_extension(std::string url, bool& linked) {
  auto connected = co_await net::connect_websocket(url + "/events", {}, {});
  if (connected.has_error()) give_up(connected.error());
  linked = true;
  auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto const message = co_await connected.value()->receive();
    if (message.has_error()) co_return;
    auto const members = wire::members(message.value());
    if (members.has_error()) continue;
    auto const id = wire::string_value(wire::member(members.value(), "id"));
    if (id.has_error()) continue;
    std::string body = R"({"task_id":")" + id.value() + R"(","status":"completed","output":1,"error":null})";
    asio::co_spawn(executor, prototype_post(url, "/task/" + id.value(), std::move(body)), asio::detached);
  }
}

Async<void> prototype_task(std::string url, int number, Count& count) {
  auto const id = "bench-" + std::to_string(number);
  co_await prototype_post(url, "/task", R"({"id":")" + id + R"(","script":"return 1","timeout":30})");
  for (;;) {
    net::ClientRequest request;
    request.url = url + "/task/" + id;
    auto const answer = co_await net::http_call(std::move(request));
    if (answer.has_error()) give_up(answer.error());
    if (answer.value().body.find("\"completed\"") != std::string::npos) break;
    co_await pause(5);
  }
  ++count.done;
}

Async<void> prototype_worker(std::string url, bool& linked, Count& count) {
  while (!linked) co_await pause(5);
  if (count.began == Clock::time_point{}) count.began = Clock::now();
  while (count.sent < count.tasks) co_await prototype_task(url, ++count.sent, count);
  if (count.done == count.tasks) {
    count.report();
    std::exit(0);
  }
}

}  // namespace
}  // namespace any::bench

int main(int argc, char** argv) {
  using namespace any::bench;
  std::string const mode = argc > 1 ? argv[1] : "";
  asio::io_context io{1};
  Count count;
  SimulatedBrowser browser;
  bool linked = false;
  if (mode == "any" && argc == 6) {
    browser.daemon = argv[2];
    count.tasks = std::atoi(argv[4]);
    count.in_flight = std::atoi(argv[5]);
    asio::co_spawn(io, browse(browser, "chrome-extension://" + std::string(argv[3])), asio::detached);
    asio::co_spawn(io, submit_all(argv[2], browser, count), asio::detached);
  } else if (mode == "prototype" && argc == 5) {
    count.tasks = std::atoi(argv[3]);
    count.in_flight = std::atoi(argv[4]);
    asio::co_spawn(io, prototype_extension(argv[2], linked), asio::detached);
    for (int i = 0; i < count.in_flight; ++i)
      asio::co_spawn(io, prototype_worker(argv[2], linked, count), asio::detached);
  } else {
    std::cerr << "usage: throughput any URL EXTENSION_ID TASKS IN_FLIGHT | throughput prototype URL TASKS IN_FLIGHT\n";
    return 2;
  }
  io.run();
}
