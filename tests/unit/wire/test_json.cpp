#include <gtest/gtest.h>

#include <bit>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <random>
#include <string>

#include "wire/json.hpp"
#include "wire/scanner.hpp"

namespace any::wire {
namespace {

std::string why(std::string_view text, JsonLimits limits = {}) {
  auto const parsed = parse_strict(text, limits);
  return parsed.has_error() ? parsed.error().message : "accepted: " + boost::json::serialize(*parsed);
}

TEST(StrictJson, ReadsWhatIsWellFormed) {
  for (auto const* text : {"null", "true", " [1,2.5,-0,1e3] ", R"({"a":{"b":[{}]},"c":"\u00e4\ud83d\ude00\n"})",
                           "\"x\"", "-0.5E-3", "{}", "[]", "[[],{}]", R"({"":1})"}) {
    EXPECT_TRUE(parse_strict(text).has_value()) << text << ": " << why(text);
  }
}

TEST(StrictJson, NamesLineAndColumnOfWhatIsWrong) {
  EXPECT_EQ(
      why("{\n  \"a\": tru\n}"),
      "This is not the JSON it should be: an unknown word (a value, e.g. null, true, \"text\") at line 2, column 8.");
}

TEST(StrictJson, RefusesEverythingOutsideTheGrammar) {
  for (auto const* text : {"",           " ",           "{",
                           "[",          "[1",          "[1,",
                           "[1,]",       "{\"a\"}",     "{\"a\":}",
                           "{\"a\":1,}", "{a:1}",       "{'a':1}",
                           "nul",        "nullx",       "NaN",
                           "Infinity",   "+1",          "01",
                           "-",          "1.",          ".5",
                           "1e",         "1e+",         "\"",
                           "\"\\x\"",    "\"\\u12g4\"", "\"\t\"",
                           "1 2",        "{} {}",       "[1}",
                           "{\"a\":1]",  "// c\n1",     "\xEF\xBB\xBF{}",
                           "]",          ",",           "\"\\"}) {
    auto const parsed = parse_strict(text);
    ASSERT_TRUE(parsed.has_error()) << text;
    EXPECT_EQ(parsed.error().name, ErrorName::BadRequestError) << text;
  }
}

TEST(StrictJson, RefusesAKeyThatStandsTwiceAtAnyLevel) {
  EXPECT_NE(why(R"({"a":1,"b":2,"a":3})").find("twice at line 1, column 14"), std::string::npos);
  EXPECT_NE(why(R"([{"x":{"y":1,"y":1}}])").find("twice"), std::string::npos);
  EXPECT_NE(why(R"({"a":1,"\u0061":2})").find("twice"), std::string::npos);
  EXPECT_TRUE(parse_strict(R"([{"a":1},{"a":{"a":1}}])").has_value());
}

TEST(StrictJson, RefusesBytesThatAreNotUtf8) {
  EXPECT_NE(why("\"ab\xFF\"").find("not UTF-8 at line 1, column 4"), std::string::npos);
  EXPECT_NE(why("\"\xED\xA0\x80\"").find("not UTF-8"), std::string::npos);
  EXPECT_NE(why("\"\xC0\xAF\"").find("not UTF-8"), std::string::npos);
}

TEST(StrictJson, RefusesHalfASurrogatePair) {
  EXPECT_NE(why(R"("\ud800")").find("surrogate"), std::string::npos);
  EXPECT_NE(why(R"("\udc00\ud800")").find("surrogate"), std::string::npos);
}

TEST(StrictJson, RefusesANumberNoDoubleHolds) {
  EXPECT_NE(why("1e999").find("too large"), std::string::npos);
  EXPECT_NE(why(std::string(400, '9')).find("too large"), std::string::npos);
  EXPECT_TRUE(parse_strict("1e-999").has_value());
}

TEST(StrictJson, ReadsEveryDoubleExactly) {
  std::mt19937_64 random{1};
  std::string text = "[0";
  std::vector<double> numbers{0};
  while (numbers.size() < 20'000) {
    auto const number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    char written[64];
    auto const end = std::to_chars(std::begin(written), std::end(written), number).ptr;
    text.append(",").append(std::begin(written), end);
    numbers.push_back(number);
  }
  auto const parsed = parse_strict(text + "]");
  ASSERT_TRUE(parsed.has_value());
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(parsed->get_array()[i].to_number<double>(), numbers[i]);
  EXPECT_TRUE(std::signbit(parse_strict(R"({"b":1,"a":[-0]})")->at("a").at(0).to_number<double>()));
  EXPECT_EQ(parse_strict("1e-999")->get_double(), 0.0);
}

TEST(StrictJson, RefusesByItsDigitsANumberThatADoubleChangesWhereNumbersAreToBeExact) {
  for (std::string const number :
       {"1524831183200260097", "-9007199254740993", "18446744073709551615", "0.1234567890123456789", "1e-400",
        "5.1e-324", "0.10000000000000000000000000000001", "123456789012345678901234567890"}) {
    auto const read = parse_strict("{\"id\": [" + number + "]}", {64, true});
    ASSERT_TRUE(read.has_error()) << number;
    EXPECT_NE(read.error().message.find(number), std::string::npos) << read.error().message;
    EXPECT_NE(read.error().message.find("in quotes"), std::string::npos) << read.error().message;
    EXPECT_EQ(parse_strict(number).has_error(), false) << number;
  }
  EXPECT_TRUE(parse_strict("1e400", {64, true}).has_error());
}

TEST(StrictJson, LetsEveryNumberPassThatIsTheSameAsADouble) {
  for (std::string const number : {"0",
                                   "-0",
                                   "-0.0",
                                   "0e-999",
                                   "0.1",
                                   "0.10000000000000000000000",
                                   "0.10000000000000001",
                                   "0.30000000000000004",
                                   "0.1000000000000000055511151231257827021181583404541015625",
                                   "1524831183200260096",
                                   "1524831183200260000",
                                   "9007199254740991",
                                   "9007199254740992",
                                   "18446744073709551616",
                                   "1e21",
                                   "1E+21",
                                   "100000000000000000000000",
                                   "1.7976931348623157e308",
                                   "5e-324",
                                   "4.9e-324",
                                   "2.2250738585072014e-308",
                                   "9.5367431640625e-7",
                                   "12.50",
                                   "1764245.125"})
    EXPECT_TRUE(parse_strict(number, {64, true}).has_value()) << number;
  std::mt19937_64 random{7};
  for (int i = 0; i < 20000; ++i) {
    auto const number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    std::array<char, 64> text{};
    auto const* end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    ASSERT_TRUE(carried_by_double({text.data(), end})) << text.data();
    std::snprintf(text.data(), text.size(), "%.17g", number);
    ASSERT_TRUE(carried_by_double(text.data())) << text.data();
  }
}

TEST(StrictJson, AllowsTheDepthOfTheLimitAndNoMore) {
  auto const nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(parse_strict(nested(64)).has_value()) << why(nested(64));
  EXPECT_NE(why(nested(65)).find("more than 64"), std::string::npos);
}

TEST(StrictJson, RefusesTwentyThousandLevelsAtOnce) {
  std::string deep;
  for (int i = 0; i < 20'000; ++i) deep += "{\"a\":[";
  auto const start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(parse_strict(deep).has_error());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{1});
}

TEST(Members, GivesKeysAndRawValuesInOrder) {
  std::string const text = R"( {"id": 1 , "value":{"a" : [1, 2]},"s":"x\"y"} )";
  auto const found = members(text);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(member(*found, "id"), "1");
  EXPECT_EQ(member(*found, "value"), R"({"a" : [1, 2]})");
  EXPECT_EQ(member(*found, "s"), R"("x\"y")");
  EXPECT_EQ(member(*found, "none"), "");
  EXPECT_TRUE(members("{}")->empty());
}

TEST(Members, RefusesRepeatedAndEscapedKeys) {
  EXPECT_TRUE(members(R"({"method":1,"method":2})").has_error());
  EXPECT_TRUE(members(R"({"m\u0065thod":1})").has_error());
  std::string many = "{\"k\":0";
  for (int i = 0; i < 40; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_TRUE(members(many + "}").has_value());
  EXPECT_TRUE(members(many + ",\"k\":1}").has_error());
}

TEST(Members, ChecksTheTextInsideTheValues) {
  EXPECT_TRUE(members(R"({"a":[1,{"b":tru}]})").has_error());
  EXPECT_TRUE(members("{\"a\":\"\xFF\"}").has_error());
  EXPECT_TRUE(members(R"({"a":1} x)").has_error());
  EXPECT_TRUE(members("[1]").has_error());
}

TEST(Members, LetsHalfASurrogateInAPayloadPass) {
  EXPECT_TRUE(members(R"({"value":"\ud800"})").has_value());
}

TEST(StringValue, UndoesEveryEscape) {
  EXPECT_EQ(*string_value(R"("a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00")"), "a\"\\/\b\f\n\r\t\xC3\xA4\xF0\x9F\x98\x80");
  EXPECT_EQ(*string_value(R"("\ud800x")"), "\xEF\xBF\xBDx");
  EXPECT_TRUE(string_value("12").has_error());
  EXPECT_TRUE(string_value("\"a\" 1").has_error());
}

TEST(Quote, MakesTextThatReadsBackTheSame) {
  std::string const text{"a\"\\\n\x01\0z \xC3\xA4", 10};
  EXPECT_EQ(*string_value(quote(text)), text);
  EXPECT_EQ(quote("x\xFFy"), "\"x\xEF\xBF\xBDy\"");
}

}  // namespace
}  // namespace any::wire
