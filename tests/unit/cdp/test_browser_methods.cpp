// Browser.*, cookies, permissions, contexts and new tabs, answered from chrome.*.

#include <gmock/gmock.h>

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class BrowserMethods : public Stage {
 protected:
  std::string ask(std::string_view method, std::string_view params = "{}", std::string_view on = "") {
    told();
    say(1, ++last, method, params, on);
    return answer();
  }
  /// The next answer without its id; "" where there is none yet.
  std::string answer(ClientId client = 1) {
    for (auto const& line : told(client)) {
      if (line.starts_with("id ")) return line.substr(line.find(": ") + 2);
    }
    return {};
  }
  std::string new_context() {
    return std::string(object(ask("Target.createBrowserContext")).at("browserContextId").as_string());
  }
  int last = 0;
};

TEST_F(BrowserMethods, the_version_is_chromes_own) {
  join(1);
  EXPECT_EQ(ask("Browser.getVersion"),
            R"({"protocolVersion":"1.3","product":"Chrome/156.0.0.0","revision":"","userAgent":"UA","jsVersion":""})");
}

TEST_F(BrowserMethods, an_unknown_method_is_named) {
  join(1);
  EXPECT_EQ(ask("Browser.odd"), "error 'Browser.odd' wasn't found");
}

TEST_F(BrowserMethods, what_an_extension_cannot_know_is_an_error_that_says_why) {
  join(1);
  EXPECT_EQ(ask("Browser.getBrowserCommandLine"),
            "error Command line not returned because --enable-automation not set.");
  EXPECT_THAT(ask("Browser.crash"), HasSubstr("refused"));
  EXPECT_THAT(ask("SystemInfo.getProcessInfo"), HasSubstr("does not tell"));
}

TEST_F(BrowserMethods, close_ends_only_the_client_that_says_it) {
  join(1);
  join(2);
  say(1, 1, "Browser.close");
  EXPECT_EQ(told(1), std::vector<std::string>{"id 1: {}"});
  EXPECT_EQ(sockets.closed.at(1), "1000 Browser.close");
  EXPECT_FALSE(sockets.closed.contains(2));
  say(2, 1, "Browser.getVersion");
  EXPECT_THAT(told(2).at(0), HasSubstr("Chrome/156"));
}

TEST_F(BrowserMethods, a_command_waits_while_the_link_is_down) {
  join(1);
  transport.link_down(gateway);
  say(1, 1, "Storage.getCookies");
  EXPECT_TRUE(told().empty());
  transport.link_up(gateway, {.browser_id = "b"});
  transport.settle();
  transport.answer("cookies.getAll", "[]");
  EXPECT_EQ(told(), std::vector<std::string>{R"(id 1: {"cookies":[]})"});
}

TEST_F(BrowserMethods, the_window_of_a_target_is_that_of_its_tab) {
  join(1);
  EXPECT_EQ(ask("Browser.getWindowForTarget"), "error No web contents in the target");
  EXPECT_EQ(ask("Browser.getWindowForTarget", R"({"targetId":"nope"})"), "error No target with given id");
  ask("Browser.getWindowForTarget", R"({"targetId":")" + std::string(page_2) + "\"}");
  EXPECT_EQ(transport.answer("tabs.get", R"({"id":2,"windowId":9})"), "[2]");
  EXPECT_EQ(transport.answer("windows.get", R"({"id":9,"left":1,"top":2,"width":3,"height":4,"state":"normal"})"),
            "[9]");
  EXPECT_EQ(answer(), R"({"windowId":9,"bounds":{"left":1,"top":2,"width":3,"height":4,"windowState":"normal"}})");
}

TEST_F(BrowserMethods, bounds_follow_chromes_rules) {
  join(1);
  EXPECT_EQ(ask("Browser.setWindowBounds", R"({"windowId":9,"bounds":{"windowState":"minimized","left":1}})"),
            "error The 'minimized', 'maximized' and 'fullscreen' states cannot be combined with 'left', 'top', 'width' "
            "or 'height'");
  EXPECT_EQ(ask("Browser.setWindowBounds", R"({"windowId":"x","bounds":{}})"), "error Invalid parameters");
  ask("Browser.setWindowBounds", R"({"windowId":9,"bounds":{"windowState":"maximized"}})");
  transport.answer("windows.get", R"({"id":9,"state":"fullscreen"})");
  EXPECT_EQ(answer(), "error To maximize a minimized or fullscreen window, restore it to normal state first.");
  ask("Browser.getWindowBounds", R"({"windowId":7})");
  transport.refuse("windows.get", "No window with id: 7.");
  EXPECT_EQ(answer(), "error Browser window not found");
}

TEST_F(BrowserMethods, a_maximized_window_is_restored_before_it_is_sized) {
  join(1);
  ask("Browser.setWindowBounds", R"({"windowId":9,"bounds":{"width":800}})");
  transport.answer("windows.get", R"({"id":9,"state":"maximized"})");
  EXPECT_EQ(transport.answer("windows.update", "{}"), R"([9,{"state":"normal"}])");
  EXPECT_EQ(answer(), "");
  EXPECT_EQ(transport.answer("windows.update", "{}"), R"([9,{"width":800}])");
  EXPECT_EQ(answer(), "{}");
}

TEST_F(BrowserMethods, the_contents_get_the_size_that_is_asked_for) {
  join(1);
  ask("Browser.setContentsSize", R"({"windowId":9,"width":500,"height":400})");
  transport.answer("windows.get", R"({"id":9,"state":"normal"})");
  transport.answer("windows.get",
                   R"({"id":9,"width":780,"height":580,"tabs":[{"active":true,"width":780,"height":493}]})");
  EXPECT_EQ(transport.answer("windows.update", "{}"), R"([9,{"width":500,"height":487}])");
  EXPECT_EQ(answer(), "{}");
}

TEST_F(BrowserMethods, cookies_are_told_in_cdps_form) {
  join(1);
  ask("Storage.getCookies");
  EXPECT_EQ(
      transport.answer("cookies.getAll",
                       R"([{"name":"a","value":"bc","domain":".x.example","hostOnly":false,"path":"/","secure":true,)"
                       R"("httpOnly":true,"session":false,"expirationDate":1800000000.5,"sameSite":"no_restriction",)"
                       R"("storeId":"0","partitionKey":{"topLevelSite":"https://t.example"}},)"
                       R"({"name":"s","value":"","domain":"y.example","hostOnly":true,"path":"/p","secure":false,)"
                       R"("httpOnly":false,"session":true,"sameSite":"unspecified","storeId":"0"}])"),
      R"([{"storeId":"0","partitionKey":{}}])");
  auto const cookies = object(answer()).at("cookies").as_array();
  ASSERT_EQ(cookies.size(), 2U);
  EXPECT_EQ(boost::json::serialize(cookies[0]),
            R"({"name":"a","value":"bc","domain":".x.example","path":"/","expires":1.8000000005E9,"size":3,)"
            R"("httpOnly":true,"secure":true,"session":false,"sameSite":"None","priority":"Medium",)"
            R"("sourceScheme":"Unset","sourcePort":-1,)"
            R"("partitionKey":{"topLevelSite":"https://t.example","hasCrossSiteAncestor":false}})");
  EXPECT_EQ(cookies[1].at("expires"), -1);
  EXPECT_FALSE(cookies[1].as_object().contains("sameSite"));
}

TEST_F(BrowserMethods, a_domain_without_a_dot_means_that_host_alone) {
  join(1);
  ask("Storage.setCookies",
      R"({"cookies":[{"name":"a","value":"1","domain":"x.example","path":"/p"},)"
      R"({"name":"b","value":"2","domain":".x.example","secure":true,"sameSite":"None","expires":1800000000},)"
      R"({"name":"c","value":"3","url":"https://Y.example:8443/deep/page"}]})");
  transport.answer("cookies.getAll", "[]");
  EXPECT_EQ(
      transport.answer("cookies.set"),
      R"([{"storeId":"0","url":"http://x.example/p","name":"a","value":"1","path":"/p","secure":false,"httpOnly":false}])");
  auto const second = transport.answer("cookies.set");
  EXPECT_THAT(second, HasSubstr(R"("url":"https://x.example/")"));
  EXPECT_THAT(second, HasSubstr(R"("domain":".x.example","sameSite":"no_restriction","expirationDate":1.8E9)"));
  EXPECT_EQ(answer(), "");
  EXPECT_THAT(transport.answer("cookies.set"),
              HasSubstr(R"("url":"https://y.example/","name":"c","value":"3","path":"/","secure":true)"));
  EXPECT_EQ(answer(), "{}");
}

TEST_F(BrowserMethods, a_bad_cookie_is_refused_and_none_is_set) {
  join(1);
  EXPECT_EQ(ask("Storage.setCookies", R"({"cookies":[{"name":"a","value":"1"}]})"), "error Invalid cookie fields");
  EXPECT_EQ(ask("Storage.setCookies", R"({"cookies":[{"name":"a","value":"1","url":"ftp://x"}]})"),
            "error Invalid cookie fields");
  EXPECT_EQ(ask("Storage.setCookies", R"({"cookies":[{"value":"1","url":"http://x"}]})"), "error Invalid parameters");
  EXPECT_EQ(ask("Storage.setCookies", "{}"), "error Invalid parameters");
  EXPECT_EQ(ask("Storage.getCookies", R"({"browserContextId":"x"})"), "error Failed to find browser context for id x");
  EXPECT_FALSE(transport.waits("cookies.set"));
}

TEST_F(BrowserMethods, clearing_leaves_the_persons_cookies) {
  join(1);
  ask("Storage.setCookies",
      R"({"cookies":[{"name":"mine","value":"1","domain":".x.example"},{"name":"same","value":"1","url":"http://x.example"},)"
      R"({"name":"other","value":"new","url":"http://x.example"}]})");
  transport.answer("cookies.getAll",
                   R"([{"name":"same","value":"1","domain":"x.example","path":"/","storeId":"0"},)"
                   R"({"name":"other","value":"old","domain":"x.example","path":"/","storeId":"0"}])");
  for (int i = 0; i < 3; ++i) transport.answer("cookies.set");
  EXPECT_EQ(answer(), "{}");
  ask("Storage.clearCookies");
  auto const first = transport.answer("cookies.set"), second = transport.answer("cookies.set");
  EXPECT_THAT(first, HasSubstr(R"("expirationDate":1,"domain":".x.example")"));
  EXPECT_THAT(second, HasSubstr(R"("name":"other")"));
  EXPECT_FALSE(transport.waits("cookies.set"));
  EXPECT_EQ(answer(), "{}");
  EXPECT_EQ(ask("Storage.clearCookies"), "{}");
}

TEST_F(BrowserMethods, a_client_allowed_to_may_wipe_the_profile) {
  join(1, {.clear_profile = true});
  ask("Storage.clearCookies");
  transport.answer("cookies.getAll", R"([{"name":"p","value":"1","domain":"x.example","path":"/","storeId":"0"}])");
  EXPECT_THAT(transport.answer("cookies.set"), HasSubstr(R"("name":"p")"));
  EXPECT_EQ(answer(), "{}");
}

TEST_F(BrowserMethods, a_pages_session_clears_no_more_than_the_browsers) {
  join(1);
  auto const sessions = attach_all(1);
  EXPECT_EQ(ask("Network.clearBrowserCookies", "{}", sessions.at(std::string(page_1))), "{}");
  EXPECT_THAT(transport.all, Not(Contains("Network.clearBrowserCookies {}")));
}

TEST_F(BrowserMethods, permissions_become_content_settings_until_the_client_goes) {
  join(1);
  join(2);
  ask("Browser.grantPermissions",
      R"({"permissions":["geolocation","clipboardSanitizedWrite"],"origin":"http://a.example:81/x"})");
  EXPECT_EQ(transport.answer("contentSettings.location.set"),
            R"([{"primaryPattern":"http://a.example:81/*","setting":"allow","scope":"regular"}])");
  EXPECT_EQ(answer(), "{}");
  say(2, 1, "Browser.setPermission", R"({"permission":{"name":"geolocation"},"setting":"denied"})");
  EXPECT_EQ(transport.answer("contentSettings.location.set"),
            R"([{"primaryPattern":"<all_urls>","setting":"block","scope":"regular"}])");
  gateway.gone(1);
  EXPECT_EQ(transport.answer("contentSettings.location.clear"), R"([{"scope":"regular"}])");
  EXPECT_THAT(transport.answer("contentSettings.location.set"), HasSubstr(R"("setting":"block")"))
      << "the other's stays";
}

TEST_F(BrowserMethods, a_permission_is_taken_back_when_the_link_is_up_again) {
  join(1);
  ask("Browser.grantPermissions", R"({"permissions":["geolocation"]})");
  transport.answer("contentSettings.location.set");
  transport.link_down(gateway);
  gateway.gone(1);
  EXPECT_FALSE(transport.waits("contentSettings.location.clear"));
  transport.link_up(gateway, {.browser_id = "b"});
  transport.settle();
  EXPECT_EQ(transport.answer("contentSettings.location.clear"), R"([{"scope":"regular"}])");
}

TEST_F(BrowserMethods, a_permission_that_cannot_be_granted_is_named) {
  join(1);
  EXPECT_EQ(ask("Browser.grantPermissions", R"({"permissions":["odd"]})"), "error Unknown permission type: odd");
  EXPECT_EQ(ask("Browser.grantPermissions", R"({"permissions":["geolocation","midi"],"origin":"https://a.example"})"),
            "error Permission 'midi' cannot be granted by an extension: the person can do it at "
            "chrome://settings/content/siteDetails?site=https://a.example.");
  EXPECT_EQ(ask("Browser.grantPermissions", R"({"permissions":["geolocation"],"origin":"zzz"})"),
            "error Permission can't be granted to opaque origins.");
  EXPECT_EQ(ask("Browser.setPermission", R"({"permission":{"name":"odd"},"setting":"granted"})"),
            "error Invalid PermissionDescriptor name: odd");
  EXPECT_FALSE(transport.waits("contentSettings.location.set"));
}

TEST_F(BrowserMethods, resetting_takes_back_what_the_client_was_granted) {
  join(1);
  ask("Browser.grantPermissions", R"({"permissions":["notifications"]})");
  transport.answer("contentSettings.notifications.set");
  ask("Browser.resetPermissions");
  transport.answer("contentSettings.notifications.clear");
  EXPECT_EQ(answer(), "{}");
  say(1, 99, "Browser.resetPermissions");
  gateway.tick();
  EXPECT_EQ(told().back(), "id 99: {}");
}

TEST_F(BrowserMethods, a_target_is_told_after_it_was_announced) {
  join(1);
  attach_all(1);
  ask("Target.createTarget", R"({"url":"about:blank"})");
  transport.answer("windows.getLastFocused", R"({"id":9,"type":"normal","incognito":false})");
  EXPECT_EQ(transport.take("tabs.create").params, R"([{"windowId":9,"url":"about:blank","active":true}])");
}

class NewTab : public BrowserMethods {
 protected:
  /// Chrome makes the tab 3 and tells of it.
  void appears(std::string_view more = "") {
    transport.always(
        "debugger.getTargets",
        R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3,"url":"about:blank","title":""}])");
    gateway.chrome_event("tabs.onCreated", R"([{"id":3,"windowId":9)" + std::string(more) + "}]");
    transport.settle();
  }
  void made(std::string_view more = "") {
    transport.answer("tabs.create", R"({"id":3,"windowId":9)" + std::string(more) + "}");
    transport.settle();
  }
  void in_normal_window() {
    transport.always("windows.getLastFocused", R"({"id":9,"type":"normal","incognito":false})");
  }
};

TEST_F(NewTab, is_announced_before_the_answer_whichever_comes_first) {
  in_normal_window();
  join(1);
  attach_all(1);
  say(1, 1, "Target.createTarget", R"({"url":"about:blank","background":true})");
  appears();
  EXPECT_TRUE(told().empty()) << "its context is not known before the answer";
  made();
  EXPECT_EQ(told(), (std::vector<std::string>{"Target.attachedToTarget",
                                              R"(id 1: {"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3"})"}));
}

TEST_F(NewTab, is_made_in_a_normal_window_never_in_the_persons_incognito_one) {
  transport.always("windows.getLastFocused", R"({"id":5,"type":"normal","incognito":true})");
  join(1);
  say(1, 1, "Target.createTarget", R"({"url":"zz zz"})");
  transport.answer("windows.getAll", R"([{"id":5,"type":"normal","incognito":true},{"id":6,"type":"normal"}])");
  EXPECT_EQ(transport.take("tabs.create").params, R"([{"windowId":6,"url":"about:blank","active":true}])");
}

TEST_F(NewTab, gets_a_window_where_there_is_none) {
  join(1);
  say(1, 1, "Target.createTarget", R"({"url":"https://x.example/"})");
  transport.refuse("windows.getLastFocused", "No last-focused window");
  transport.answer("windows.getAll", "[]");
  EXPECT_EQ(transport.take("windows.create").params, R"([{"url":"https://x.example/","focused":false}])");
}

TEST_F(NewTab, gets_a_window_of_the_size_asked_for_also_where_the_browser_has_one_size_for_all) {
  join(1);
  say(1, 1, "Target.createTarget", R"({"url":"about:blank","newWindow":true,"width":700,"height":500})");
  transport.answer("windows.create", R"({"id":30,"width":1280,"height":500,"tabs":[{"id":3,"windowId":30}]})");
  EXPECT_EQ(transport.take("windows.update").params, R"([30,{"width":700}])");
}

TEST_F(NewTab, waits_with_its_url_until_its_clients_let_it_go) {
  in_normal_window();
  attach_answers();
  join(1);
  attach_all(1);
  say(1, 1, "Target.createTarget", R"({"url":"https://x.example/"})");
  appears();
  made();
  auto const messages = sockets.rest(1);
  ASSERT_EQ(messages.size(), 2U);
  auto const attached = object(messages[0]).at("params").as_object();
  EXPECT_TRUE(attached.at("waitingForDebugger").as_bool());
  EXPECT_FALSE(transport.waits("tabs.update"));
  say(1, 2, "Runtime.runIfWaitingForDebugger", "{}", attached.at("sessionId").as_string());
  EXPECT_EQ(transport.take("tabs.update").params, R"([3,{"url":"https://x.example/"}])");
}

TEST_F(NewTab, that_goes_at_once_is_an_error) {
  in_normal_window();
  join(1);
  say(1, 1, "Target.createTarget", R"({"url":"about:blank"})");
  made();
  gateway.chrome_event("tabs.onRemoved", "[3,{}]");
  EXPECT_THAT(told().at(0), HasSubstr("closed before it could be used"));
}

TEST_F(NewTab, wrong_params_are_refused_in_chromes_words) {
  join(1);
  EXPECT_EQ(ask("Target.createTarget", R"({"url":5})"), "error Invalid parameters");
  EXPECT_EQ(ask("Target.createTarget", R"({"url":"about:blank","left":5})"),
            "error Target position can only be set for new windows");
  EXPECT_EQ(ask("Target.createTarget", R"({"url":"about:blank","browserContextId":"x"})"),
            "error Failed to find browser context with id x");
}

TEST_F(NewTab, of_a_group_context_is_told_in_it_and_put_into_the_group) {
  in_normal_window();
  join(1, {.group_contexts = true});
  attach_all(1);
  auto const context = new_context();
  say(1, 50, "Target.createTarget", R"({"url":"about:blank","browserContextId":")" + context + "\"}");
  appears();
  made();
  auto const messages = sockets.rest(1);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(object(messages[0]).at("params").at("targetInfo").at("browserContextId").as_string(), context);
  EXPECT_EQ(transport.answer("tabs.group", "77"), R"([{"tabIds":3,"createProperties":{"windowId":9}}])");
  EXPECT_EQ(transport.answer("tabGroups.update", "{}"), R"([77,{"title":"any"}])");
  say(1, 51, "Target.disposeBrowserContext", R"({"browserContextId":")" + context + "\"}");
  EXPECT_EQ(transport.answer("tabs.remove"), "[[3]]") << "not the person's tabs";
  EXPECT_EQ(told().back(), "id 51: {}");
  EXPECT_THAT(ask("Target.getBrowserContexts"), HasSubstr(R"("browserContextIds":[])"));
}

TEST_F(NewTab, of_a_group_context_closes_when_its_client_goes) {
  in_normal_window();
  join(1, {.group_contexts = true});
  auto const context = new_context();
  say(1, 50, "Target.createTarget", R"({"url":"about:blank","browserContextId":")" + context + "\"}");
  made();
  gateway.gone(1);
  EXPECT_EQ(transport.take("tabs.remove").params, "[[3]]");
}

TEST_F(BrowserMethods, an_incognito_context_needs_the_extension_to_be_allowed_there) {
  join(1);
  EXPECT_THAT(ask("Target.createBrowserContext"), HasSubstr("switch on \"Allow in Incognito\""));
}

class Incognito : public NewTab {
 protected:
  void SetUp() override {
    gateway.facts_changed({.browser_id = "b", .incognito = true});
    join(1);
  }
};

TEST_F(Incognito, is_one_at_a_time) {
  new_context();
  EXPECT_THAT(ask("Target.createBrowserContext"), HasSubstr("another context has it"));
}

TEST_F(Incognito, is_not_shared_with_the_persons_own_window) {
  gateway.chrome_event("tabs.onCreated", R"([{"id":4,"windowId":8,"incognito":true}])");
  EXPECT_THAT(ask("Target.createBrowserContext"), HasSubstr("an incognito window is open"));
}

TEST_F(Incognito, gets_its_window_with_the_first_tab) {
  auto const context = new_context();
  EXPECT_EQ(ask("Storage.getCookies", R"({"browserContextId":")" + context + "\"}"), R"({"cookies":[]})");
  say(1, 50, "Target.createTarget", R"({"url":"about:blank","browserContextId":")" + context + "\"}");
  transport.always("debugger.getTargets", R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3}])");
  EXPECT_EQ(transport.answer("windows.create", R"({"id":30,"tabs":[{"id":3,"windowId":30,"incognito":true}]})"),
            R"([{"url":"about:blank","focused":false,"incognito":true}])");
  transport.settle();
  EXPECT_EQ(told().back(), R"(id 50: {"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3"})");
  say(1, 51, "Target.createTarget", R"({"url":"about:blank","browserContextId":")" + context + "\"}");
  EXPECT_THAT(transport.take("tabs.create").params, HasSubstr(R"("windowId":30)"));
  ask("Storage.clearCookies", R"({"browserContextId":")" + context + "\"}");
  EXPECT_THAT(transport.answer("cookies.getAll", R"([{"name":"p","value":"1","domain":"x","path":"/","storeId":"1"}])"),
              HasSubstr(R"("storeId":"1")"));
  EXPECT_THAT(transport.answer("cookies.set"), HasSubstr(R"("name":"p")")) << "all of it is the client's";
}

TEST_F(Incognito, cookies_set_before_the_first_page_are_there_in_it) {
  auto const context = new_context();
  say(1, 50, "Storage.setCookies",
      R"({"browserContextId":")" + context + R"(","cookies":[{"name":"a","value":"1","url":"http://x.example"}]})");
  transport.always("debugger.getTargets", R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3}])");
  transport.answer("windows.create", R"({"id":30,"tabs":[{"id":3,"windowId":30,"incognito":true}]})");
  transport.answer("cookies.getAll", "[]");
  EXPECT_THAT(transport.answer("cookies.set"), HasSubstr(R"("storeId":"1")"));
  transport.settle();
  EXPECT_EQ(told().back(), "id 50: {}");
  say(1, 51, "Target.createTarget", R"({"url":"about:blank","browserContextId":")" + context + "\"}");
  EXPECT_FALSE(transport.waits("tabs.update"))
      << "sent to about:blank again it would leave the page that its client opens next";
  transport.answer("tabs.get", R"({"id":3,"windowId":30,"incognito":true})");
  EXPECT_EQ(told().back(), R"(id 51: {"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3"})") << "the page that is there";
}

TEST_F(Incognito, the_page_that_is_there_goes_to_the_address_of_the_first_target) {
  auto const context = new_context();
  say(1, 50, "Storage.setCookies",
      R"({"browserContextId":")" + context + R"(","cookies":[{"name":"a","value":"1","url":"http://x.example"}]})");
  transport.always("debugger.getTargets", R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3}])");
  transport.answer("windows.create", R"({"id":30,"tabs":[{"id":3,"windowId":30,"incognito":true}]})");
  transport.answer("cookies.getAll", "[]");
  transport.answer("cookies.set");
  transport.settle();
  say(1, 51, "Target.createTarget", R"({"url":"http://x.example/","browserContextId":")" + context + "\"}");
  EXPECT_EQ(transport.answer("tabs.update", R"({"id":3,"windowId":30,"incognito":true})"),
            R"([3,{"url":"http://x.example/"}])");
  EXPECT_EQ(told().back(), R"(id 51: {"targetId":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3"})");
}

TEST_F(BrowserMethods, a_tab_made_at_the_door_disturbs_no_client_and_is_told_to_all) {
  attach_answers();
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  say(1, 40, "Runtime.evaluate", R"({"expression":"1"})", session);
  transport.answer("Runtime.evaluate", "{}");
  told();
  std::string made;
  gateway.create("http://c.example/", [&made](auto const& listed) { made = listed ? listed->id : "refused"; });
  EXPECT_EQ(transport.answer("windows.getLastFocused", R"({"id":8,"type":"normal","incognito":true})"),
            R"([{"windowTypes":["normal"]}])");
  transport.answer("windows.getAll", R"([{"id":8,"type":"normal","incognito":true},{"id":9,"type":"normal"}])");
  say(1, 41, "Runtime.evaluate", R"({"expression":"2"})", session);
  transport.answer("Runtime.evaluate", "{}");
  EXPECT_EQ(told().back(), "id 41: {}");
  transport.always("debugger.getTargets", R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3","type":"page","tabId":3}])");
  EXPECT_EQ(transport.answer("tabs.create", R"({"id":3,"windowId":9})"),
            R"([{"windowId":9,"url":"http://c.example/","active":true}])")
      << "not into the person's incognito window";
  transport.settle();
  EXPECT_EQ(made, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3");
  EXPECT_THAT(told(), Contains("Target.attachedToTarget"));
}

TEST_F(BrowserMethods, a_tab_made_at_the_door_that_goes_at_once_is_an_error_and_no_silence) {
  std::string said;
  gateway.create("http://c.example/", [&said](auto const& listed) { said = listed ? "" : listed.error().message; });
  transport.settle();
  transport.answer("windows.getLastFocused", R"({"id":9,"type":"normal"})");
  transport.answer("tabs.create", R"({"id":3,"windowId":9})");
  gateway.chrome_event("tabs.onRemoved", R"([3,{}])");
  EXPECT_THAT(said, HasSubstr("closed before it could be used"));
}

TEST_F(BrowserMethods, certificate_errors_cannot_be_ignored_and_the_error_says_what_can_be_done) {
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  for (auto const& where : {std::string(), session}) {
    EXPECT_THAT(ask("Security.setIgnoreCertificateErrors", R"({"ignore":true})", where),
                HasSubstr("accept the site's certificate once by hand"));
  }
}

TEST_F(BrowserMethods, files_that_the_extension_may_not_hand_over_name_the_switch) {
  attach_answers();
  join(1, {.target = std::string(page_1)});
  say(1, 50, "DOM.setFileInputFiles", R"({"files":["/a"],"nodeId":1})");
  transport.refuse("DOM.setFileInputFiles", "Not allowed");
  EXPECT_THAT(told().back(), AllOf(HasSubstr("Not allowed"), HasSubstr("Allow access to file URLs")));
  gateway.facts_changed({.browser_id = "b", .file_urls = true});
  say(1, 51, "DOM.setFileInputFiles", R"({"files":["/a"],"nodeId":1})");
  transport.refuse("DOM.setFileInputFiles", "Not allowed");
  EXPECT_EQ(told().back(), "id 51: error Not allowed");
}

TEST_F(BrowserMethods, clearing_takes_what_the_client_has_set_by_a_page_too) {
  attach_answers();
  join(1);
  auto const session = attach_all(1).at(std::string(page_1));
  say(1, 50, "Network.setCookie", R"({"name":"n","value":"1","url":"http://x.example/"})", session);
  transport.answer("Network.setCookie", R"({"success":true})");
  told();
  say(1, 51, "Storage.clearCookies");
  EXPECT_THAT(transport.answer("cookies.set"), HasSubstr(R"("name":"n")"));
  EXPECT_EQ(told().back(), "id 51: {}");
}

}  // namespace any::cdp::test
