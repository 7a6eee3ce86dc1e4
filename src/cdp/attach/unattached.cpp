// What is answered of a tab without attaching to it: the handshake that clients make with every tab they are told of,
// from what chrome.tabs tells. Everything it switches on is kept in the session's state and told to Chrome when the
// tab is attached.

#include <set>

#include "base/ids.hpp"
#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

/// Domains that clients enable in every tab without yet wanting anything of it.
bool enabled_in_handshake(std::string_view domain) {
  static std::set<std::string_view> const domains{"Page", "Runtime",       "Network",     "Log",    "Inspector",
                                                  "DOM",  "Accessibility", "Performance", "Audits", "WebMCP"};
  return domains.contains(domain);
}

/// Settings that show nothing until the page is used; others are wanted at once.
bool can_wait(std::string_view method) {
  return method != "Page.startScreencast" && method != "Tracing.start" && method != "Overlay.setInspectMode";
}

std::string frame_json(Target const& on) {
  std::string_view const url = on.info.url;
  auto const scheme = url.find("://");
  auto const origin = scheme == std::string_view::npos ? std::string_view("://")
                                                       : url.substr(0, std::min(url.find('/', scheme + 3), url.size()));
  bool const secure = url.starts_with("https://") || url.starts_with("chrome") || url.starts_with("file:");
  bool const local =
      url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost") || url.starts_with("http://[::1]");
  auto const path = url.substr(0, url.find('#'));
  auto const fragment = url.substr(path.size());
  std::string text = R"({"id":)" + wire::quote(on.info.id) + R"(,"loaderId":)" + wire::quote(on.main_loader) +
                     R"(,"url":)" + wire::quote(path);
  if (!fragment.empty()) text += R"(,"urlFragment":)" + wire::quote(fragment);
  return text + R"(,"domainAndRegistry":"","securityOrigin":)" + wire::quote(origin) +
         R"(,"securityOriginDetails":{"isLocalhost":)" + (local ? "true" : "false") +
         R"(},"mimeType":"text/html","adFrameStatus":{"adFrameType":"none"},"secureContextType":")" +
         (secure  ? "Secure"
          : local ? "SecureLocalhost"
                  : "InsecureScheme") +
         R"(","crossOriginIsolatedContextType":"NotIsolated","gatedAPIFeatures":[]})";
}

}  // namespace

bool Gateway::Impl::in_handshake(Session const& by, Command const& command) {
  if (!by.automatic) return false;
  auto const act = rule_of(command.method).act;
  switch (act) {
    case Act::enable:
    case Act::disable:
      return enabled_in_handshake(domain_of(command.method));
    case Act::setting:
      return can_wait(command.method);
    case Act::unset:
    case Act::script:
    case Act::unscript:
    case Act::binding:
      return true;
    case Act::own:
      return command.method == "Runtime.runIfWaitingForDebugger" || command.method == "Page.getFrameTree" ||
             command.method == "Page.createIsolatedWorld";
    default:
      return false;
  }
}

void Gateway::Impl::invent_loader(Target& on) const {
  if (!on.main_loader.empty()) return;
  on.main_loader = std::string(our_loader) + sha256_hex(make_uuid()).substr(0, 32 - our_loader.size());
  on.frames[on.info.id] =
      Frame{.parent = {}, .loader = on.main_loader, .url = on.info.url, .navigated = frame_json(on)};
}

bool Gateway::Impl::answer_unattached(Session& by, Target& on, Command const& command) {
  bool const own_socket = by.id.empty();
  return !own_socket && !by.used && answer_as_known(by, on, command, by.automatic);
}

bool Gateway::Impl::answer_refused(Target& on, Command const& command) {
  auto* const by = session(command.ticket.client, command.ticket.session);
  return by && ordinary(on) && answer_as_known(*by, on, command, true);
}

bool Gateway::Impl::answer_as_known(Session& by, Target& on, Command const& command, bool handshake) {
  auto const& rule = rule_of(command.method);
  auto const& method = command.method;
  invent_loader(on);
  switch (rule.act) {
    case Act::enable: {
      auto const domain = domain_of(method);
      // A session that the client asked for itself: what it enables there, it wants.
      if (!enabled_in_handshake(domain) || (!handshake && domain != "Page")) return false;
      bool const first = !by.state.has(method);
      by.state.put(method, method, command.params);
      if (domain == "Runtime" && first) {
        make_contexts(on);
        send_contexts(by, on);
      }
      reply(command.ticket, "{}");
      return true;
    }
    case Act::disable:
      if (!enabled_in_handshake(domain_of(method))) return false;
      by.state.erase(std::string(domain_of(method)) + ".enable");
      reply(command.ticket, "{}");
      return true;
    case Act::setting:
      if (!can_wait(method) || !handshake) return false;
      by.state.put(method, method, command.params);
      if (method == "Page.setLifecycleEventsEnabled") tell_lifecycle(by, on);
      reply(command.ticket, "{}");
      return true;
    case Act::unset:
      if (!by.state.erase(rule.undo)) return false;
      reply(command.ticket, "{}");
      return true;
    case Act::script: {
      auto const identifier = std::to_string(++by.last_script);
      by.state.put("script " + identifier, method, command.params).early = !by.set_up;
      plans_changed();
      reply(command.ticket, R"({"identifier":")" + identifier + "\"}");
      return true;
    }
    case Act::unscript:
      if (!by.state.erase("script " + string_in(command.params, "identifier"))) return false;
      plans_changed();
      reply(command.ticket, "{}");
      return true;
    case Act::binding: {
      auto const key =
          "binding " + string_in(command.params, "name") + " " + string_in(command.params, "executionContextName");
      by.state.put(key, method, command.params).early = !by.set_up;
      plans_changed();
      reply(command.ticket, "{}");
      return true;
    }
    case Act::own:
      if (method == "Runtime.runIfWaitingForDebugger") {
        run_if_waiting(by, on, command);
        return true;
      }
      if (method == "Page.getFrameTree") {
        reply(command.ticket, frame_tree(on));
        return true;
      }
      if (method == "Page.createIsolatedWorld") {
        auto const frame = string_in(command.params, "frameId");
        auto const world = string_in(command.params, "worldName");
        // Where contexts are not told, the real one could not be matched with it.
        if (frame != on.info.id || world.empty() || !by.state.has("Runtime.enable")) return false;
        auto const& [context, made] = on.contexts.find_or_make(frame, world, on.info.url);
        if (made) spread(on, "Runtime.executionContextCreated", context.created);
        reply(command.ticket, R"({"executionContextId":)" + std::to_string(context.id) + "}");
        return true;
      }
      return false;
    default:
      return false;
  }
}

std::string Gateway::Impl::frame_tree(Target const& on) const {
  return R"({"frameTree":{"frame":)" + frame_json(on) + "}}";
}

void Gateway::Impl::tell_lifecycle(Session const& to, Target const& on, bool begins) {
  auto const now = std::to_string(static_cast<double>(clock.now().mono) / 1000);
  auto const say = [&](std::string_view name) {
    event(to, "Page.lifecycleEvent",
          R"({"frameId":)" + wire::quote(on.info.id) + R"(,"loaderId":)" + wire::quote(on.main_loader) +
              R"(,"name":")" + std::string(name) + R"(","timestamp":)" + now + "}");
  };
  if (begins) say("init");
  say("commit");
  if (!on.complete) return;
  for (auto const name : {"DOMContentLoaded", "load", "networkAlmostIdle", "networkIdle"}) say(name);
}

void Gateway::Impl::navigated_unattached(Target& on, std::string_view url) {
  if (!url.empty()) on.info.url = url;
  on.complete = on.scripted = false;
  on.load_event = LoadEvent::either;
  if (on.main_loader.empty() && on.frames.empty() && on.navigating.empty()) {
    changed(on);
    return;  // no client has asked yet what is in it
  }
  for (auto const& [id, frame] : std::exchange(on.frames, {})) {
    if (!frame.parent.empty()) {
      spread(on, "Page.frameDetached", R"({"frameId":)" + wire::quote(id) + R"(,"reason":"remove"})");
    }
  }
  on.main_loader = std::string(our_loader) + sha256_hex(make_uuid()).substr(0, 32 - our_loader.size());
  on.frames[on.info.id] =
      Frame{.parent = {}, .loader = on.main_loader, .url = on.info.url, .navigated = frame_json(on)};
  spread(on, "Page.frameStartedLoading", R"({"frameId":)" + wire::quote(on.info.id) + "}");
  answer_navigating(on);
  contexts_cleared(on);
  spread(on, "Runtime.executionContextsCleared", "{}");
  spread(on, "Page.frameNavigated", R"({"frame":)" + frame_json(on) + R"(,"type":"Navigation"})");
  make_contexts(on);
  for (auto* const session : on.sessions) {
    if (hears(*session, "Runtime", "Runtime.executionContextCreated", "{}")) send_contexts(*session, on);
    if (session->state.has("Page.setLifecycleEventsEnabled")) tell_lifecycle(*session, on, true);
  }
  changed(on);
  if (needed(on)) wake(on);
}

void Gateway::Impl::loaded_unattached(Target& on, std::string_view what) {
  bool const whole = what == "load";
  if (whole) {
    on.complete = true;
    on.load_event = LoadEvent::told;
  }
  if (on.main_loader.empty()) return;
  auto const now = std::to_string(static_cast<double>(clock.now().mono) / 1000);
  spread(on, whole ? "Page.loadEventFired" : "Page.domContentEventFired", R"({"timestamp":)" + now + "}");
  if (whole) spread(on, "Page.frameStoppedLoading", R"({"frameId":)" + wire::quote(on.info.id) + "}");
  for (auto const* session : on.sessions) {
    if (!session->state.has("Page.setLifecycleEventsEnabled")) continue;
    event(*session, "Page.lifecycleEvent",
          R"({"frameId":)" + wire::quote(on.info.id) + R"(,"loaderId":)" + wire::quote(on.main_loader) +
              R"(,"name":")" + std::string(what) + R"(","timestamp":)" + now + "}");
  }
}

void Gateway::Impl::make_contexts(Target& on) {
  on.contexts.find_or_make(on.info.id, "", on.info.url);
  for (auto const* session : on.sessions) {
    for (auto const& entry : session->state.entries()) {
      if (rule_of(entry.method).act != Act::script) continue;
      if (auto const world = string_in(entry.params, "worldName"); !world.empty()) {
        on.contexts.find_or_make(on.info.id, world, on.info.url);
      }
    }
  }
}

}  // namespace any::cdp
