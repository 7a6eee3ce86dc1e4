#include <gtest/gtest.h>

#include <string>

#include "wire/envelope.hpp"

namespace any::wire {
namespace {

using Kind = Envelope::Kind;

TEST(ReadEnvelope, TellsTheFourKindsApart) {
  auto const call = read_envelope(R"({"jsonrpc":"2.0","id":7,"method":"tasks.get","params":{"id":"x"}})");
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->kind, Kind::request);
  EXPECT_EQ(call->id, "7");
  EXPECT_EQ(call->method, "tasks.get");
  EXPECT_EQ(call->params, R"({"id":"x"})");

  EXPECT_EQ(read_envelope(R"({"jsonrpc":"2.0","method":"log.line"})")->kind, Kind::notification);
  auto const answer = read_envelope(R"({"jsonrpc":"2.0","id":"q","result":null})");
  EXPECT_EQ(answer->kind, Kind::response);
  EXPECT_EQ(answer->id, "\"q\"");
  EXPECT_EQ(answer->result, "null");
  EXPECT_EQ(read_envelope(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}})")->kind, Kind::error);
}

TEST(ReadEnvelope, FindsItsMembersBehindALargePayloadToo) {
  std::string const payload = "[\"" + std::string(100'000, 'x') + "\"]";
  std::string const text = R"({"params":)" + payload + R"(,"method":"m","id":3,"jsonrpc":"2.0","extra":true})";
  auto const found = read_envelope(text);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->kind, Kind::request);
  EXPECT_EQ(found->params, payload);
}

TEST(ReadEnvelope, CallsWellFormedJsonThatIsNoMessageInvalidAndKeepsItsId) {
  for (auto const* text :
       {R"({"id":5})", R"({"jsonrpc":"2.0","id":5})", R"({"jsonrpc":"1.0","id":5,"method":"m"})",
        R"({"jsonrpc":"2.0","id":5,"method":7})", R"({"jsonrpc":"2.0","id":5,"method":"m","params":3})",
        R"({"jsonrpc":"2.0","id":5,"result":1,"error":{}})", R"({"jsonrpc":"2.0","id":5,"error":"e"})"}) {
    auto const found = read_envelope(text);
    ASSERT_TRUE(found.has_value()) << text;
    EXPECT_EQ(found->kind, Kind::invalid) << text;
    EXPECT_EQ(found->id, "5") << text;
    EXPECT_FALSE(found->problem.empty()) << text;
  }
  EXPECT_EQ(read_envelope("[]")->kind, Kind::invalid);
  EXPECT_EQ(read_envelope("17")->kind, Kind::invalid);
  EXPECT_EQ(read_envelope(R"({"jsonrpc":"2.0","id":{},"method":"m"})")->kind, Kind::invalid);
}

TEST(ReadEnvelope, RefusesMalformedTextAndTwoMethods) {
  EXPECT_TRUE(read_envelope("").has_error());
  EXPECT_TRUE(read_envelope("{").has_error());
  EXPECT_TRUE(read_envelope(R"({"jsonrpc":"2.0","method":"a","method":"b"})").has_error());
  EXPECT_TRUE(read_envelope(R"({"jsonrpc":"2.0","method":"a","\u006dethod":"b"})").has_error());
  EXPECT_TRUE(read_envelope(R"({"jsonrpc":"2.0","method":"a","params":{"x":}})").has_error());
}

TEST(Builders, PutTheHeadFirst) {
  EXPECT_EQ(request(4, "chrome.call", R"({"path":"tabs.query"})"),
            R"({"jsonrpc":"2.0","id":4,"method":"chrome.call","params":{"path":"tabs.query"}})");
  EXPECT_EQ(notification("log.line", "{}"), R"({"jsonrpc":"2.0","method":"log.line","params":{}})");
  EXPECT_EQ(result("\"a\"", "[1]"), R"({"jsonrpc":"2.0","id":"a","result":[1]})");
  EXPECT_EQ(result("", "1"), R"({"jsonrpc":"2.0","id":null,"result":1})");
}

TEST(Builders, GiveErrorsTheCodeOfTheirName) {
  Error const bad{ErrorName::BadRequestError, "no \"such\" field", {{"path", "x"}}};
  auto const text = error("9", bad);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":9,"error":{"code":-32602,"message":"no \"such\" field",)"
                  R"("data":{"name":"BadRequestError","message":"no \"such\" field","path":"x"}}})");
  EXPECT_NE(error("9", {ErrorName::NotFoundError, "m"}).find("-32000"), std::string::npos);
  EXPECT_NE(error("", bad, code::malformed).find("\"id\":null,\"error\":{\"code\":-32700"), std::string::npos);
}

TEST(ReadError, GivesBackWhatWasSent) {
  Error const sent{ErrorName::TabNotFoundError, "gone", {{"tabs", boost::json::array{1, 2}}}};
  auto const text = error("1", sent);
  auto const got = read_error(read_envelope(text)->error);
  EXPECT_EQ(got.name, sent.name);
  EXPECT_EQ(got.message, sent.message);
  EXPECT_EQ(got.extra, sent.extra);
}

TEST(ReadError, CallsAStrangersErrorAProtocolError) {
  auto const got = read_error(R"({"code":-32601,"message":"no such method"})");
  EXPECT_EQ(got.name, ErrorName::ProtocolError);
  EXPECT_EQ(got.message, "no such method (code -32601)");
}

}  // namespace
}  // namespace any::wire
