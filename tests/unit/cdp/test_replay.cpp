#include "cdp/model/replay.hpp"

#include <gtest/gtest.h>

namespace any::cdp {
namespace {

std::vector<std::string> params_of(std::vector<Replay::Told> const& all) {
  std::vector<std::string> found;
  for (auto const& told : all) found.push_back(told.params);
  return found;
}
using Texts = std::vector<std::string>;

TEST(Replay, KeepsConsoleLinesAndExceptionsInTheirOrderUntilTheContextsAreCleared) {
  Replay replay;
  replay.note("Runtime.consoleAPICalled", R"({"type":"log"})");
  replay.note("Runtime.exceptionThrown", R"({"exceptionDetails":{"exceptionId":7}})");
  replay.note("Network.dataReceived", "{}");
  EXPECT_EQ(params_of(replay.for_domain("Runtime")),
            (Texts{R"({"type":"log"})", R"({"exceptionDetails":{"exceptionId":7}})"}));
  EXPECT_TRUE(replay.for_domain("Log").empty());
  replay.note("Runtime.exceptionRevoked", R"({"reason":"","exceptionId":7})");
  EXPECT_EQ(replay.for_domain("Runtime").size(), 1U);
  replay.note("Runtime.executionContextsCleared", "{}");
  EXPECT_TRUE(replay.for_domain("Runtime").empty());
}

TEST(Replay, ForgetsAScriptWithItsExecutionContext) {
  Replay replay;
  replay.note("Debugger.scriptParsed", R"({"scriptId":"1","url":"\"executionContextId\":9","executionContextId":2})");
  replay.note("Debugger.scriptFailedToParse", R"({"scriptId":"2","executionContextId":3})");
  replay.note("Runtime.executionContextDestroyed", R"({"executionContextId":9,"executionContextUniqueId":"x"})");
  EXPECT_EQ(replay.for_domain("Debugger").size(), 2U);
  replay.note("Runtime.executionContextDestroyed", R"({"executionContextId":2,"executionContextUniqueId":"x"})");
  ASSERT_EQ(replay.for_domain("Debugger").size(), 1U);
  EXPECT_EQ(replay.for_domain("Debugger")[0].method, "Debugger.scriptFailedToParse");
}

TEST(Replay, ForgetsAStyleSheetThatIsRemovedAndThoseOfAFrameThatGoes) {
  Replay replay;
  auto const sheet = [](std::string const& id, std::string const& frame) {
    return R"({"header":{"styleSheetId":")" + id + R"(","frameId":")" + frame + R"("}})";
  };
  replay.note("CSS.styleSheetAdded", sheet("a", "F1"));
  replay.note("CSS.styleSheetAdded", sheet("b", "F1"));
  replay.note("CSS.styleSheetAdded", sheet("c", "F2"));
  replay.note("CSS.styleSheetAdded", sheet("d", "F3"));
  replay.note("CSS.styleSheetRemoved", R"({"styleSheetId":"a"})");
  replay.note("Page.frameDetached", R"({"frameId":"F2","reason":"remove"})");
  replay.note("Page.frameNavigated", R"({"frame":{"id":"F3","parentId":"F1","url":"https://x"}})");
  EXPECT_EQ(params_of(replay.for_domain("CSS")), (Texts{sheet("b", "F1")}));
  replay.note("Page.frameNavigated", R"({"frame":{"id":"F1","url":"https://x/?\"parentId\":1"}})");
  EXPECT_TRUE(replay.for_domain("CSS").empty());
}

TEST(Replay, TheMainFramesNavigationVoidsWhatWasBeforeAndNotWhatTheNewPageHasSaidAlready) {
  Replay replay;
  replay.note("Runtime.consoleAPICalled", R"({"of":"old"})");
  replay.note("Log.entryAdded", R"({"entry":{}})");
  replay.note("Runtime.executionContextsCleared", "{}");
  replay.note("Runtime.consoleAPICalled", R"({"of":"new"})");
  replay.note("Page.frameNavigated", R"({"frame":{"id":"F","url":"https://x"}})");
  EXPECT_EQ(params_of(replay.for_domain("Runtime")), (Texts{R"({"of":"new"})"}));
  EXPECT_TRUE(replay.for_domain("Log").empty());
  replay.note("Page.frameNavigated", R"({"frame":{"id":"F","url":"https://y"}})");
  EXPECT_TRUE(replay.for_domain("Runtime").empty());
}

TEST(Replay, TellsOfEachFramesPresentDocumentHowFarItHasLoaded) {
  Replay replay;
  auto const life = [](std::string const& frame, std::string const& loader, std::string const& name) {
    return R"({"frameId":")" + frame + R"(","loaderId":")" + loader + R"(","name":")" + name + R"(","timestamp":1})";
  };
  auto const note = [&](auto const&... of) { replay.note("Page.lifecycleEvent", life(of...)); };
  note("A", "1", "init");
  note("A", "1", "commit");
  note("A", "1", "load");
  note("B", "2", "load");
  note("C", "3", "load");
  EXPECT_EQ(params_of(replay.lifecycle()),
            (Texts{life("A", "1", "commit"), life("A", "1", "load"), life("B", "2", "load"), life("C", "3", "load")}));
  note("A", "4", "init");
  note("B", "5", "commit");
  replay.note("Page.frameDetached", R"({"frameId":"C","reason":"swap"})");
  EXPECT_EQ(params_of(replay.lifecycle()), (Texts{life("B", "5", "commit")}));
}

TEST(Replay, ForgetsWhatItsCommandsClearAndADomainThatNobodyHasOn) {
  Replay replay;
  auto const fill = [&replay] {
    replay.note("Runtime.consoleAPICalled", "{}");
    replay.note("Log.entryAdded", "{}");
    replay.note("Debugger.scriptParsed", "{}");
  };
  fill();
  replay.note("Log.clear", "{}");
  replay.note("Runtime.discardConsoleEntries", "{}");
  EXPECT_TRUE(replay.for_domain("Log").empty());
  EXPECT_TRUE(replay.for_domain("Runtime").empty());
  EXPECT_EQ(replay.for_domain("Debugger").size(), 1U);
  replay.forget("Debugger");
  EXPECT_TRUE(replay.for_domain("Debugger").empty());
  fill();
  replay.clear();
  EXPECT_TRUE(replay.for_domain("Log").empty());
}

TEST(Replay, GivesTheOldestUpBeyondItsBounds) {
  Replay replay;
  for (int i = 0; i < 1'500; ++i) replay.note("Runtime.consoleAPICalled", R"({"n":)" + std::to_string(i) + "}");
  ASSERT_EQ(replay.for_domain("Runtime").size(), 1'000U);
  EXPECT_EQ(replay.for_domain("Runtime").front().params, R"({"n":500})");
  std::string const large(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 20; ++i) replay.note("Debugger.scriptParsed", large);
  EXPECT_EQ(replay.for_domain("Debugger").size(), 7U);
  replay.note("Debugger.scriptParsed", std::string(std::size_t{9} << 20, 'x'));
  EXPECT_TRUE(replay.for_domain("Debugger").empty());
}

}  // namespace
}  // namespace any::cdp
