// Bytes as text and back.
#include <gtest/gtest.h>

#include "base/encoding.hpp"

namespace any {
namespace {

TEST(Base64, IsTheStandardsWithPadding) {
  for (auto const& [bytes, text] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  EXPECT_EQ(from_base64(to_base64(every)), every);
}

TEST(Base64, WhatIsNoneIsNotRead) {
  for (auto const* text : {"Zg", "Zg=", "Zm8", "Z!==", "Zm9v\n", "Z===", "Zg==Zg==", "Zm9-"})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Hex, IsLowerCaseAndReadsBoth) {
  EXPECT_EQ(to_hex(std::string_view("\x00\xAf\x10", 3)), "00af10");
  EXPECT_EQ(hex_value('0'), 0);
  EXPECT_EQ(hex_value('f'), 15);
  EXPECT_EQ(hex_value('F'), 15);
  for (char const c : {'g', 'G', '/', ':', '@', '`', ' '}) EXPECT_EQ(hex_value(c), -1) << c;
}

}  // namespace
}  // namespace any
