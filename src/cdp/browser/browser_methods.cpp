// Browser.*, SystemInfo.* and what else chrome.debugger does not know.

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

constexpr std::uint16_t normal_closure = 1000;

/// What cannot be answered truly, and why.
struct Refusal {
  std::string_view method, why;
};

constexpr Refusal refusals[] = {
    {"Browser.getBrowserCommandLine", "Command line not returned because --enable-automation not set."},
    {"Browser.crash", "Browser.crash is refused: a person works in this browser."},
    {"Browser.crashGpuProcess", "Browser.crashGpuProcess is refused: a person works in this browser."},
    {"Browser.getHistograms", "Chrome does not let an extension read its histograms."},
    {"Browser.getHistogram", "Chrome does not let an extension read its histograms."},
    {"Browser.addPrivacySandboxEnrollmentOverride", "Chrome does not let an extension change its Privacy Sandbox."},
    {"Browser.addPrivacySandboxCoordinatorKeyConfig", "Chrome does not let an extension change its Privacy Sandbox."},
    {"Security.setIgnoreCertificateErrors",
     "Chrome lets no extension ignore certificate errors: leave out ignoreHTTPSErrors (acceptInsecureCerts), and "
     "accept the site's certificate once by hand."},
    {"SystemInfo.getProcessInfo", "Chrome does not tell an extension of its processes."},
    {"SystemInfo.getFeatureState", "Chrome does not tell an extension of its features."},
};

std::string version_json(Facts const& facts) {
  return json::serialize(json::object{{"protocolVersion", "1.3"},
                                      {"product", facts.product},
                                      {"revision", facts.revision},
                                      {"userAgent", facts.user_agent},
                                      {"jsVersion", facts.v8}});
}

}  // namespace

bool Gateway::Impl::put_off(Command const& command) {
  if (link.known()) return false;
  when_known.push_back([this, command] { blind ? fail(command.ticket, *blind) : run(command); });
  if (link.up()) look();
  return true;
}

bool Gateway::Impl::browser_method(Session& by, Command const& command) {
  auto const& method = command.method;
  if (window_method(by, command) || cookie_method(by, command) || permission_method(by, command) ||
      download_method(by, command) || extension_method(by, command)) {
    return true;
  }
  if (method == "Browser.getVersion") {
    reply(command.ticket, version_json(facts));
    return true;
  }
  if (method == "Browser.close") {
    // It ends that client only: the browser is a person's.
    reply(command.ticket, "{}");
    auto const id = command.ticket.client;
    close(id, normal_closure, "Browser.close");
    gone(id);
    return true;
  }
  if (method == "Browser.setDockTile" && facts.user_agent.find("Macintosh") == std::string::npos) {
    reply(command.ticket, "{}");  // does nothing elsewhere in Chrome either
    return true;
  }
  if (method == "Browser.executeBrowserCommand") {
    Params params(command.params);
    auto const id = params.text("commandId");
    bool const known_id = id == "openTabSearch" || id == "closeTabSearch" || id == "openGlic";
    fail(command.ticket, params.wrong() ? *params.wrong()
                         : known_id
                             ? Failure{code::server_error, "Chrome does not let an extension open its own menus."}
                             : Failure{code::bad_params, "Invalid BrowserCommandId: " + id});
    return true;
  }
  if (method.starts_with("SystemInfo.") && by.kind == Session::Kind::target) {
    fail(command.ticket, {code::server_error, method + " is only supported on the browser target"});
    return true;
  }
  if (method == "SystemInfo.getInfo") {
    // Chrome does not tell an extension of its graphics, nor of its command line.
    reply(command.ticket,
          R"({"gpu":{"devices":[],"auxAttributes":{},"featureStatus":{},"driverBugWorkarounds":[],"videoDecoding":[],)"
          R"("videoEncoding":[]},"modelName":"","modelVersion":"","commandLine":""})");
    return true;
  }
  for (auto const& refusal : refusals) {
    if (refusal.method != method) continue;
    fail(command.ticket, {code::server_error, std::string(refusal.why)});
    return true;
  }
  return false;
}

boost::system::result<std::string, Failure> Gateway::Impl::context_meant(Session const& by, Params& params) {
  auto const named = params.maybe_text("browserContextId");
  if (params.wrong()) return *params.wrong();
  if (named) {
    if (*named == default_context || context(*named)) return *named;
    for (auto const& [id, tab] : tabs) {
      if (context_of(tab) == *named) return *named;  // the person's own incognito windows
    }
    return Failure{code::bad_params, "Failed to find browser context for id " + *named};
  }
  auto const* on = by.kind == Session::Kind::browser ? nullptr : target(by.target);
  return on && !on->info.context.empty() ? on->info.context : default_context;
}

}  // namespace any::cdp
