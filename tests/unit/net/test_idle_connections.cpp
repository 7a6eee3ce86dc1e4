#include <sys/resource.h>

#include <cstdio>
#include <fstream>

#include "fixture.hpp"

namespace any::net {
namespace {

// Kilobytes that the process holds in memory now.
long resident() {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  long kilobytes = 0;
  while (status >> word)
    if (word == "VmRSS:") status >> kilobytes;
  return kilobytes;
}

bool sanitized() {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#endif
#endif
  return false;
}

class IdleConnections : public ServerTest {
 protected:
  // How many connections the file limit allows, both ends being here; 10,000 at most.
  static std::size_t allowed() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::size_t const wanted = 10'000;
    auto const room =
        static_cast<std::size_t>(limit.rlim_cur) > 200 ? (static_cast<std::size_t>(limit.rlim_cur) - 200) / 2 : 0;
    if (room < wanted)
      std::printf("the file limit %lu allows %zu connections of 10,000\n", static_cast<unsigned long>(limit.rlim_cur),
                  room);
    return std::min(wanted, room);
  }

  void measure(std::string const& what, std::string const& first_words, std::string_view answer) {
    auto const count = sanitized() ? std::min<std::size_t>(allowed(), 500) : allowed();
    std::vector<tcp::socket> sockets;
    sockets.reserve(count);
    auto const before = resident();
    for (std::size_t i = 0; i < count; ++i) {
      auto& socket = sockets.emplace_back(connect());
      if (first_words.empty()) continue;
      say(socket, first_words);
      ASSERT_NE(hear_until(socket, answer).find(answer), std::string::npos) << "connection " << i;
    }
    ASSERT_TRUE(eventually([&] { return connections() == count; }));
    auto const each = static_cast<double>(resident() - before) / static_cast<double>(count);
    std::printf("%s: %.1f kB resident each, %zu connections (both ends)\n", what.c_str(), each, count);
    if (!sanitized()) {
      EXPECT_LT(each, 40.0);
    }
    EXPECT_TRUE(ask("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("GET /last|"));
    sockets.clear();
    EXPECT_TRUE(eventually([&] { return connections() == 0; }, std::chrono::seconds{60}));
  }
};

TEST_F(IdleConnections, CostLittleBeforeTheirFirstByte) {
  serve(echo);
  measure("silent", "", "");
}

TEST_F(IdleConnections, CostLittleAfterARequest) {
  serve(echo);
  measure("kept alive", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "GET /x|");
}

TEST_F(IdleConnections, CostLittleAsWebSockets) {
  serve([](Exchange& exchange) -> Async<void> {
    if (!exchange.head().upgrade) co_return co_await echo(exchange);
    auto accepted = co_await exchange.accept({});
    co_await (*accepted)->receive();
  });
  measure("WebSocket",
          "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          "\r\n\r\n");
}

}  // namespace
}  // namespace any::net
