#include "cdp/protocol/methods.hpp"

#include <unordered_map>
#include <unordered_set>

namespace any::cdp {

namespace {

using Table = std::unordered_map<std::string_view, Rule>;

constexpr Rule passes{};

Rule setting(std::string_view undo, std::string_view params = "{}") {
  return {.act = Act::setting, .undo = undo, .undo_params = params};
}

Rule back_to(std::string_view params) {
  return {.act = Act::setting, .undo = {}, .undo_params = params};
}

Rule merged(std::string_view params) {
  return {.act = Act::setting, .undo = {}, .undo_params = params, .merged = true};
}

Rule falling(std::string_view undo) {
  return {.act = Act::setting, .undo = undo, .undo_params = "{}", .falls = true};
}

Rule unset(std::string_view of) {
  return {.act = Act::unset, .undo = of};
}

Table make_table() {
  Table table{
      {"Emulation.setDeviceMetricsOverride", falling("Emulation.clearDeviceMetricsOverride")},
      {"Emulation.clearDeviceMetricsOverride", unset("Emulation.setDeviceMetricsOverride")},
      {"Emulation.setGeolocationOverride", falling("Emulation.clearGeolocationOverride")},
      {"Emulation.clearGeolocationOverride", unset("Emulation.setGeolocationOverride")},
      {"Emulation.setIdleOverride", setting("Emulation.clearIdleOverride")},
      {"Emulation.clearIdleOverride", unset("Emulation.setIdleOverride")},
      {"Emulation.setDevicePostureOverride", setting("Emulation.clearDevicePostureOverride")},
      {"Emulation.clearDevicePostureOverride", unset("Emulation.setDevicePostureOverride")},
      {"Emulation.setUserAgentOverride", back_to(R"({"userAgent":""})")},
      {"Network.setUserAgentOverride", back_to(R"({"userAgent":""})")},
      {"Emulation.setTouchEmulationEnabled", back_to(R"({"enabled":false})")},
      {"Emulation.setEmitTouchEventsForMouse", back_to(R"({"enabled":false})")},
      {"Emulation.setEmulatedMedia", back_to(R"({"media":"","features":[]})")},
      {"Emulation.setEmulatedVisionDeficiency", back_to(R"({"type":"none"})")},
      {"Emulation.setLocaleOverride", back_to("{}")},
      {"Emulation.setTimezoneOverride", back_to(R"({"timezoneId":""})")},
      {"Emulation.setScriptExecutionDisabled", back_to(R"({"value":false})")},
      {"Emulation.setFocusEmulationEnabled", back_to(R"({"enabled":false})")},
      {"Emulation.setCPUThrottlingRate", back_to(R"({"rate":1})")},
      {"Emulation.setDefaultBackgroundColorOverride", back_to("{}")},
      {"Emulation.setScrollbarsHidden", back_to(R"({"hidden":false})")},
      {"Emulation.setDocumentCookieDisabled", back_to(R"({"disabled":false})")},
      {"Emulation.setAutoDarkModeOverride", back_to("{}")},
      {"Emulation.setAutomationOverride", back_to(R"({"enabled":false})")},
      {"Emulation.setPageScaleFactor", back_to(R"({"pageScaleFactor":1})")},
      {"Emulation.setHardwareConcurrencyOverride", {.act = Act::pass}},
      {"Network.setExtraHTTPHeaders", merged(R"({"headers":{}})")},
      {"Network.setCacheDisabled", back_to(R"({"cacheDisabled":false})")},
      {"Network.setBypassServiceWorker", back_to(R"({"bypass":false})")},
      {"Network.setBlockedURLs", merged(R"({"urls":[]})")},
      {"Network.setAcceptedEncodings", setting("Network.clearAcceptedEncodingsOverride")},
      {"Network.clearAcceptedEncodingsOverride", unset("Network.setAcceptedEncodings")},
      {"Network.emulateNetworkConditions",
       back_to(R"({"offline":false,"latency":0,"downloadThroughput":-1,"uploadThroughput":-1})")},
      {"Network.overrideNetworkState",
       back_to(R"({"offline":false,"latency":0,"downloadThroughput":-1,"uploadThroughput":-1})")},
      {"Page.setBypassCSP", back_to(R"({"enabled":false})")},
      {"Page.setInterceptFileChooserDialog", back_to(R"({"enabled":false})")},
      {"Page.setLifecycleEventsEnabled", back_to(R"({"enabled":false})")},
      {"Page.setAdBlockingEnabled", back_to(R"({"enabled":false})")},
      {"Page.setPrerenderingAllowed", back_to(R"({"isAllowed":true})")},
      {"Page.setFontFamilies", {.act = Act::setting, .once = true}},
      {"Page.setFontSizes", {.act = Act::setting}},
      {"Page.setWebLifecycleState", {.act = Act::pass}},
      {"Page.startScreencast", setting("Page.stopScreencast")},
      {"Page.stopScreencast", unset("Page.startScreencast")},
      {"Input.setInterceptDrags", back_to(R"({"enabled":false})")},
      {"Input.setIgnoreInputEvents", back_to(R"({"ignore":false})")},
      {"Debugger.setSkipAllPauses", back_to(R"({"skip":false})")},
      {"Debugger.setPauseOnExceptions", back_to(R"({"state":"none"})")},
      {"Debugger.setAsyncCallStackDepth", back_to(R"({"maxDepth":0})")},
      {"Runtime.setAsyncCallStackDepth", back_to(R"({"maxDepth":0})")},
      {"Runtime.setCustomObjectFormatterEnabled", back_to(R"({"enabled":false})")},
      {"Runtime.setMaxCallStackSizeToCapture", {.act = Act::setting}},
      {"Overlay.setInspectMode", back_to(R"({"mode":"none","highlightConfig":{}})")},
      {"Security.setIgnoreCertificateErrors", {.act = Act::own}},
      {"ServiceWorker.setForceUpdateOnPageLoad", back_to(R"({"forceUpdateOnPageLoad":false})")},
      {"Tracing.start", setting("Tracing.end")},
      {"Tracing.end", unset("Tracing.start")},
      {"Page.addScriptToEvaluateOnNewDocument", {.act = Act::script}},
      {"Page.removeScriptToEvaluateOnNewDocument", {.act = Act::unscript}},
      {"Runtime.addBinding", {.act = Act::binding, .reads_context = true}},
      {"Runtime.removeBinding", {.act = Act::unbinding}},
      {"Runtime.runIfWaitingForDebugger", {.act = Act::own}},
      {"Page.getFrameTree", {.act = Act::own}},
      {"Page.createIsolatedWorld", {.act = Act::own}},
      {"Page.close", {.act = Act::own}},
      {"Page.setDownloadBehavior", {.act = Act::own}},
      {"Network.clearBrowserCookies", {.act = Act::own}},
      {"Storage.getCookies", {.act = Act::own}},
      {"Storage.setCookies", {.act = Act::own}},
      {"Storage.clearCookies", {.act = Act::own}},
      {"Runtime.releaseObjectGroup", {.act = Act::group, .groups = true}},
      {"Debugger.evaluateOnCallFrame", {.groups = true}},
      {"Runtime.queryObjects", {.groups = true}},
      {"Runtime.terminateExecution", {.act = Act::pass}},
  };
  for (auto const name : {"Runtime.evaluate", "Runtime.callFunctionOn", "Runtime.compileScript", "Runtime.runScript",
                          "Runtime.globalLexicalScopeNames", "DOM.resolveNode"}) {
    table.emplace(name, Rule{.reads_context = true, .groups = true});
  }
  for (auto const name :
       {"Fetch.enable", "Fetch.disable", "Fetch.continueRequest", "Fetch.continueWithAuth", "Fetch.continueResponse",
        "Fetch.failRequest", "Fetch.fulfillRequest", "Fetch.getResponseBody", "Fetch.takeResponseBodyAsStream"}) {
    table.emplace(name, Rule{.act = Act::intercept});
  }
  return table;
}

}  // namespace

Rule const& rule_of(std::string_view method) {
  static Table const table = make_table();
  static Rule const enables{.act = Act::enable}, disables{.act = Act::disable}, owns{.act = Act::own};
  if (auto const found = table.find(method); found != table.end()) return found->second;
  if (method.ends_with(".enable")) return enables;
  if (method.ends_with(".disable")) return disables;
  if (method.starts_with("Target.") || method.starts_with("Browser.") || method.starts_with("SystemInfo.")) return owns;
  return passes;
}

bool has_enable(std::string_view domain) {
  static std::unordered_set<std::string_view> const without{
      "Target", "Browser", "Tracing", "Input",      "Emulation",         "Inspector",
      "IO",     "Storage", "Fetch",   "SystemInfo", "BackgroundService", "HeadlessExperimental"};
  return !without.contains(domain);
}

}  // namespace any::cdp
