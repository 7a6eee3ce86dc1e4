#include "browser/messages.hpp"

#include <gtest/gtest.h>

namespace any::browser {
namespace {

task::SendStart a_start() {
  task::SendStart start;
  start.browser = "b";
  start.run = {"t1", 2, 0};
  start.request.script = "return \"\n\"";
  start.request.args = R"({"a":[1,2]})";
  start.avoid = {3, 4};
  return start;
}

TEST(StartParams, PutTheScriptLastAndTheArgsAsTheyCame) {
  EXPECT_EQ(start_params(a_start()),
            R"({"task":"t1","attempt":2,"hop":0,"tab":"active","frame":"main","world":"main","timeout_ms":30000,)"
            R"("file":"script.js","avoid":[3,4],"args":{"a":[1,2]},"state":null,"script":"return \"\n\""})");
}

TEST(StartParams, OfAHopNameItsTabAndWhereItGoes) {
  auto start = a_start();
  start.run.hop = 3;
  start.hop_tab = 17;
  start.opened_tab = true;
  start.hop_url = "http://127.0.0.1/next";
  start.hop_state = R"({"page":2})";
  start.request.timeout.reset();
  auto const text = start_params(start);
  EXPECT_NE(text.find(R"("tab":{"hop":17,"opened":true})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("timeout_ms":null)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("navigate":"http://127.0.0.1/next")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("state":{"page":2})"), std::string::npos) << text;
}

TEST(StartParams, SayWhichTabAndFrameAreMeant) {
  auto start = a_start();
  start.request.tab = {.kind = task::TabSpec::Kind::open, .url = "http://x/", .background = false, .keep = true};
  start.request.frame = {.kind = task::FrameSpec::Kind::url, .url = "http://y/*"};
  auto const text = start_params(start);
  EXPECT_NE(text.find(R"("tab":{"open":"http://x/","background":false,"keep":true})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("frame":{"url":"http://y/*"})"), std::string::npos) << text;
}

TEST(PrototypeTask, HasItsThreeFieldsAndTheTimeoutInSeconds) {
  auto start = a_start();
  start.request.id = "t1";
  EXPECT_EQ(prototype_task(start), R"({"id":"t1","script":"return \"\n\"","timeout":30})");
}

TEST(Finish, CutsTheValueOutAsItStands) {
  auto const read = read_finish(
      R"({"task":"t","attempt":1,"hop":0,"injection":"debugger","tab":{"id":5,"url":"u","title":"\ud800"},"started":true,)"
      R"("outcome":"value","value":{"b" : 1.50,"a":"\u00e9"}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->outcome.value, R"({"b" : 1.50,"a":"\u00e9"})");
  EXPECT_EQ(read->outcome.injection, task::Injection::debugger);
  EXPECT_EQ(read->outcome.tab->id, 5);
  EXPECT_EQ(read->outcome.tab->title, "\xEF\xBF\xBD") << "half a surrogate pair";
}

TEST(Finish, WithoutAValueIsUndefined) {
  auto const read = read_finish(R"({"task":"t","attempt":1,"hop":0,"started":true,"outcome":"value"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->outcome.kind, task::Outcome::Kind::value);
  EXPECT_FALSE(read->outcome.value);
}

TEST(Finish, ReadsAnErrorWhateverTextsThePagePutIntoIt) {
  auto const read = read_finish(R"({"task":"t","attempt":1,"hop":0,"started":"unknown","outcome":"error",)"
                                R"("error":{"name":"ScriptError","message":"\udc00 broke","line":3}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->outcome.kind, task::Outcome::Kind::error);
  EXPECT_EQ(read->outcome.started, task::Outcome::Started::unknown);
  EXPECT_EQ(read->outcome.error.name, ErrorName::ScriptError);
  EXPECT_EQ(read->outcome.error.message, "\xEF\xBF\xBD broke");
  EXPECT_EQ(read->outcome.error.extra.at("line"), 3);
}

TEST(Finish, ReadsTheNextPageAndItsState) {
  auto const read =
      read_finish(R"({"task":"t","attempt":1,"hop":2,"started":true,"outcome":"next","url":"http://x/","state":[1]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->outcome.kind, task::Outcome::Kind::next);
  EXPECT_EQ(read->outcome.url, "http://x/");
  EXPECT_EQ(read->outcome.state, "[1]");
}

TEST(Finish, OfAnUnknownKindEndsTheTaskAllTheSame) {
  auto const read = read_finish(R"({"task":"t","attempt":1,"hop":0,"outcome":"maybe"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->outcome.kind, task::Outcome::Kind::error);
  EXPECT_EQ(read->outcome.error.name, ErrorName::InternalError);
}

TEST(Finish, ThatNamesNoRunIsRefused) {
  EXPECT_FALSE(read_finish(R"({"attempt":1,"hop":0,"outcome":"value"})"));
  EXPECT_FALSE(read_finish(R"({"task":"t","attempt":0,"hop":0,"outcome":"value"})"));
  EXPECT_FALSE(read_finish("[]"));
}

TEST(Finish, DecodesTheScreenshot) {
  auto const read =
      read_finish(R"({"task":"t","attempt":1,"hop":0,"outcome":"error","error":{},"screenshot":"iVBORw=="})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->outcome.screenshot, "\x89PNG");
}

TEST(Holds, AreReadAndUnreadableOnesLeftOut) {
  auto const params = Fields::read(R"({"holds":[{"task":"t","attempt":1,"hop":0,"state":"running"}, 7, {"task":"u"},)"
                                   R"({"task":"v","attempt":2,"hop":1,"state":"finished"}]})");
  ASSERT_TRUE(params);
  auto const holds = read_holds(*params);
  ASSERT_EQ(holds.size(), 2U);
  EXPECT_EQ(holds[0].phase, task::Hold::Phase::running);
  EXPECT_EQ(holds[1].run, (task::RunKey{"v", 2, 1}));
}

TEST(StartAnswer, IsAcceptedOrBusyAndNothingElse) {
  EXPECT_EQ(read_start_answer(R"({"busy":17})")->busy, 17);
  EXPECT_EQ(read_start_answer(R"({"accepted":true,"tab":{"id":4,"url":"u","title":"t"}})")->tab.id, 4);
  EXPECT_FALSE(read_start_answer("{}"));
  EXPECT_FALSE(read_start_answer(R"({"accepted":true})"));
}

TEST(Time, IsReadAsTextAndAsANumber) {
  auto const line = Fields::read(R"({"a":"1970-01-02T00:00:01.005Z","b":12,"c":"soon"})");
  EXPECT_EQ(read_time(*line, "a"), 86'401'005);
  EXPECT_EQ(read_time(*line, "b"), 12);
  EXPECT_FALSE(read_time(*line, "c"));
}

}  // namespace
}  // namespace any::browser
