// What a client's message may look like: whatever Chrome's own endpoint takes.

#include <gtest/gtest.h>

#include "cdp/protocol/command.hpp"

namespace any::cdp {
namespace {

std::string message(std::string const& members) {
  return R"({"method":"Browser.getVersion",)" + members + "}";
}

TEST(Commands, ParamsThatAreNoneMayBeWrittenAsSuch) {
  for (std::string const none : {"null", "[]", "{}"}) {
    auto const read = read_command(1, message(R"("id":1,"params":)" + none));
    ASSERT_TRUE(read.has_value()) << none;
    EXPECT_EQ(read->params, "{}");
  }
  for (std::string const wrong : {"false", "7", R"("x")"}) {
    auto const read = read_command(1, message(R"("id":1,"params":)" + wrong));
    ASSERT_TRUE(read.has_error()) << wrong;
    EXPECT_EQ(read.error().failure.message, "Message may have object 'params' property");
    EXPECT_EQ(read.error().id, "1");
  }
}

TEST(Commands, AnIdIsAnyWholeNumberHoweverItIsWritten) {
  std::vector<std::pair<std::string, std::string>> const ids{{"0", "0"},
                                                             {"-1", "-1"},
                                                             {"2147483647", "2147483647"},
                                                             {"-2147483648", "-2147483648"},
                                                             {"-0", "0"},
                                                             {"1.0", "1"},
                                                             {"1e3", "1000"},
                                                             {"1E2", "100"},
                                                             {"-2.0", "-2"}};
  for (auto const& [written, answered] : ids) {
    auto const read = read_command(1, message(R"("id":)" + written));
    ASSERT_TRUE(read.has_value()) << written;
    EXPECT_EQ(read->ticket.id, answered) << written;
  }
  for (std::string const wrong : {"1.5", "null", "true", R"("1")", "99999999999999999999", "1e300", "[]"}) {
    auto const read = read_command(1, message(R"("id":)" + wrong));
    ASSERT_TRUE(read.has_error()) << wrong;
    EXPECT_EQ(read.error().failure.message, "Message must have integer 'id' property");
  }
}

TEST(Commands, ASessionThatIsEmptyIsTheSocketsOwn) {
  auto const read = read_command(1, message(R"("id":1,"sessionId":"")"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->ticket.session, "");
  EXPECT_TRUE(read_command(1, message(R"("id":1,"sessionId":null)")).has_error());
}

TEST(Commands, AMemberThatIsNotOfTheProtocolIsRefusedAndItsSenderNamed) {
  for (std::string const more : {R"("jsonrpc":"2.0","id":1)", R"("id":1,"extra":null)"}) {
    auto const read = read_command(1, message(more));
    ASSERT_TRUE(read.has_error());
    EXPECT_EQ(read.error().id, "1");
    EXPECT_EQ(read.error().failure.code, code::not_a_request);
  }
}

}  // namespace
}  // namespace any::cdp
