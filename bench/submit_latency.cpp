// Submit-to-result of `return 1` in one tab, one after the other, over the RPC socket.
//   submit_latency URL TAB RUNS [world]
// Prints microseconds: median, 90th percentile, minimum.

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "net/http_client.hpp"
#include "wire/envelope.hpp"

namespace {

using namespace any;
using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(std::string const& why) {
  std::cerr << "submit_latency: " << why << '\n';
  std::exit(1);
}

Async<void> measure(std::string url, std::string tab, std::size_t runs) {
  auto connected = co_await net::connect_websocket(url + "/v1/rpc", {}, {});
  if (connected.has_error()) give_up(connected.error().message);
  auto& socket = *connected.value();
  std::string const params = R"({"script":"return 1","tab":)" + tab + R"(,"wait":30})";
  std::vector<double> micros;
  for (std::size_t i = 0; i < runs + 20; ++i) {  // the first twenty warm it up
    auto const began = Clock::now();
    socket.send(wire::request(i + 1, "tasks.submit", params));
    auto const answer = co_await socket.receive();
    auto const took = std::chrono::duration<double, std::micro>(Clock::now() - began).count();
    if (answer.has_error()) give_up(answer.error().message);
    if (answer.value().find("\"state\":\"completed\"") == std::string::npos) give_up(answer.value());
    if (i >= 20) micros.push_back(took);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("%.0f %.0f %.0f\n", micros[micros.size() / 2], micros[micros.size() * 9 / 10], micros.front());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: submit_latency URL TAB RUNS\n";
    return 2;
  }
  boost::asio::io_context io{1};
  boost::asio::co_spawn(io, measure(argv[1], argv[2], static_cast<std::size_t>(std::atoi(argv[3]))),
                        [](std::exception_ptr failure) {
                          if (failure) std::rethrow_exception(failure);
                        });
  io.run();
}
