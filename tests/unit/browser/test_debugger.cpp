#include "browser/debugger.hpp"

#include <gtest/gtest.h>

namespace any::browser {
namespace {

TEST(DebuggerText, PutsWhatIsAskedInOneOrder) {
  EXPECT_EQ(debugger_send_params({17}, "", "Runtime.evaluate", R"({"expression":"1"})"),
            R"({"tab":17,"method":"Runtime.evaluate","params":{"expression":"1"}})");
  EXPECT_EQ(debugger_send_params({17}, "S1", "Page.enable", ""), R"({"tab":17,"session":"S1","method":"Page.enable"})");
  EXPECT_EQ(debugger_send_params({-1, "T1"}, "", "Page.enable", "{}"),
            R"({"target":"T1","method":"Page.enable","params":{}})");
  EXPECT_EQ(debuggee_params({17}), R"({"tab":17})");
  EXPECT_EQ(debuggee_params({-1, "T1"}, R"("fresh":true)"), R"({"target":"T1","fresh":true})");
}

TEST(DebuggerText, NamesThatAClientMadeUpCannotBreakOut) {
  EXPECT_EQ(debugger_send_params({1}, "a\"b", "c\\d", "{}"),
            R"({"tab":1,"session":"a\"b","method":"c\\d","params":{}})");
}

TEST(DebuggerText, ReadsAnEventOfTheFixedForm) {
  auto const event = read_debugger_event(
      R"({"tab":17,"session":"S1","method":"Network.dataReceived","params":{"tab":9,"x":[{"method":"no"}]}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->debuggee.tab, 17);
  EXPECT_EQ(event->debuggee.target, "");
  EXPECT_EQ(event->session, "S1");
  EXPECT_EQ(event->method, "Network.dataReceived");
  EXPECT_EQ(event->params, R"({"tab":9,"x":[{"method":"no"}]})");
}

TEST(DebuggerText, ReadsAnEventOfATarget) {
  auto const event = read_debugger_event(R"({"target":"AB12","method":"Runtime.enabled","params":{}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->debuggee.tab, -1);
  EXPECT_EQ(event->debuggee.target, "AB12");
  EXPECT_EQ(event->session, "");
}

TEST(DebuggerText, ReadsAnEventOfAnotherOrderToo) {
  auto const event = read_debugger_event(R"({ "method": "A.b", "params": {"x": 1}, "tab": 5 })");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->debuggee.tab, 5);
  EXPECT_EQ(event->method, "A.b");
  EXPECT_EQ(event->params, R"({"x": 1})");
  auto const bare = read_debugger_event(R"({"tab":5,"method":"A.b"})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->params, "{}");
}

TEST(DebuggerText, WhatNamesNoTargetOrNoMethodIsNoEvent) {
  for (std::string_view const text : {R"({"method":"A.b","params":{}})", R"({"tab":5,"params":{}})", "{}", "[]",
                                      R"({"tab":"5","method":"A.b"})", R"({"tab":5,"method":"A\n.b","params":{}})"}) {
    EXPECT_FALSE(read_debugger_event(text)) << text;
  }
}

TEST(DebuggerText, ReadsWhatChromeTells) {
  for (std::string_view const text :
       {R"({"path":"tabs.onCreated","args":[{"id":1},2]})", R"({"args":[{"id":1},2],"path":"tabs.onCreated"})"}) {
    auto const event = read_chrome_event(text);
    ASSERT_TRUE(event) << text;
    EXPECT_EQ(event->path, "tabs.onCreated");
    EXPECT_EQ(event->args, R"([{"id":1},2])");
  }
  EXPECT_FALSE(read_chrome_event(R"({"path":"tabs.onCreated"})"));
  EXPECT_FALSE(read_chrome_event(R"({"path":3,"args":[]})"));
}

TEST(DebuggerText, TakesTheValueOutOfAnAnswer) {
  EXPECT_EQ(answered_value(R"({"value":{"a":{}}})"), R"({"a":{}})");
  EXPECT_EQ(answered_value(R"({ "value" : [1] })"), "[1]");
  EXPECT_EQ(answered_value("{}"), "{}");
}

}  // namespace
}  // namespace any::browser
