// Requests that several sessions of one tab intercept. What a raw Chrome does between two sessions was measured on
// Chromium 156: the newest session is asked first of a request, the oldest first of its response.

#include "cdp/intercept/fetch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "unit/cdp/fake_files.hpp"
#include "unit/cdp/fake_transport.hpp"

namespace any::cdp {
namespace {

namespace json = boost::json;
using test::FakeClock;
using test::FakeFiles;
using test::FakeSockets;
using test::FakeTransport;

TEST(FetchPattern, TakesAStarForAnythingAQuestionMarkForOneOrNoneAndABackslashForTheSignBehindIt) {
  struct Case {
    std::string_view pattern, url;
    bool fits;
  };
  for (auto const& [pattern, url, fits] : std::vector<Case>{{"*", "", true},
                                                            {"*", "http://x/", true},
                                                            {"", "http://x/", false},
                                                            {"*/si?x", "http://x/six", true},
                                                            {"*/six?", "http://x/six", true},
                                                            {"*/s??x", "http://x/six", true},
                                                            {"?*abc", "abc", true},
                                                            {"a?b*c", "abbbc", true},
                                                            {"*a\\*b", "http://x/a*b", true},
                                                            {"*a\\*b", "http://x/aXb", false},
                                                            {"*/q\\?z", "http://x/q?z", true},
                                                            {"*/SIX", "http://x/six", false},
                                                            {"**/six", "http://x/six", true},
                                                            {"*six\\", "http://x/six", true},
                                                            {"http://x/*.css", "http://x/a.css?1", false}}) {
    EXPECT_EQ((FetchPattern{.url = std::string(pattern)}.fits(url, "XHR", false)), fits) << pattern << " " << url;
  }
  FetchPattern const at_response{.resource = "Image", .at_response = true};
  EXPECT_TRUE(at_response.fits("u", "Image", true));
  EXPECT_FALSE(at_response.fits("u", "Image", false));
  EXPECT_FALSE(at_response.fits("u", "Script", true));
}

/// One tab, a client a session on it.
class Intercepting : public testing::Test {
 protected:
  Intercepting() {
    transport.always("tabs.query",
                     R"([{"id":1,"windowId":1,"url":"http://x/","title":"","active":true,"status":"complete"}])");
    transport.always("debugger.getTargets", R"([{"id":"T1","tabId":1,"type":"page","title":"","url":"http://x/"}])");
    transport.always("", "{}");
    transport.always("Target.getTargetInfo", "{}");
    transport.link_up(gateway, {.browser_id = "b", .product = "Chrome/156", .user_agent = "U"});
  }

  /// A further client with a session on the tab.
  ClientId join() {
    auto const id = ++last_client;
    gateway.open(id, {.target = "T1"});
    transport.settle();
    return id;
  }
  void say(ClientId client, std::string const& method, std::string const& params = "{}") {
    gateway.receive(
        client, R"({"id":)" + std::to_string(++last_id) + R"(,"method":")" + method + R"(","params":)" + params + "}");
    transport.settle();
  }
  void intercepts(ClientId client, std::string const& params = "{}") {
    say(client, "Fetch.enable", params);
    if (transport.waits("Fetch.enable")) transport.answer("Fetch.enable", "{}");
    EXPECT_EQ(answered(client), "{}");
  }
  /// The next message's result, or its error's text.
  std::string answered(ClientId client) {
    auto const text = sockets.next(client);
    if (text.empty()) return "nothing";
    auto const message = json::parse(text).as_object();
    EXPECT_EQ(message.at("id").as_int64(), last_id);
    if (auto const* failed = message.if_contains("error")) return std::string(failed->at("message").as_string());
    return json::serialize(message.at("result"));
  }
  /// The params of the next event; empty where there is none.
  json::object told(ClientId client, std::string_view method = "Fetch.requestPaused") {
    auto const text = sockets.next(client);
    if (text.empty()) return {};
    auto const message = json::parse(text).as_object();
    EXPECT_EQ(message.at("method"), json::value(method));
    return message.at("params").as_object();
  }
  void pauses(std::string const& url = "http://x/a", std::string const& more = "") {
    gateway.debugger_event({.tab = 1}, "", "Fetch.requestPaused",
                           R"({"requestId":"r1","request":{"url":")" + url +
                               R"(","method":"GET","headers":{"A":"1"}},"frameId":"T1","resourceType":"XHR")" + more +
                               "}");
  }
  void responds(std::string const& url = "http://x/a") {
    pauses(url, R"(,"responseStatusCode":200,"responseStatusText":"OK","responseHeaders":[])");
  }
  static inline std::string const both = R"({"patterns":[{},{"requestStage":"Response"}]})";

  FakeTransport transport;
  FakeSockets sockets;
  FakeFiles files;
  FakeClock clock;
  Gateway gateway{transport, sockets, files, clock};
  ClientId last_client = 0;
  std::int64_t last_id = 0;
};

TEST_F(Intercepting, OneSessionAloneIsAskedAndAnswersUnread) {
  auto const a = join();
  say(a, "Fetch.enable", R"({"patterns":[{"urlPattern":"*/a"}]})");
  EXPECT_EQ(transport.answer("Fetch.enable", "{}"), R"({"patterns":[{"urlPattern":"*/a"}]})");
  EXPECT_EQ(answered(a), "{}");
  pauses();
  EXPECT_EQ(told(a).at("requestId"), json::value("r1"));
  say(a, "Fetch.continueRequest", R"({"requestId":"r1","url":"odd : url", "more":1})");
  EXPECT_EQ(transport.refuse("Fetch.continueRequest", "Chrome's word"),
            R"({"requestId":"r1","url":"odd : url", "more":1})");
  EXPECT_EQ(answered(a), "Chrome's word");
  say(a, "Fetch.continueRequest", R"({"requestId":"r1"})");
  transport.answer("Fetch.continueRequest", "{}");
  EXPECT_EQ(answered(a), "{}");
}

TEST_F(Intercepting, ChromeIsAskedForAllThatAnyoneWantsAndForNothingMoreOnceTheyHaveGone) {
  auto const a = join(), b = join();
  intercepts(a, R"({"patterns":[{"urlPattern":"*/a"}]})");
  say(b, "Fetch.enable",
      R"({"handleAuthRequests":true,"patterns":[{"resourceType":"Image","requestStage":"Response"}]})");
  EXPECT_EQ(json::parse(transport.answer("Fetch.enable", "{}")),
            json::parse(R"({"patterns":[{"urlPattern":"*/a","requestStage":"Request"},
            {"urlPattern":"*","resourceType":"Image","requestStage":"Response"}],"handleAuthRequests":true})"));
  EXPECT_EQ(answered(b), "{}");
  say(b, "Fetch.disable");
  EXPECT_EQ(answered(b), "{}");
  EXPECT_EQ(transport.answer("Fetch.enable", "{}"), R"({"patterns":[{"urlPattern":"*/a"}]})");
  gateway.gone(a);
  EXPECT_TRUE(transport.waits("Fetch.disable"));
}

TEST_F(Intercepting, WhatChromeRefusesOfOneSessionLeavesTheOthersAsTheyWere) {
  auto const a = join(), b = join();
  intercepts(a);
  say(b, "Fetch.enable", R"({"patterns":[{"resourceType":"Nope"}]})");
  transport.refuse("Fetch.enable", "Unknown resource type in fetch filter: 'Nope'", -32602);
  EXPECT_EQ(answered(b), "Unknown resource type in fetch filter: 'Nope'");
  EXPECT_EQ(transport.answer("Fetch.enable", "{}"), "{}");
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(b), "Fetch domain is not enabled");
  pauses();
  EXPECT_EQ(told(a).at("requestId"), json::value("r1"));
}

TEST_F(Intercepting, WhatChromeRefusesIsRefusedAsOftenAsItIsAsked) {
  auto const b = join();
  say(b, "Fetch.enable", R"({"patterns":[{"resourceType":"Nope"}]})");
  say(b, "Fetch.enable", R"({"patterns":[{"resourceType":"Nope"}]})");
  for (int turn = 0; turn < 2; ++turn) {
    transport.refuse("Fetch.enable", "Unknown resource type in fetch filter: 'Nope'", -32602);
    EXPECT_NE(sockets.next().find("Unknown resource type"), std::string::npos);
  }
}

TEST_F(Intercepting, ARequestGoesToTheNewestSessionFirstAndTheNextSeesWhatItHasChanged) {
  auto const a = join(), b = join();
  intercepts(b);
  intercepts(a);
  pauses("http://x/a", R"(,"networkId":"n1")");
  EXPECT_TRUE(told(a).empty());
  EXPECT_EQ(told(b).at("networkId"), json::value("n1"));
  say(a, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(a), "Invalid InterceptionId.");
  say(b, "Fetch.continueRequest", R"({"requestId":"r1","headers":[{"name":"a b","value":"1"}]})");
  EXPECT_EQ(answered(b), "Invalid header: a b");
  say(b, "Fetch.continueRequest",
      R"({"requestId":"r1","url":"http://x/b","method":"PUT","postData":"aGk=","headers":[{"name":"B","value":"2"}]})");
  EXPECT_EQ(answered(b), "{}");
  auto const seen = told(a);
  EXPECT_EQ(seen.at("networkId"), json::value("n1"));
  EXPECT_EQ(seen.at("request"), json::parse(R"({"url":"http://x/b","method":"PUT","headers":{"B":"2"},"postData":"hi",
            "hasPostData":true,"postDataEntries":[{"bytes":"aGk="}]})"));
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(b), "Invalid state for continueInterceptedRequest");
  say(a, "Fetch.continueRequest", R"({"requestId":"r1","method":"POST"})");
  EXPECT_EQ(json::parse(transport.answer("Fetch.continueRequest", "{}")),
            json::parse(R"({"requestId":"r1","url":"http://x/b","method":"POST","postData":"aGk=",
            "headers":[{"name":"B","value":"2"}],"interceptResponse":false})"));
  EXPECT_EQ(answered(a), "{}");
}

TEST_F(Intercepting, OnlyThoseAreAskedWhosePatternsFitTheRequestAsItIsByThen) {
  auto const a = join(), b = join(), c = join();
  intercepts(a, R"({"patterns":[{"urlPattern":"*/changed"}]})");
  intercepts(b, R"({"patterns":[{"urlPattern":"*/other"}]})");
  intercepts(c);
  pauses();
  EXPECT_FALSE(told(c).empty());
  say(c, "Fetch.continueRequest", R"({"requestId":"r1","url":"http://x/changed"})");
  EXPECT_EQ(answered(c), "{}");
  EXPECT_TRUE(told(b).empty());
  EXPECT_FALSE(told(a).empty());
}

TEST_F(Intercepting, AResponseGoesToTheOldestSessionFirst) {
  auto const a = join(), b = join();
  intercepts(a, both);
  intercepts(b, both);
  pauses();
  for (auto const client : {b, a}) {
    EXPECT_FALSE(told(client).empty());
    say(client, "Fetch.continueRequest", R"({"requestId":"r1"})");
    if (client == b) EXPECT_EQ(answered(b), "{}");
  }
  EXPECT_EQ(transport.answer("Fetch.continueRequest", "{}"), R"({"interceptResponse":true,"requestId":"r1"})");
  EXPECT_EQ(answered(a), "{}");
  responds();
  EXPECT_EQ(told(a).at("responseStatusCode"), json::value(200));
  EXPECT_TRUE(told(b).empty());
  say(a, "Fetch.continueResponse", R"({"requestId":"r1","responseCode":404})");
  EXPECT_EQ(answered(a), "Cannot override only status or headers, both should be provided");
  say(a, "Fetch.continueResponse",
      R"({"requestId":"r1","responseCode":404,"responseHeaders":[{"name":"R","value":"1"}]})");
  EXPECT_EQ(answered(a), "{}");
  auto const seen = told(b);
  EXPECT_EQ(seen.at("responseStatusCode"), json::value(404));
  EXPECT_EQ(seen.at("responseStatusText"), json::value("Not Found"));
  EXPECT_EQ(seen.at("responseHeaders"), json::parse(R"([{"name":"R","value":"1"}])"));
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(json::parse(transport.answer("Fetch.continueResponse", "{}")),
            json::parse(R"({"requestId":"r1","responseCode":404,"responseHeaders":[{"name":"R","value":"1"}]})"));
  EXPECT_EQ(answered(b), "{}");
}

TEST_F(Intercepting, TheResponseGoesToWhoAskedForItWithThisRequest) {
  auto const a = join(), b = join();
  intercepts(a);
  intercepts(b);
  pauses();
  EXPECT_FALSE(told(b).empty());
  say(b, "Fetch.continueRequest", R"({"requestId":"r1","interceptResponse":true})");
  EXPECT_EQ(answered(b), "{}");
  EXPECT_FALSE(told(a).empty());
  say(a, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(transport.answer("Fetch.continueRequest", "{}"), R"({"interceptResponse":true,"requestId":"r1"})");
  EXPECT_EQ(answered(a), "{}");
  responds();
  EXPECT_TRUE(told(a).empty());
  EXPECT_FALSE(told(b).empty());
}

TEST_F(Intercepting, WhatOneMakesUpIsAResponseToThoseThatHadTheRequestBefore) {
  auto const a = join(), b = join();
  intercepts(a, both);
  intercepts(b, both);
  pauses();
  EXPECT_FALSE(told(b).empty());
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(b), "{}");
  EXPECT_FALSE(told(a).empty());
  say(a, "Fetch.fulfillRequest", R"({"requestId":"r1","responseCode":201,"body":"bWFkZQ=="})");
  EXPECT_EQ(answered(a), "{}");
  EXPECT_EQ(told(b).at("responseStatusText"), json::value("Created"));
  say(b, "Fetch.getResponseBody", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(b), R"({"body":"bWFkZQ==","base64Encoded":true})");
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(json::parse(transport.answer("Fetch.fulfillRequest", "{}")),
            json::parse(R"({"requestId":"r1","responseCode":201,"body":"bWFkZQ=="})"));
  EXPECT_EQ(answered(b), "{}");
}

TEST_F(Intercepting, TheNewestFailsARequestBeforeAnyoneElseSeesIt) {
  auto const a = join(), b = join();
  intercepts(a, both);
  intercepts(b, both);
  pauses();
  EXPECT_FALSE(told(b).empty());
  say(b, "Fetch.failRequest", R"({"requestId":"r1","errorReason":"Nope"})");
  EXPECT_EQ(answered(b), "Unknown errorReason");
  say(b, "Fetch.failRequest", R"({"requestId":"r1","errorReason":"Aborted"})");
  EXPECT_EQ(json::parse(transport.answer("Fetch.failRequest", "{}")),
            json::parse(R"({"errorReason":"Aborted","requestId":"r1"})"));
  EXPECT_EQ(answered(b), "{}");
  EXPECT_TRUE(told(a).empty());
}

TEST_F(Intercepting, WhatWaitsForASessionThatEndsGoesOnToTheNextAndThenToTheNetwork) {
  auto const a = join(), b = join();
  intercepts(a);
  intercepts(b);
  pauses();
  EXPECT_FALSE(told(b).empty());
  gateway.gone(b);
  EXPECT_EQ(told(a).at("requestId"), json::value("r1"));
  auto const c = join();
  say(c, "Fetch.enable", R"({"patterns":[]})");
  say(a, "Fetch.disable");
  EXPECT_EQ(answered(a), "{}");
  EXPECT_EQ(transport.answer("Fetch.continueRequest", "{}"), R"({"interceptResponse":false,"requestId":"r1"})");
}

TEST_F(Intercepting, ARefusedAnswerOfASessionThatHasEndedHoldsTheRequestNoLonger) {
  auto const a = join(), b = join();
  intercepts(b);
  pauses();
  EXPECT_FALSE(told(b).empty());
  intercepts(a);
  say(b, "Fetch.continueRequest", R"({"requestId":"r1","url":7})");
  gateway.gone(b);
  transport.refuse("Fetch.continueRequest", "Invalid parameters");
  EXPECT_EQ(transport.answer("Fetch.continueRequest", "{}"), R"({"requestId":"r1"})");
}

TEST_F(Intercepting, ASessionIsNotAskedOfRequestsOfOneThatEndedBeforeItBegan) {
  auto const a = join(), b = join();
  intercepts(b);
  say(a, "Fetch.enable", R"({"patterns":[{"urlPattern":"*a"}]})");
  pauses();
  EXPECT_FALSE(told(b).empty());
  transport.refuse("Fetch.enable", "Invalid parameters");
  transport.answer("Fetch.enable", "{}");
  gateway.gone(a);
  auto const c = join();  // as a rule it lies in memory where the other lay
  intercepts(c);
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_TRUE(sockets.rest(c).empty());
  EXPECT_EQ(transport.answer("Fetch.continueRequest", "{}"), R"({"interceptResponse":false,"requestId":"r1"})");
}

TEST_F(Intercepting, CredentialsAreAskedOfThoseThatHandleThemUntilOneHasThem) {
  auto const a = join(), b = join(), c = join();
  intercepts(a, R"({"handleAuthRequests":true})");
  intercepts(b);
  intercepts(c, R"({"handleAuthRequests":true})");
  gateway.debugger_event(
      {.tab = 1}, "", "Fetch.authRequired",
      R"({"requestId":"r1","request":{"url":"http://x/a"},"resourceType":"XHR","authChallenge":{}})");
  EXPECT_FALSE(told(a, "Fetch.authRequired").empty());
  say(a, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(a), "authChallengeResponse required.");
  say(a, "Fetch.continueWithAuth", R"({"requestId":"r1","authChallengeResponse":{"response":"Default"}})");
  EXPECT_EQ(answered(a), "{}");
  EXPECT_TRUE(told(b).empty());
  EXPECT_FALSE(told(c, "Fetch.authRequired").empty());
  auto const given =
      R"({"requestId":"r1","authChallengeResponse":{"response":"ProvideCredentials","username":"u","password":"p"}})";
  say(c, "Fetch.continueWithAuth", given);
  EXPECT_EQ(transport.answer("Fetch.continueWithAuth", "{}"), given);
  EXPECT_EQ(answered(c), "{}");
}

TEST_F(Intercepting, WhatNobodyWantsAnyMoreWhileThePatternsChangeIsLetGo) {
  auto const a = join(), b = join();
  intercepts(a, R"({"patterns":[{"urlPattern":"*/a"}]})");
  intercepts(b);
  say(b, "Fetch.disable");
  EXPECT_EQ(answered(b), "{}");
  pauses("http://x/other");
  EXPECT_TRUE(told(a).empty());
  EXPECT_EQ(transport.answer("Fetch.continueRequest", "{}"), R"({"interceptResponse":false,"requestId":"r1"})");
}

TEST_F(Intercepting, ARequestThatIsGoneIsForgotten) {
  auto const a = join(), b = join();
  intercepts(a, R"({"patterns":[]})");
  intercepts(b);
  pauses();
  EXPECT_FALSE(told(b).empty());
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  transport.refuse("Fetch.continueRequest", "Invalid InterceptionId.", -32602);
  EXPECT_EQ(answered(b), "Invalid InterceptionId.");
  say(b, "Fetch.continueRequest", R"({"requestId":"r1"})");
  EXPECT_EQ(answered(b), "Invalid InterceptionId.");
  EXPECT_FALSE(transport.waits("Fetch.continueRequest"));
}

}  // namespace
}  // namespace any::cdp
