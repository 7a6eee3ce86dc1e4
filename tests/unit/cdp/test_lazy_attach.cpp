// A listed tab is answered for without being attached to.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::_;

class LazyAttach : public Stage {
 protected:
  /// The context that the session is told before its tab is attached; from then on attaching waits in Runtime.enable.
  boost::json::object told_context(std::string_view session) {
    sockets.rest();
    say(1, 1, "Runtime.enable", "{}", session);
    auto const created = object(sockets.next());
    EXPECT_EQ(created.at("method"), "Runtime.executionContextCreated");
    sockets.rest();
    attach_answers();
    transport.usual.erase("Runtime.enable");
    return created.at("params").at("context").as_object();
  }
  /// Chrome tells its own, 3 or "u3", and has answered Runtime.enable.
  void chrome_tells_context() {
    gateway.debugger_event(
        {.tab = 1}, "", "Runtime.executionContextCreated",
        R"({"context":{"id":3,"origin":"http://a.example","name":"","uniqueId":"u3",)"
        R"("auxData":{"isDefault":true,"type":"default","frameId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"}}})");
    transport.answer("Runtime.enable", "{}");
    transport.settle();
  }
};

TEST_F(LazyAttach, a_client_that_attaches_to_everything_attaches_to_nothing_in_chrome) {
  join(1);
  auto const sessions = attach_all(1);
  ASSERT_EQ(sessions.size(), 2U);
  for (auto const& [target, session] : sessions) {
    say(1, 1, "Page.enable", "{}", session);
    say(1, 2, "Page.getFrameTree", "{}", session);
    say(1, 3, "Runtime.enable", "{}", session);
    say(1, 4, "Page.setLifecycleEventsEnabled", R"({"enabled":true})", session);
    say(1, 5, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"","worldName":"w"})", session);
    say(1, 6, "Network.enable", "{}", session);
    say(1, 7, "Target.setAutoAttach", R"({"autoAttach":true,"waitForDebuggerOnStart":true,"flatten":true})", session);
    say(1, 8, "Emulation.setFocusEmulationEnabled", R"({"enabled":true})", session);
    say(1, 9, "Runtime.runIfWaitingForDebugger", "{}", session);
    int answers = 0;
    for (auto const& message : told())
      answers += message.starts_with("id ") && message.find("error") == std::string::npos ? 1 : 0;
    EXPECT_EQ(answers, 9);
  }
  EXPECT_EQ(gateway.counts().attached, 0U);
}

TEST_F(LazyAttach, the_first_command_that_needs_the_page_attaches_and_tells_chrome_what_was_enabled) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  say(1, 1, "Runtime.enable", "{}", session);
  say(1, 2, "Network.enable", R"({"maxPostDataSize":5})", session);
  attach_answers();
  say(1, 3, "Runtime.evaluate", R"({"expression":"1"})", session);
  ASSERT_TRUE(transport.waits("Runtime.evaluate"));
  transport.answer("Runtime.evaluate", R"({"result":{"type":"number","value":1}})");
  EXPECT_EQ(told().back(), R"(id 3: {"result":{"type":"number","value":1}})");
  auto const asked = [this](std::string_view call) { return std::ranges::find(transport.all, call); };
  EXPECT_LT(asked("attach 1"), asked("Runtime.enable {}"));
  EXPECT_LT(asked(R"(Network.enable {"maxPostDataSize":5})"), asked(R"(Runtime.evaluate {"expression":"1"})"));
  EXPECT_EQ(asked("attach 2"), transport.all.end());
}

TEST_F(LazyAttach, a_context_told_before_the_attachment_stands_for_chromes_own) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  auto const told_id = told_context(session).at("id").as_int64();
  say(1, 2, "Runtime.callFunctionOn",
      R"({"functionDeclaration":"f","executionContextId":)" + std::to_string(told_id) + "}", session);
  chrome_tells_context();
  EXPECT_EQ(transport.answer("Runtime.callFunctionOn", "{}"), R"({"functionDeclaration":"f","executionContextId":3})");
  EXPECT_EQ(told(), std::vector<std::string>{"id 2: {}"}) << "the client knows that context already";

  gateway.debugger_event({.tab = 1}, "", "Runtime.executionContextDestroyed",
                         R"({"executionContextId":3,"executionContextUniqueId":"u3"})");
  EXPECT_EQ(object(sockets.next()).at("params").at("executionContextId"), told_id);
}

TEST_F(LazyAttach, a_page_that_navigates_unattached_tells_its_new_document) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  say(1, 1, "Page.enable", "{}", session);
  say(1, 2, "Page.getFrameTree", "{}", session);
  say(1, 3, "Runtime.enable", "{}", session);
  sockets.rest();
  gateway.chrome_event("webNavigation.onCommitted", R"([{"tabId":1,"frameId":0,"url":"http://a.example/next"}])");
  auto const events = told();
  EXPECT_THAT(events, ::testing::IsSupersetOf({"Runtime.executionContextsCleared", "Page.frameNavigated",
                                               "Runtime.executionContextCreated"}));
  EXPECT_EQ(gateway.counts().attached, 0U);
}

TEST_F(LazyAttach, a_discarded_tab_is_loaded_before_it_is_attached) {
  transport.always("tabs.query",
                   R"([{"id":1,"url":"http://a.example/","title":"A","status":"unloaded","discarded":true},)"
                   R"({"id":2,"url":"http://b.example/","title":"B","status":"complete"}])");
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  attach_answers();
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})", session);
  transport.answer("tabs.reload");
  EXPECT_FALSE(transport.waits("Runtime.evaluate"));
  gateway.chrome_event("webNavigation.onCommitted", R"([{"tabId":1,"frameId":0,"url":"http://a.example/"}])");
  transport.settle();
  EXPECT_TRUE(transport.waits("Runtime.evaluate"));
}

TEST_F(LazyAttach, a_tab_that_refuses_says_so_in_chromes_words) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  sockets.rest();
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})", session);
  transport.refuse("", "Cannot access a chrome:// URL");
  EXPECT_EQ(told(), std::vector<std::string>{"id 1: error Cannot access a chrome:// URL"});
}

TEST_F(LazyAttach, a_navigation_to_where_chrome_lets_nobody_debug_is_answered_when_the_page_has_come) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Page.enable");
  gateway.debugger_event(
      {.tab = 1}, "", "Page.frameNavigated",
      R"({"frame":{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","loaderId":"L","url":"http://a.example/"}})");
  told();
  say(1, 2, "Page.navigate", R"({"url":"chrome://version/"})");
  gateway.chrome_event("webNavigation.onCommitted", R"([{"tabId":1,"frameId":0,"url":"chrome://version/"}])");
  transport.refuse("Page.navigate", "Detached while handling command.");
  EXPECT_TRUE(told().empty());
  gateway.debugger_event({.tab = 1}, "", "Inspector.detached", R"({"reason":"target_closed"})");
  auto const said = told();
  auto const answer = std::ranges::find_if(said, [](auto const& text) { return text.starts_with("id 2: {"); });
  auto const navigated = std::ranges::find(said, "Page.frameNavigated");
  ASSERT_NE(answer, said.end());
  ASSERT_NE(navigated, said.end());
  EXPECT_LT(answer, navigated);
}

TEST_F(LazyAttach, tabs_come_in_the_order_of_the_tab_strip_and_in_the_list_the_one_used_last_comes_first) {
  std::string tabs, targets;
  std::vector<std::string> ids;
  for (int id = 1; id <= 9; ++id) {
    ids.push_back("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + std::to_string(id));
    tabs += std::string(id > 1 ? "," : "") + R"({"id":)" + std::to_string(id) + R"(,"windowId":9,"url":"http://a/",)" +
            R"("status":"complete","lastAccessed":)" + std::to_string(id * 7 % 10) + "}";
    targets.insert(0, R"({"type":"page","url":"http://a/","tabId":)" + std::to_string(id) + R"(,"id":")" + ids.back() +
                          "\"}" + (id > 1 ? "," : ""));
  }
  transport.always("tabs.query", "[" + tabs + "]");
  transport.always("debugger.getTargets", "[" + targets + "]");
  join(1);
  say(1, 1, "Target.setAutoAttach", R"({"autoAttach":true,"waitForDebuggerOnStart":false,"flatten":true})");
  std::vector<std::string> announced, listed;
  for (auto const& text : sockets.rest(1)) {
    auto const message = object(text);
    if (!message.contains("method")) continue;
    announced.emplace_back(message.at("params").at("targetInfo").at("targetId").as_string());
  }
  EXPECT_EQ(announced, ids);
  gateway.list([&listed](auto const& rows) {
    for (auto const& row : *rows) listed.push_back(row.id.substr(31));
  });
  EXPECT_EQ(listed, (std::vector<std::string>{"7", "4", "1", "8", "5", "2", "9", "6", "3"}));
  gateway.chrome_event("tabs.onActivated", R"([{"tabId":3,"windowId":9}])");
  listed.clear();
  gateway.list([&listed](auto const& rows) { listed.push_back(rows->front().id.substr(31)); });
  EXPECT_EQ(listed, std::vector<std::string>{"3"});
}

TEST_F(LazyAttach, each_navigation_that_goes_on_without_the_debugger_has_half_a_minute_of_its_own) {
  join(1, {.target = std::string(page_1)});
  transport.always("tabs.update", "{}");
  auto const navigate = [this](int id) {
    say(1, id, "Page.navigate", R"({"url":"chrome://version/"})");
    transport.refuse("", "Cannot access a chrome:// URL");
    transport.settle();
  };
  navigate(1);
  clock.pass(20'000);
  gateway.tick();
  navigate(2);
  clock.pass(11'000);
  gateway.tick();
  EXPECT_EQ(told(), std::vector<std::string>{"id 1: error Inspected target navigated or closed"});
  gateway.chrome_event("webNavigation.onCommitted", R"([{"tabId":1,"frameId":0,"url":"chrome://version/"}])");
  auto const said = told();
  ASSERT_FALSE(said.empty());
  EXPECT_TRUE(said.front().starts_with("id 2: {")) << said.front();
}

TEST_F(LazyAttach, a_tab_is_let_go_when_its_last_session_ends) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  attach_answers();
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})", session);
  transport.answer("Runtime.evaluate", "{}");
  EXPECT_EQ(gateway.counts().attached, 1U);
  gateway.gone(1);
  EXPECT_EQ(gateway.counts().attached, 0U);
  EXPECT_EQ(transport.let_go, std::vector<Debuggee>{Debuggee{.tab = 1}});
  EXPECT_TRUE(gateway.idle());
}

TEST_F(LazyAttach, a_tab_that_was_used_and_listens_to_nothing_is_let_go_after_a_while) {
  join(1, {.target = std::string(page_1)});
  attach_answers();
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  transport.answer("Runtime.evaluate", "{}");
  EXPECT_EQ(gateway.counts().attached, 1U);
  clock.pass(60'000);
  gateway.tick();
  EXPECT_EQ(gateway.counts().attached, 0U);
  say(1, 2, "Runtime.evaluate", R"({"expression":"2"})");
  EXPECT_TRUE(transport.waits("Runtime.evaluate")) << "and attached to again when it is used";
}

TEST_F(LazyAttach, a_tab_that_a_client_listens_to_is_never_let_go) {
  join(1, {.target = std::string(page_1)});
  attach_answers();
  say(1, 1, "Network.enable");
  EXPECT_EQ(gateway.counts().attached, 1U);
  clock.pass(3'600'000);
  gateway.tick();
  EXPECT_EQ(gateway.counts().attached, 1U);
}

TEST_F(LazyAttach, a_context_told_before_the_attachment_goes_by_its_unique_id_too) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  auto const unique = std::string(told_context(session).at("uniqueId").as_string());
  say(1, 2, "Runtime.evaluate", R"({"expression":"1","uniqueContextId":")" + unique + "\"}", session);
  chrome_tells_context();
  EXPECT_EQ(transport.answer("Runtime.evaluate", "{}"), R"({"expression":"1","uniqueContextId":"u3"})");
}

TEST_F(LazyAttach, a_world_made_by_whoever_is_told_no_contexts_is_chromes_own) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  attach_answers();
  transport.always("Page.createIsolatedWorld", R"({"executionContextId":7})");
  told();
  say(1, 1, "Page.createIsolatedWorld", R"({"frameId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","worldName":"w"})", session);
  EXPECT_EQ(told().back(), R"(id 1: {"executionContextId":7})");
}

TEST_F(LazyAttach, a_navigation_that_chrome_had_not_begun_when_it_let_go_is_carried_out_after_all) {
  for (bool const told_first : {true, false}) {
    attach_answers();
    join(1, {.target = std::string(page_1)});
    say(1, 1, "Page.enable");
    told();
    say(1, 2, "Page.navigate", R"({"url":"http://a.example/next"})");
    auto const detached = [this] {
      gateway.debugger_event({.tab = 1}, "", "Inspector.detached", R"({"reason":"target_closed"})");
    };
    if (told_first) detached();
    transport.refuse("Page.navigate", "Debugger is not attached to the tab with id: 1.");
    if (!told_first) detached();
    EXPECT_TRUE(told().empty());
    clock.pass(300);
    gateway.tick();
    transport.settle();
    EXPECT_EQ(transport.answer("Page.navigate", R"({"frameId":"F"})"), R"({"url":"http://a.example/next"})");
    EXPECT_EQ(told().back(), R"(id 2: {"frameId":"F"})") << "detached told first: " << told_first;
    gateway.gone(1);
  }
}

/// A page in which another extension has a frame: Chrome refuses the debugger.
class Refused : public LazyAttach {
 protected:
  static constexpr char const* why =
      "Cannot access a chrome-extension:// URL of different extension: the extension “M” (m) has a frame of its own";

  /// Page.enable to a page that is attached.
  void attach() {
    attach_answers();
    join(1, {.target = std::string(page_1)});
    say(1, 1, "Page.enable");
    told();
  }
  /// Attaching waits for the test.
  void hold_attaching() { transport.usual.erase(""); }
  void let_go() { gateway.debugger_event({.tab = 1}, "", "Inspector.detached", R"({"reason":"target_closed"})"); }
  bool asks_to_attach() { return transport.waits(""); }
  void pass(Millis time) {
    clock.pass(time);
    gateway.tick();
    transport.settle();
  }
  void commit(std::string const& url) {
    gateway.chrome_event("webNavigation.onCommitted", R"([{"tabId":1,"frameId":0,"url":")" + url + "\"}]");
    transport.settle();
  }
};

TEST_F(Refused, what_a_client_sets_up_is_answered_and_told_to_chrome_once_it_lets_the_page_be_debugged) {
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Log.enable");
  transport.refuse("", why);
  say(1, 2, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"s"})");
  transport.refuse("", why);
  say(1, 3, "Emulation.setLocaleOverride", R"({"locale":"de"})");
  transport.refuse("", why);
  EXPECT_EQ(told(), (std::vector<std::string>{"id 1: {}", R"(id 2: {"identifier":"1"})", "id 3: {}"}));
  say(1, 4, "Runtime.evaluate", R"({"expression":"1"})");
  transport.refuse("", why);
  EXPECT_EQ(told(), (std::vector<std::string>{"Log.entryAdded", std::string("id 4: error ") + why}));
  attach_answers();
  transport.always("Page.addScriptToEvaluateOnNewDocument", R"({"identifier":"9"})");
  say(1, 5, "Runtime.evaluate", R"({"expression":"1"})");
  EXPECT_TRUE(transport.waits("Runtime.evaluate"));
  EXPECT_THAT(transport.all, ::testing::IsSupersetOf({R"(Page.addScriptToEvaluateOnNewDocument {"source":"s"})",
                                                      R"(Emulation.setLocaleOverride {"locale":"de"})"}));
}

TEST_F(Refused, what_leads_away_goes_by_chrome_tabs_whether_the_refusal_or_the_end_of_the_debugging_comes_first) {
  for (bool const told_first : {true, false}) {
    attach();
    transport.always("tabs.update", "{}");
    say(1, 2, "Page.navigate", R"({"url":"http://a.example/next"})");
    hold_attaching();
    if (told_first) let_go();
    transport.refuse("Page.navigate", why);
    if (!told_first) let_go();
    transport.settle();
    EXPECT_THAT(transport.all, ::testing::Contains(R"(tabs.update [1,{"url":"http://a.example/next"}])"));
    EXPECT_THAT(told(), ::testing::Not(::testing::Contains(::testing::StartsWith("id 2"))));
    commit("http://a.example/next");
    EXPECT_THAT(told(), ::testing::Contains(::testing::StartsWith(R"(id 2: {"frameId")")));
    gateway.gone(1);
    while (asks_to_attach()) transport.refuse("", why);
    transport.all.clear();
  }
}

TEST_F(Refused, a_page_that_comes_while_chrome_is_asked_is_told_of_and_asked_for_in_its_turn) {
  join(1, {.target = std::string(page_1)});
  transport.always("tabs.update", "{}");
  say(1, 1, "Page.navigate", R"({"url":"http://a.example/"})");
  transport.refuse("", why);
  transport.settle();
  say(1, 2, "Runtime.evaluate", R"({"expression":"1"})");
  commit("http://a.example/");
  EXPECT_TRUE(told().empty()) << "it is being attached";
  transport.refuse("", why);
  EXPECT_THAT(told(), ::testing::Contains(::testing::StartsWith(R"(id 1: {"frameId")")));
  attach_answers();
  transport.settle();
  EXPECT_TRUE(transport.waits("Runtime.evaluate"));
}

TEST_F(Refused, a_navigation_to_where_the_page_is_already_is_answered_though_its_page_ends_the_debugging) {
  attach();
  transport.always("", "{}");
  gateway.debugger_event(
      {.tab = 1}, "", "Page.frameNavigated",
      R"({"frame":{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","loaderId":"L","url":"http://a.example/"}})");
  commit("http://a.example/");
  told();
  say(1, 2, "Page.navigate", R"({"url":"http://a.example/"})");
  commit("http://a.example/");
  hold_attaching();
  let_go();
  EXPECT_THAT(told(), ::testing::Contains(::testing::StartsWith(R"(id 2: {"frameId")")));
}

TEST_F(Refused, a_navigation_is_answered_where_nobody_listens_to_the_page_and_it_is_attached_before_it_comes) {
  for (bool const while_asked : {true, false}) {
    join(1, {.target = std::string(page_1)});
    transport.always("tabs.update", "{}");
    say(1, 1, "Page.navigate", R"({"url":"http://a.example/next"})");
    transport.refuse("", why);
    transport.settle();
    say(1, 2, "Runtime.evaluate", R"({"expression":"1"})");
    if (while_asked) commit("http://a.example/next");
    attach_answers();
    transport.answer("", "{}");
    transport.settle();
    if (!while_asked) commit("http://a.example/next");
    EXPECT_THAT(told(), ::testing::Contains(::testing::StartsWith(R"(id 1: {"frameId")"))) << while_asked;
    transport.answer("Runtime.evaluate", "{}");
    hold_attaching();
    gateway.gone(1);
  }
}

TEST_F(Refused, the_load_of_a_page_that_came_unattached_is_told_once_whoever_tells_it_first) {
  for (bool const by_chrome : {true, false}) {
    for (bool const by_navigation : {true, false}) {
      attach();
      gateway.debugger_event(
          {.tab = 1}, "", "Page.frameNavigated",
          R"({"frame":{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","loaderId":"L","url":"http://a.example/"}})");
      hold_attaching();
      let_go();
      commit("http://a.example/next");
      attach_answers();
      transport.answer("", "{}");
      transport.settle();
      told();
      auto const completed = [this] {
        gateway.chrome_event("webNavigation.onCompleted", R"([{"tabId":1,"frameId":0,"url":"http://a.example/next"}])");
      };
      if (by_navigation && !by_chrome) completed();
      if (by_chrome) gateway.debugger_event({.tab = 1}, "", "Page.loadEventFired", R"({"timestamp":1})");
      if (by_navigation && by_chrome) completed();
      if (by_navigation && !by_chrome) {
        gateway.debugger_event({.tab = 1}, "", "Page.loadEventFired", R"({"timestamp":1})");
      }
      auto const said = told();
      EXPECT_EQ(std::ranges::count(said, "Page.loadEventFired"), by_chrome || by_navigation ? 1 : 0);
      gateway.gone(1);
    }
  }
}

TEST_F(Refused, a_reload_goes_by_chrome_tabs_and_round_the_cache_where_it_is_asked_to) {
  attach();
  transport.always("tabs.reload", "{}");
  say(1, 2, "Page.reload", R"({"ignoreCache":true})");
  transport.refuse("Page.reload", why);
  transport.settle();
  say(1, 3, "Page.reload");
  transport.refuse("Page.reload", why);
  transport.settle();
  EXPECT_EQ(told(), (std::vector<std::string>{"id 2: {}", "id 3: {}"}));
  EXPECT_THAT(transport.all, ::testing::IsSupersetOf({R"(tabs.reload [1,{"bypassCache":true}])",
                                                      R"(tabs.reload [1,{"bypassCache":false}])"}));
}

TEST_F(Refused, a_navigation_of_one_frame_is_refused_and_not_taken_for_the_page) {
  attach();
  say(1, 2, "Page.navigate", R"({"url":"http://a.example/next","frameId":"F"})");
  transport.refuse("Page.navigate", why);
  EXPECT_EQ(told(), std::vector<std::string>{std::string("id 2: error ") + why});
}

TEST_F(Refused, what_a_client_listens_to_is_asked_for_again_ever_more_seldom_until_chrome_lets_it) {
  attach();
  say(1, 2, "Log.enable");
  told();
  hold_attaching();
  let_go();
  pass(200);
  int warnings = 0;
  for (Millis const pause : {1'000, 2'000, 4'000, 8'000, 8'000}) {
    ASSERT_TRUE(asks_to_attach());
    transport.refuse("", why);
    for (auto const& text : told()) warnings += text == "Log.entryAdded" ? 1 : 0;
    pass(pause - 1);
    EXPECT_FALSE(asks_to_attach()) << pause;
    pass(1);
  }
  EXPECT_EQ(warnings, 1) << "whose frame it is, is told once, and with each command that is refused";
  attach_answers();
  transport.answer("", "{}");
  transport.settle();
  EXPECT_EQ(gateway.counts().attached, 1U);
}

TEST_F(Refused, a_page_that_nobody_listens_to_is_not_asked_for_again) {
  join(1, {.target = std::string(page_1)});
  say(1, 1, "Runtime.evaluate", R"({"expression":"1"})");
  transport.refuse("", why);
  pass(60'000);
  EXPECT_FALSE(asks_to_attach());
}

}  // namespace any::cdp::test
