// Chrome's events on their way to the clients: to whom of those on the target each goes.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

/// Chrome tells these to every session of a target that has the setting on, not to all that have the domain enabled.
std::string_view setting_of(std::string_view method) {
  if (method == "Page.lifecycleEvent") return "Page.setLifecycleEventsEnabled";
  if (method == "Page.fileChooserOpened") return "Page.setInterceptFileChooserDialog";
  if (method == "Page.screencastFrame" || method == "Page.screencastVisibilityChanged") return "Page.startScreencast";
  if (method == "Input.dragIntercepted") return "Input.setInterceptDrags";
  if (method == "Overlay.inspectNodeRequested" || method == "Overlay.inspectModeCanceled")
    return "Overlay.setInspectMode";
  return {};
}

bool is_replayed(std::string_view method) {
  return method == "Runtime.consoleAPICalled" || method == "Runtime.exceptionThrown" || method == "Log.entryAdded";
}

/// Milliseconds since 1970, which all three carry in one place or another.
double time_of(std::string_view method, std::string_view params) {
  auto const holder = method == "Log.entryAdded" ? raw_in(params, "entry") : params;
  auto const raw = raw_in(holder, "timestamp");
  auto const read = wire::parse_strict(raw.empty() ? "0" : raw);
  return read && read->is_number() ? read->to_number<double>() : 0;
}

}  // namespace

void Gateway::Impl::debugger_event(Debuggee const& debuggee, std::string_view upstream, std::string_view method,
                                   std::string_view params) {
  if (params.empty()) params = "{}";
  if (auto* const on = target_at(debuggee, upstream)) return target_event(*on, method, params);
  auto const* const tab = tabs.find(debuggee.tab);
  bool const coming = debuggee.tab >= 0 && (!tab || tab->target.empty());
  if (coming) new_tabs.keep_event(debuggee.tab, {std::string(upstream), std::string(method), std::string(params)});
}

void Gateway::Impl::target_event(Target& on, std::string_view method, std::string_view params) {
  auto const domain = domain_of(method);
  if (domain == "Target") {
    if (method == "Target.attachedToTarget") return child_attached(on, params);
    if (method == "Target.detachedFromTarget") return child_detached(on, params);
    if (method == "Target.targetInfoChanged") return child_changed(params);
    return;
  }
  if (on.attachment.loose()) return;  // of an attachment that is gone
  if (domain == "Inspector") {
    if (method == "Inspector.detached") {
      if (on.upstream.empty()) detached(on, string_in(params, "reason"));
      return;
    }
    if (method == "Inspector.targetCrashed") {
      spread(on, method, params);
      return crashed(on);
    }
    if (method == "Inspector.targetReloadedAfterCrash") on.crashed = false;
    if (method == "Inspector.workerScriptLoaded" && std::exchange(on.script_loaded, true) && on.attachment.restoring())
      return;
  } else if (domain == "Fetch") {
    if (on.requests_held) {
      on.held_requests.emplace_back(method, params);
      return;
    }
    return paused(on, method, params);
  } else if (domain == "Runtime") {
    if (method == "Runtime.executionContextCreated") {
      if (!on.contexts.on_created(params)) return;
    } else if (method == "Runtime.executionContextDestroyed") {
      on.replay.note(method, params);
      return spread(on, method, on.contexts.on_destroyed(params));
    } else if (method == "Runtime.executionContextsCleared") {
      contexts_cleared(on);
    }
  } else if (method.starts_with("Page.frame") || method == "Page.navigatedWithinDocument") {
    frame_event(on, method, params);
  } else if (method == "Page.loadEventFired") {
    if (std::exchange(on.load_event, LoadEvent::chromes) == LoadEvent::told) return;
  } else if (method.starts_with("Page.download")) {
    download_event(on, method, params);
  } else if (method == "Page.javascriptDialogOpening" && on.closing) {
    tell(on, "Page.handleJavaScriptDialog", R"({"accept":true})");
    return;
  }
  if (is_replayed(method)) {
    auto const time = time_of(method, params);
    // Chrome tells a new attachment again what an earlier one has told already.
    if (on.attachment.restoring() && time <= on.last_told) return;
    on.last_told = std::max(on.last_told, time);
  }
  on.replay.note(method, params);
  if (on.contexts.translates() && (domain == "Runtime" || method.starts_with("Debugger.script"))) {
    spread(on, method, on.contexts.to_client(params));
  } else {
    spread(on, method, params);
  }
}

void Gateway::Impl::send_contexts(Session const& to, Target const& on) {
  for (auto const& [id, context] : on.contexts.all()) event(to, "Runtime.executionContextCreated", context.created);
}

void Gateway::Impl::contexts_cleared(Target& on) {
  on.contexts.clear();
  on.objects_lost = false;  // and the clients know it
}

bool Gateway::Impl::hears(Session const& session, std::string_view domain, std::string_view method,
                          std::string_view params) const {
  if (auto const setting = setting_of(method); !setting.empty()) {
    auto const* entry = session.state.find(setting);
    return entry && !entry->filling;
  }
  if (method == "Runtime.bindingCalled") {
    auto const prefix = "binding " + string_in(params, "name") + " ";
    auto const& entries = session.state.entries();
    return std::any_of(entries.begin(), entries.end(),
                       [&prefix](auto const& entry) { return entry.key.starts_with(prefix); });
  }
  if (domain == "Tracing") {
    return session.state.has("Tracing.start") || session.tracing;
  }
  if (!has_enable(domain)) return true;
  std::string key(domain);
  key += ".enable";
  auto const* entry = session.state.find(key);
  return entry && !entry->filling;
}

void Gateway::Impl::spread(Target& on, std::string_view method, std::string_view params) {
  auto const domain = domain_of(method);
  for (auto const* session : on.sessions) {
    if (hears(*session, domain, method, params)) event(*session, method, params);
  }
  if (method != "Tracing.tracingComplete") return;
  for (auto* const session : on.sessions) session->tracing = false;
}

void Gateway::Impl::child_attached(Target& on, std::string_view params) {
  auto const said = object_of(params);
  auto const& row = object_in(said, "targetInfo");
  TargetInfo info{.id = text_in(row, "targetId"),
                  .type = text_in(row, "type"),
                  .title = text_in(row, "title"),
                  .url = text_in(row, "url"),
                  .opener = text_in(row, "openerId"),
                  .opener_frame = {},
                  .parent_frame = text_in(row, "parentFrameId"),
                  .context = on.info.context,
                  .subtype = text_in(row, "subtype")};
  auto const upstream = text_in(said, "sessionId");
  auto const id = info.id;
  bool const held = flag_in(said, "waitingForDebugger");
  if (id.empty() || upstream.empty()) return;
  if (auto* const there = target(id)) {
    if (!there->attachment.loose()) {
      // A service worker of two pages comes by both; the first is the one that is spoken to.
      there->other_ways.emplace_back(on.debuggee, upstream);
      transport.send(on.debuggee, upstream, "Runtime.runIfWaitingForDebugger", "{}", [](Answer const&) {});
      return;
    }
    // It has outlived the attachment through which it was known.
    targets.move(*there, on.debuggee, upstream);
    there->attachment.on(Attachment::Event::come_back);
    there->held = held;
    restore(*there);
    resume_if_free(*there);
    return;
  }
  auto& child = targets.add(std::move(info), on.debuggee, upstream);
  child.parent = on.info.id;
  child.attachment.on(Attachment::Event::announced);
  child.held = held;
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->discover) tell_discovered(*session, child);
    }
  }
  announce_where_wanted(child);
  resume_if_free(child);
}

void Gateway::Impl::child_detached(Target& on, std::string_view params) {
  auto const upstream = string_in(params, "sessionId");
  auto const* child = target_at(on.debuggee, upstream);
  if (child && !child->parent.empty()) return part_with(std::string(child->info.id), on.debuggee);
  std::pair const way{on.debuggee, upstream};
  for (auto const& [id, other] : targets) std::erase(other->other_ways, way);
}

void Gateway::Impl::part_with(std::string const& id, Debuggee const& page) {
  auto* const child = target(id);
  if (!child) return;
  std::erase_if(child->other_ways, [this, &page](auto const& way) {
    auto const* by = target_at(way.first, "");
    return way.first == page || !by || !by->attachment.attached();
  });
  if (child->other_ways.empty() || child->debuggee != page) return vanish(id);
  // Sessions that its old page's had go with that page; those of the browser's stay.
  std::vector<std::pair<ClientId, std::string>> ending;
  for (auto const* session : child->sessions) {
    auto const* above = this->session(session->client, session->parent);
    if (above && above->kind == Session::Kind::target) ending.emplace_back(session->client, session->id);
  }
  auto const [debuggee, upstream] = child->other_ways.front();
  child->other_ways.erase(child->other_ways.begin());
  lost(*child, {code::server_error, "Inspected target navigated or closed"});
  for (auto const& [client, session] : ending) end_session(client, session, true);
  targets.move(*child, debuggee, upstream);
  child->parent = target_at(debuggee, "")->info.id;
  child->attachment.on(Attachment::Event::come_back);
  restore(*child);
  announce_where_wanted(*child);
}

void Gateway::Impl::part_with_children(Target const& page) {
  std::vector<std::string> children;
  for (auto const& [id, other] : targets) {
    if (other->parent == page.info.id) children.push_back(id);
  }
  for (auto const& child : children) part_with(child, page.debuggee);
}

void Gateway::Impl::child_changed(std::string_view params) {
  auto const said = object_of(params);
  auto const& row = object_in(said, "targetInfo");
  auto* const on = target(text_in(row, "targetId"));
  if (!on || ordinary(*on)) return;
  on->info.url = text_in(row, "url");
  on->info.title = text_in(row, "title");
  changed(*on);
}

}  // namespace any::cdp
