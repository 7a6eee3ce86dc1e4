#include "net/http_parser.hpp"

#include <gtest/gtest.h>

namespace any::net {
namespace {

constexpr std::string_view head = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(HttpParser, ReadsChunksThatComeByteForByte) {
  auto const parser = request_parser(16 << 10);
  std::string held;
  for (char const c : std::string{head} + "3\r\nabc\r\n0\r\n\r\n") {
    held += c;
    auto const used = parser->put(held);
    ASSERT_TRUE(used.has_value()) << used.error().message;
    held.erase(0, *used);
  }
  EXPECT_TRUE(parser->done());
  EXPECT_EQ(parser->take_body(), "abc");
}

TEST(HttpParser, WaitsForTheRestOfTheLastChunkHoweverOftenItIsAsked) {
  for (std::string const cut : {"0\r\n", "0%\r\n", "0\r\n\r"}) {
    auto const parser = request_parser(16 << 10);
    ASSERT_EQ(parser->put(head).value(), head.size());
    for (int times = 0; times < 3; ++times) {
      auto const used = parser->put(cut);
      ASSERT_TRUE(used.has_value()) << cut;
      EXPECT_EQ(*used, 0U) << cut;
      EXPECT_FALSE(parser->done()) << cut;
    }
  }
}

}  // namespace
}  // namespace any::net
