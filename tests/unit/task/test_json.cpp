#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "task/deadlines.hpp"
#include "task/json.hpp"
#include "task/transitions.hpp"

namespace any::task {
namespace {

std::string path_of(std::string const& body) {
  auto const request = request_from_json(boost::json::parse(body));
  if (!request.has_error()) return "accepted";
  EXPECT_EQ(request.error().name, ErrorName::BadRequestError) << body;
  return std::string{std::string_view{request.error().extra.at("path").as_string()}};
}

Request read(std::string const& body) {
  return request_from_json(boost::json::parse(body)).value();
}

TEST(RequestJson, TheScriptAloneIsEnoughAndTheDefaultsAreTheProtocols) {
  auto const request = read(R"({"script":"return 1"})");
  EXPECT_EQ(request.args, "null");
  EXPECT_EQ(request.file, "script.js");
  EXPECT_EQ(request.timeout, 30'000);
  EXPECT_EQ(request.queue_timeout, 60'000);
  EXPECT_EQ(request.tab.kind, TabSpec::Kind::active);
  EXPECT_TRUE(request.id.empty());
}

TEST(RequestJson, EveryFieldIsRead) {
  auto const request = read(R"({"script":"s","args":{"b":[1]},"id":"A.b:c-_9","file":"x.js","browser":"work",
    "tab":{"open":"https://e.x/","background":false,"keep":true},"frame":{"url":"https://*.e.x/*"},"world":"user",
    "timeout":1.5,"queue_timeout":null,"retries":2,"priority":-1000,"labels":{"k":"v"}})");
  EXPECT_EQ(request.args, R"({"b":[1]})");
  EXPECT_EQ(request.tab.kind, TabSpec::Kind::open);
  EXPECT_FALSE(request.tab.background);
  EXPECT_TRUE(request.tab.keep);
  EXPECT_EQ(request.frame.url, "https://*.e.x/*");
  EXPECT_EQ(request.world, World::user);
  EXPECT_EQ(request.timeout, 1'500);
  EXPECT_EQ(request.queue_timeout, std::nullopt);
  EXPECT_EQ(request.labels.at("k"), "v");
}

TEST(RequestJson, WhatIsWrongIsNamedByItsPath) {
  EXPECT_EQ(path_of("[]"), "");
  EXPECT_EQ(path_of("{}"), "script");
  EXPECT_EQ(path_of(R"({"script":1})"), "script");
  EXPECT_EQ(path_of(R"({"script":"","scirpt":""})"), "scirpt");
  EXPECT_EQ(path_of(R"({"script":"","id":"a b"})"), "id");
  EXPECT_EQ(path_of(R"({"script":"","id":""})"), "id");
  EXPECT_EQ(path_of(R"({"script":"","tab":"other"})"), "tab");
  EXPECT_EQ(path_of(R"({"script":"","tab":-1})"), "tab");
  EXPECT_EQ(path_of(R"({"script":"","tab":1.5})"), "tab");
  EXPECT_EQ(path_of(R"({"script":"","tab":{"url":"example"}})"), "tab.url");
  EXPECT_EQ(path_of(R"({"script":"","tab":{"url":"https://a/*","keep":true}})"), "tab.keep");
  EXPECT_EQ(path_of(R"({"script":"","tab":{"open":"javascript:alert"
}
})"),
            "tab.open");
  EXPECT_EQ(path_of(R"({"script":"","frame":{}})"), "frame.url");
  EXPECT_EQ(path_of(R"({"script":"","world":"moon"})"), "world");
  EXPECT_EQ(path_of(R"({"script":"","timeout":0})"), "timeout");
  EXPECT_EQ(path_of(R"({"script":"","timeout":"1"})"), "timeout");
  EXPECT_EQ(path_of(R"({"script":"","queue_timeout":-1})"), "queue_timeout");
  EXPECT_EQ(path_of(R"({"script":"","retries":-1})"), "retries");
  EXPECT_EQ(path_of(R"({"script":"","priority":1001})"), "priority");
  EXPECT_EQ(path_of(R"({"script":"","labels":{"a":1}})"), "labels.a");
  EXPECT_EQ(path_of(R"({"script":"","queue_timeout":0})"), "accepted");
}

TEST(RequestJson, OnlyAddressesWhereScriptsCanRunAreOpened) {
  auto const opened = [](std::string const& url) {
    return path_of(boost::json::serialize(boost::json::object{{"script", ""}, {"tab", {{"open", url}}}}));
  };
  for (auto const* good : {"http://a.example/", "https://a.example/", "file:///home/page.html", "HTTP://A.example",
                           " https://a.example/\n", "File:///x"})
    EXPECT_EQ(opened(good), "accepted") << good;
  for (auto const* bad :
       {"", "a.example", "about:blank", "data:text/html,x", "blob:https://a.example/1", "chrome://version",
        "chrome-extension://a/b.html", "view-source:https://a.example/", "javascript:1"})
    EXPECT_EQ(opened(bad), "tab.open") << bad;
}

TEST(RequestJson, AddressesAreKeptWithoutTheBlanksAroundThem) {
  EXPECT_EQ(read(R"({"script":"s","tab":{"open":" \tHTTP://a.example/x y\n"}})").tab.url, "HTTP://a.example/x y");
  EXPECT_EQ(read(R"({"script":"s","tab":{"url":" *://*/* "}})").tab.url, "*://*/*");
  EXPECT_EQ(read(R"({"script":"s","frame":{"url":" https://a.example/*\n"}})").frame.url, "https://a.example/*");
}

TEST(RequestJson, MatchPatternsAreThoseOfChromeForPagesWithScripts) {
  for (auto const* good :
       {"<all_urls>", "*://*/*", "https://*.example.com/*", "http://localhost:8000/x*", "file:///home/*",
        "http://[::1]/*", "http://[::1]:8000/*", "https://*:8443/*", "HTTPS://*.Example.com/*", "FILE:///x"})
    EXPECT_TRUE(check_match_pattern(good, "p").has_value()) << good;
  for (auto const* bad :
       {"", "example.com", "https://example.com", "https://*foo.com/*", "https://a.*/*", "gopher://x/*", "https:///x",
        "ftp://x/*", "chrome-extension://x/*", "https://a:b:80/*", "file://x"})
    EXPECT_TRUE(check_match_pattern(bad, "p").has_error()) << bad;
}

TEST(RequestJson, TheSameBodyInAnotherOrderIsTheSameText) {
  auto const a = request_to_canonical(read(R"({"id":"1","script":"s","args":{"x":1,"y":{"b":1,"a":2}},"timeout":30})"));
  auto const b = request_to_canonical(read(R"({"args":{"y":{"a":2,"b":1},"x":1},"script":"s"})"));
  EXPECT_EQ(a, b);
  EXPECT_NE(a, request_to_canonical(read(R"({"script":"s"})")));
}

Record full_record() {
  Record record;
  record.request =
      read(R"({"script":"s","args":[1],"id":"t","tab":17,"frame":3,"world":"isolated","labels":{"k":"v"}})");
  record.state = State::failed;
  record.error = Error{ErrorName::NavigatedError, "away", {{"started", "unknown"}}};
  record.injection = Injection::user_scripts;
  record.browser = "a";
  record.tab = TabInfo{17, "http://x/", "ti\"tle"};
  record.attempts = {Attempt{1, "a", 10, 11, 12, record.error, "i1", true},
                     Attempt{2, "a", 13, {}, {}, {}, "i2", false}};
  record.hop = 2;
  record.hop_url = "http://x/2";
  record.hop_state = R"({ "spaces":  1 })";
  record.opened_tab = record.hop_due = record.has_screenshot = true;
  record.console = {{9, "log", "text\n", 3, 4}, {10, "warn", "w", 0, 0}};
  record.progress = "[1.50]";
  record.created = 1'767'225'600'000;
  record.started = 11;
  record.last_seq = 42;
  return record;
}

TEST(JournalJson, ARecordComesBackAsItWasButForScriptAndArgs) {
  auto const record = full_record();
  auto back = from_journal(to_journal(record)).value();
  EXPECT_EQ(to_journal(back), to_journal(record));
  EXPECT_EQ(back.attempts.at(0).instance, "i1");
  EXPECT_TRUE(back.attempts.at(0).requeued);
  EXPECT_EQ(back.hop_state, record.hop_state);
  EXPECT_TRUE(back.hop_due);
  EXPECT_TRUE(back.request.script.empty());
  back.request.script = record.request.script;
  back.request.args = record.request.args;
  EXPECT_EQ(record_to_json(back), record_to_json(record));
}

TEST(JournalJson, DamagedTextIsAnErrorAndNoCrash) {
  for (auto const* text : {"", "{", "{}", "[]", R"({"request":1,"state":"queued"})",
                           R"({"request":{"id":"x","tab":[9],"frame":[]},"state":"no"})"})
    EXPECT_TRUE(from_journal(text).has_error()) << text;
}

TEST(RecordJson, TheRecordIsThatOfTheProtocolAndItsValuesAreUntouched) {
  auto const text = record_to_json(full_record(), "[-0, 1e400]");
  EXPECT_NE(text.find(R"("result":[-0, 1e400])"), std::string::npos);
  EXPECT_NE(text.find(R"("progress":[1.50])"), std::string::npos);
  auto const json = boost::json::parse(record_to_json(full_record())).as_object();
  EXPECT_EQ(json.at("created"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(json.at("target"), 17);
  EXPECT_EQ(json.at("hops"), 2);
  EXPECT_EQ(json.at("injection"), "userScripts");
  EXPECT_EQ(json.at("screenshot"), "/v1/tasks/t/screenshot");
  EXPECT_TRUE(json.at("result_type").is_null());
  EXPECT_EQ(json.at("console").as_array().size(), 2U);
  EXPECT_TRUE(json.at("console").at(1).at("line").is_null());
  auto const brief = boost::json::parse(summary_to_json(full_record())).as_object();
  for (auto const* absent : {"result", "console", "args"}) EXPECT_FALSE(brief.contains(absent)) << absent;
}

TEST(RecordJson, AnEventsDataStandsBesideItsNumberTimeAndKind) {
  EXPECT_EQ(event_to_json({1, 0, "queued", "{}"}), R"({"seq":1,"time":"1970-01-01T00:00:00.000Z","kind":"queued"})");
  EXPECT_EQ(event_to_json({2, 0, "progress", R"({"value":1})"}),
            R"({"seq":2,"time":"1970-01-01T00:00:00.000Z","kind":"progress","value":1})");
}

TEST(RecordJson, BytesThatAreNoTextBecomeReplacementCharacters) {
  EXPECT_EQ(json_text("a\xFF\xC3\xA4\xED\xA0\x80"), "\"a\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(Transitions, NothingFollowsAnEndAndOnlyADispatchedTaskBeginsToRun) {
  for (auto const from : {State::completed, State::failed, State::cancelled})
    for (int to = 0; to < 6; ++to) EXPECT_FALSE(may_follow(from, static_cast<State>(to)));
  EXPECT_FALSE(may_follow(State::queued, State::running));
  EXPECT_FALSE(may_follow(State::queued, State::completed));
  EXPECT_TRUE(may_follow(State::dispatched, State::running));
}

TEST(Deadlines, TimersFireInOrderAndADisarmedOneLeavesNothingBehind) {
  Deadlines deadlines;
  std::vector<Timer> timers(100);
  for (std::size_t i = 0; i < timers.size(); ++i) deadlines.arm(timers[i], static_cast<Millis>((i * 37) % 100));
  for (std::size_t i = 0; i < timers.size(); i += 2) deadlines.disarm(timers[i]);
  deadlines.arm(timers[1], 1'000);
  Millis last = -1;
  std::size_t fired = 0;
  while (auto* timer = deadlines.pop_due(999)) {
    EXPECT_GE(timer->when, last);
    last = timer->when;
    ++fired;
  }
  EXPECT_EQ(fired, 49U);
  EXPECT_EQ(deadlines.next(), 1'000);
}

}  // namespace
}  // namespace any::task
