// Browser.grantPermissions, setPermission, resetPermissions: by chrome.contentSettings where it has such a setting.
// What Chrome allows every page anyway counts as granted; everything else is refused by name.

#include "cdp/browser/permissions.hpp"

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

/// A permission by the name CDP has for it; `content` is chrome.contentSettings' name, empty: there is none.
struct Permission {
  std::string_view name;
  std::string_view content{};
  bool open = false;  ///< pages have it without being asked for
};

constexpr Permission permissions[] = {
    {"geolocation", "location"},
    {"notifications", "notifications"},
    {"audioCapture", "microphone"},
    {"videoCapture", "camera"},
    {"clipboardReadWrite", "clipboard"},
    {"clipboardSanitizedWrite", {}, true},
    {"sensors", {}, true},
    {"backgroundSync", {}, true},
    {"backgroundFetch", {}, true},
    {"paymentHandler", {}, true},
    {"wakeLockScreen", {}, true},
    {"keyboardLock", {}, true},
    {"pointerLock", {}, true},
    {"accessibilityEvents"},
    {"ar"},
    {"automaticFullscreen"},
    {"cameraPanTiltZoom"},
    {"capturedSurfaceControl"},
    {"displayCapture"},
    {"durableStorage"},
    {"flash"},
    {"handTracking"},
    {"idleDetection"},
    {"localFonts"},
    {"localNetwork"},
    {"localNetworkAccess"},
    {"loopbackNetwork"},
    {"midi"},
    {"midiSysex"},
    {"nfc"},
    {"periodicBackgroundSync"},
    {"protectedMediaIdentifier"},
    {"smartCard"},
    {"speakerSelection"},
    {"storageAccess"},
    {"topLevelStorageAccess"},
    {"vr"},
    {"wakeLockSystem"},
    {"webAppInstallation"},
    {"webPrinting"},
    {"windowManagement"},
};

/// Names of PermissionDescriptor that differ from CDP's types.
constexpr std::pair<std::string_view, std::string_view> descriptors[] = {
    {"camera", "videoCapture"},
    {"microphone", "audioCapture"},
    {"clipboard-read", "clipboardReadWrite"},
    {"clipboard-write", "clipboardSanitizedWrite"},
    {"accelerometer", "sensors"},
    {"gyroscope", "sensors"},
    {"magnetometer", "sensors"},
    {"ambient-light-sensor", "sensors"},
    {"background-sync", "backgroundSync"},
    {"background-fetch", "backgroundFetch"},
    {"payment-handler", "paymentHandler"},
    {"screen-wake-lock", "wakeLockScreen"},
    {"system-wake-lock", "wakeLockSystem"},
    {"keyboard-lock", "keyboardLock"},
    {"pointer-lock", "pointerLock"},
    {"persistent-storage", "durableStorage"},
    {"idle-detection", "idleDetection"},
    {"local-fonts", "localFonts"},
    {"local-network-access", "localNetworkAccess"},
    {"periodic-background-sync", "periodicBackgroundSync"},
    {"storage-access", "storageAccess"},
    {"top-level-storage-access", "topLevelStorageAccess"},
    {"window-management", "windowManagement"},
    {"display-capture", "displayCapture"},
    {"speaker-selection", "speakerSelection"},
};

Permission const* permission(std::string_view name) {
  for (auto const& row : permissions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Failure cannot(std::string_view name, std::string_view origin, std::string_view what) {
  return {code::server_error, "Permission '" + std::string(name) + "' cannot be " + std::string(what) +
                                  " by an extension: the person can do it at chrome://settings/content" +
                                  (origin.empty() ? "" : "/siteDetails?site=" + std::string(origin)) + "."};
}

/// The pattern of chrome.contentSettings for an origin; empty where it is opaque.
std::string pattern_of(std::string_view origin) {
  for (auto const scheme : {"https://", "http://"}) {
    if (!origin.starts_with(scheme)) continue;
    auto const host = origin.substr(std::string_view(scheme).size());
    auto const end = host.find_first_of("/?#");
    if (host.empty() || end == 0) return {};
    return std::string(scheme) + std::string(host.substr(0, end)) + "/*";
  }
  return origin.starts_with("file://") ? "file:///*" : "";
}

std::string set_args(Grant const& wish) {
  return json::serialize(json::array{json::object{{"primaryPattern", wish.pattern},
                                                  {"setting", wish.setting},
                                                  {"scope", wish.incognito ? "incognito_session_only" : "regular"}}});
}

struct Wishes {
  std::vector<Grant> grants;
  std::optional<Failure> failed;
};

void read_grant(Params& params, std::string const& pattern, std::string const& origin, Wishes& wishes) {
  for (auto const& row : params.list("permissions")) {
    if (!row.is_string()) {
      wishes.failed = bad_params("Failed to deserialize params.permissions - BINDINGS: string value expected");
      return;
    }
    auto const name = std::string(row.get_string());
    auto const* known = permission(name);
    if (!known) {
      wishes.failed = Failure{code::bad_params, "Unknown permission type: " + name};
    } else if (!known->content.empty()) {
      wishes.grants.push_back({.type = std::string(known->content), .pattern = pattern, .setting = "allow"});
    } else if (!known->open) {
      wishes.failed = cannot(name, origin, "granted");
    }
    if (wishes.failed) return;
  }
}

void read_setting(Params& params, std::string const& pattern, std::string const& origin, Wishes& wishes) {
  auto descriptor = params.object("permission", true);
  auto const name = descriptor ? descriptor->text("name") : "";
  auto const setting = params.text("setting");
  if (descriptor) params.take_wrong(*descriptor);
  if (params.wrong()) return;
  auto type = std::string_view(name);
  for (auto const& [from, to] : descriptors) {
    if (name == from) type = to;
  }
  auto const* known = permission(type);
  auto const to = setting == "granted" ? "allow" : setting == "denied" ? "block" : setting == "prompt" ? "ask" : "";
  if (!known) {
    wishes.failed = Failure{code::bad_params, "Invalid PermissionDescriptor name: " + name};
  } else if (!*to) {
    wishes.failed = Failure{code::bad_params, "Unknown permission setting: " + setting};
  } else if (!known->content.empty()) {
    wishes.grants.push_back({.type = std::string(known->content), .pattern = pattern, .setting = to});
  } else if (!known->open || setting != "granted") {
    wishes.failed = cannot(name, origin, setting == "granted" ? "granted" : "set");
  }
}

}  // namespace

bool Gateway::Impl::permission_method(Session& by, Command const& command) {
  bool const reset = command.method == "Browser.resetPermissions";
  bool const grants_some = command.method == "Browser.grantPermissions";
  if (!reset && !grants_some && command.method != "Browser.setPermission") return false;
  Params params(command.params);
  Wishes wishes;
  if (!reset) {
    auto const origin = params.maybe_text("origin");
    auto const pattern = origin ? pattern_of(*origin) : "<all_urls>";
    if (pattern.empty()) wishes.failed = Failure{code::bad_params, "Permission can't be granted to opaque origins."};
    auto const read = grants_some ? read_grant : read_setting;
    if (!wishes.failed) read(params, pattern, origin.value_or(""), wishes);
  }
  auto const meant = context_meant(by, params);
  if (params.wrong()) {
    fail(command.ticket, *params.wrong());
  } else if (!meant) {
    fail(command.ticket, meant.error());
  } else if (wishes.failed) {
    fail(command.ticket, *wishes.failed);
  } else if (put_off(command)) {
  } else if (reset) {
    take_back_grants(command.ticket.client, *meant, [this, ticket = command.ticket](Answer const& answer) {
      answer ? reply(ticket, "{}") : fail(ticket, answer.error());
    });
  } else if (wishes.grants.empty()) {
    reply(command.ticket, "{}");
  } else {
    auto const left = std::make_shared<std::size_t>(wishes.grants.size());
    auto const failed = std::make_shared<std::optional<Failure>>();
    for (auto& wish : wishes.grants) {
      wish.client = command.ticket.client;
      wish.context = *meant;
      wish.incognito = incognito_context(*meant);
      grant(std::move(wish), [this, ticket = command.ticket, left, failed](Answer const& answer) {
        if (!answer && !*failed) *failed = answer.error();
        if (--*left > 0) return;
        *failed ? fail(ticket, **failed) : reply(ticket, "{}");
      });
    }
  }
  return true;
}

void Gateway::Impl::grant(Grant wish, Answered done) {
  // Written down first: whatever becomes of the call, it is taken back.
  grants.put(wish);
  transport.chrome("contentSettings." + wish.type + ".set", set_args(wish), std::move(done));
}

void Gateway::Impl::take_back_grants(ClientId client_id, std::string_view of, Answered done) {
  if (grants.has(client_id, of) && !link.up()) {
    when_known.push_back([this, client_id, of = std::string(of), done] { take_back_grants(client_id, of, done); });
    return;
  }
  auto const types = grants.take(client_id, of);
  if (types.empty()) {
    timers.after(0, [done = std::move(done)] { done("{}"); });
    return;
  }
  // chrome.contentSettings can only clear all that the extension has set of a type: what other clients have is set
  // anew.
  auto const left = std::make_shared<std::size_t>(types.size());
  auto const failed = std::make_shared<std::optional<Failure>>();
  for (auto const& [type, incognito] : types) {
    auto const scope = json::object{{"scope", incognito ? "incognito_session_only" : "regular"}};
    transport.chrome("contentSettings." + type + ".clear", json::serialize(json::array{scope}),
                     [left, failed, done](Answer const& answer) {
                       if (!answer && !*failed) *failed = answer.error();
                       if (--*left > 0) return;
                       *failed ? done(**failed) : done("{}");
                     });
    for (auto const& other : grants.of(type, incognito)) {
      transport.chrome("contentSettings." + type + ".set", set_args(other), [](Answer const&) {});
    }
  }
}

}  // namespace any::cdp
