// Target.*, which chrome.debugger refuses: answered from the tabs and from the sessions.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

using Run = void (*)(Gateway::Impl&, Session&, Command const&, json::object const&);

TargetInfo browser_info(Gateway::Impl const& gateway) {
  return {.id = gateway.facts.browser_id, .type = "browser"};
}

void set_auto_attach(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  if (!params.contains("autoAttach")) {
    return gateway.fail(command.ticket,
                        bad_params("Failed to deserialize params.autoAttach - BINDINGS: mandatory field missing"));
  }
  AutoAttach wish{.on = flag_in(params, "autoAttach"), .wait = flag_in(params, "waitForDebuggerOnStart")};
  if (by.kind == Session::Kind::browser && !flag_in(params, "flatten")) {
    return gateway.fail(command.ticket,
                        {code::server_error, "Only flatten protocol is supported with browser level auto-attach"});
  }
  if (auto const* filter = params.if_contains("filter")) {
    auto read = TargetFilter::read(*filter);
    if (!read) return gateway.fail(command.ticket, read.error());
    wish.filter = std::move(*read);
  }
  by.auto_attach = std::move(wish);
  if (by.auto_attach.on) {
    gateway.auto_attach(by);
    gateway.watch_workers();
  } else {
    std::vector<std::string> children;
    for (auto const& [name, other] : gateway.client(by.client)->sessions()) {
      if (!name.empty() && other->automatic && other->parent == by.id) children.push_back(name);
    }
    for (auto const& child : children) gateway.end_session(by.client, child, true);
  }
  auto* const on = by.kind == Session::Kind::target ? gateway.target(by.target) : nullptr;
  if (!on || !on->attachment.attached()) {
    if (on && by.used && by.auto_attach.on) gateway.wake(*on);
    return gateway.reply(command.ticket, "{}");
  }
  // Its children are told before the answer, as Chrome has it.
  gateway.update_auto_attach(*on);
  gateway.pass(*on, command.ticket, "Target.getTargetInfo", "{}",
               [](Answer const&) -> std::optional<std::string> { return "{}"; });
}

void set_discover(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  if (!params.contains("discover")) {
    return gateway.fail(command.ticket,
                        bad_params("Failed to deserialize params.discover - BINDINGS: mandatory field missing"));
  }
  bool const on = flag_in(params, "discover");
  auto const* filter = params.if_contains("filter");
  if (!on && filter)
    return gateway.fail(command.ticket, {code::bad_params, "Filter should not be present when `discover` is false"});
  if (on) {
    TargetFilter wish;
    if (filter) {
      auto read = TargetFilter::read(*filter);
      if (!read) return gateway.fail(command.ticket, read.error());
      wish = std::move(*read);
    }
    by.discover = std::move(wish);
    for (auto& [id, target] : gateway.targets) gateway.tell_discovered(by, *target);
    for (auto const& [id, made] : gateway.made_targets) gateway.tell_made(by, made);
    if (auto const browser = browser_info(gateway); by.discover->lets("browser") && by.told.insert(browser.id).second) {
      gateway.event(by, "Target.targetCreated", R"({"targetInfo":)" + info_json(browser, true) + "}");
    }
    gateway.watch_workers();
  } else {
    by.discover.reset();
    by.told.clear();
  }
  gateway.reply(command.ticket, "{}");
}

void get_targets(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  TargetFilter filter;
  if (auto const* wish = params.if_contains("filter")) {
    auto read = TargetFilter::read(*wish);
    if (!read) return gateway.fail(command.ticket, read.error());
    filter = std::move(*read);
  }
  std::string text = R"({"targetInfos":[)";
  auto const put = [&](TargetInfo const& info, Target const& of) {
    if (!filter.lets(info.type)) return;
    if (text.back() != '[') text += ',';
    text += info_json(info, !of.sessions.empty());
  };
  for (auto const& [id, target] : gateway.targets) {
    if (gateway.ordinary(*target)) put(gateway.tab_info(*target), *target);
    put(target->info, *target);
  }
  for (auto const& [id, made] : gateway.made_targets) {
    if (!made.seen_by(by.client) || !filter.lets(made.info.type)) continue;
    if (text.back() != '[') text += ',';
    text += gateway.made_json(made);
  }
  gateway.reply(command.ticket, text + "]}");
}

void get_target_info(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  auto id = text_in(params, "targetId");
  bool const own = id.empty();
  if ((own && by.kind == Session::Kind::browser) || id == gateway.facts.browser_id) {
    return gateway.reply(command.ticket, R"({"targetInfo":)" + info_json(browser_info(gateway), true) + "}");
  }
  if (own) id = by.kind == Session::Kind::tab ? gateway.tab_target_id(by.target) : by.target;
  if (auto const* found = gateway.target(id)) {
    return gateway.reply(command.ticket, R"({"targetInfo":)" + info_json(found->info, !found->sessions.empty()) + "}");
  }
  if (auto const* page = gateway.target(gateway.tab_target_id(id)); page && gateway.ordinary(*page)) {
    return gateway.reply(command.ticket, R"({"targetInfo":)" + info_json(gateway.tab_info(*page), true) + "}");
  }
  if (auto const* made = gateway.made_targets.find(id, by.client)) {
    return gateway.reply(command.ticket, R"({"targetInfo":)" + gateway.made_json(*made) + "}");
  }
  gateway.fail(command.ticket, no_such_target());
}

void attach_to_browser(Gateway::Impl& gateway, Session& by, Command const& command, json::object const&) {
  auto& made = gateway.clients.begin_session(*gateway.client(by.client), Session::Kind::browser, nullptr, by.id, false);
  gateway.event(by, "Target.attachedToTarget",
                R"({"sessionId":")" + made.id + R"(","targetInfo":)" + info_json(browser_info(gateway), true) +
                    R"(,"waitingForDebugger":false})");
  gateway.reply(command.ticket, R"({"sessionId":")" + made.id + "\"}");
}

void attach_to_target(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  auto const id = text_in(params, "targetId");
  if (!flag_in(params, "flatten")) {
    return gateway.fail(command.ticket,
                        {code::server_error, "Only flatten protocol is supported: pass flatten: true."});
  }
  if (auto const* made = gateway.made_targets.find(id, by.client))
    return gateway.attach_made(by, *made, command.ticket);
  if (id == gateway.facts.browser_id) return attach_to_browser(gateway, by, command, params);
  auto kind = Session::Kind::target;
  auto* on = gateway.target(id);
  if (!on) {
    auto* const page = gateway.target(gateway.tab_target_id(id));
    if (!page || !gateway.ordinary(*page)) return gateway.fail(command.ticket, no_such_target());
    on = page;
    kind = Session::Kind::tab;
  }
  auto const& made = gateway.announce(by, kind, *on, false);
  gateway.reply(command.ticket, R"({"sessionId":")" + made.id + "\"}");
  gateway.tell_script_loaded(made, *on);  // a client listens for it once it has its answer
}

void detach_from_target(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  auto id = text_in(params, "sessionId");
  if (id.empty()) {
    auto const about = text_in(params, "targetId");
    for (auto const& [name, other] : gateway.client(by.client)->sessions()) {
      if (!name.empty() && other->target == about && !about.empty()) id = name;
    }
  }
  auto const* ending = id.empty() ? nullptr : gateway.session(by.client, id);
  if (!ending) return gateway.fail(command.ticket, {code::bad_params, "No session with given id"});
  auto const ticket = command.ticket;
  gateway.end_session(by.client, id, true);
  gateway.reply(ticket, "{}");
}

void activate(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  if (gateway.made_targets.find(text_in(params, "targetId"), by.client)) return gateway.reply(command.ticket, "{}");
  if (gateway.put_off(command)) return;
  gateway.activate_target(text_in(params, "targetId"), [&gateway, ticket = command.ticket](Answer const& answer) {
    answer ? gateway.reply(ticket, *answer) : gateway.fail(ticket, answer.error());
  });
}

void close(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  if (auto const* made = gateway.made_targets.find(text_in(params, "targetId"), by.client)) {
    auto const ticket = command.ticket;
    if (made->sandbox == 0) {
      gateway.unmake_target(std::string(made->info.id));
    } else {
      gateway.end_extension(made->sandbox, {code::server_error, "Inspected target navigated or closed"});
    }
    return gateway.reply(ticket, R"({"success":true})");
  }
  if (gateway.put_off(command)) return;
  gateway.close_target(text_in(params, "targetId"), [&gateway, ticket = command.ticket](Answer const& answer) {
    answer ? gateway.reply(ticket, R"({"success":true})") : gateway.fail(ticket, answer.error());
  });
}

void get_contexts(Gateway::Impl& gateway, Session&, Command const& command, json::object const&) {
  std::string text = R"({"browserContextIds":[)";
  for (auto const& context : gateway.contexts) {
    if (text.back() != '[') text += ',';
    text += wire::quote(context.id);
  }
  gateway.reply(command.ticket, text + R"(],"defaultBrowserContextId":)" + wire::quote(gateway.default_context) + "}");
}

void create_context(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  gateway.create_context(by, command, params);
}

void dispose_context(Gateway::Impl& gateway, Session&, Command const& command, json::object const& params) {
  gateway.dispose_context(text_in(params, "browserContextId"),
                          [&gateway, ticket = command.ticket](Answer const& answer) {
                            answer ? gateway.reply(ticket, "{}") : gateway.fail(ticket, answer.error());
                          });
}

void create(Gateway::Impl& gateway, Session& by, Command const& command, json::object const& params) {
  if (!params.contains("url")) {
    return gateway.fail(command.ticket,
                        bad_params("Failed to deserialize params.url - BINDINGS: mandatory field missing"));
  }
  gateway.create_target(by, command, params);
}

void nothing(Gateway::Impl& gateway, Session&, Command const& command, json::object const&) {
  gateway.reply(command.ticket, "{}");
}

struct Method {
  std::string_view name;
  Run run;
  bool on_pages;  ///< also on the session of a page
};

constexpr Method methods[] = {
    {"Target.setAutoAttach", set_auto_attach, true},
    {"Target.setDiscoverTargets", set_discover, true},
    {"Target.getTargets", get_targets, true},
    {"Target.getTargetInfo", get_target_info, true},
    {"Target.attachToTarget", attach_to_target, true},
    {"Target.attachToBrowserTarget", attach_to_browser, true},
    {"Target.detachFromTarget", detach_from_target, true},
    {"Target.activateTarget", activate, true},
    {"Target.closeTarget", close, true},
    {"Target.createTarget", create, true},
    {"Target.getBrowserContexts", get_contexts, true},
    {"Target.createBrowserContext", create_context, true},
    {"Target.disposeBrowserContext", dispose_context, true},
    {"Target.setRemoteLocations", nothing, true},
};

}  // namespace

bool Gateway::Impl::target_method(Session& by, Command const& command) {
  if (!command.method.starts_with("Target.")) return false;
  for (auto const& method : methods) {
    if (method.name != command.method) continue;
    method.run(*this, by, command, object_of(command.params));
    return true;
  }
  fail(command.ticket, not_found(command.method));
  return true;
}

void Gateway::Impl::activate_target(std::string id, Answered done) {
  auto const* on = target(id);
  if (!on) on = target(tab_target_id(id));
  if (!on || !ordinary(*on)) {
    // Nothing here answers before it has returned.
    timers.after(0, [done = std::move(done)] { done(no_such_target()); });
    return;
  }
  transport.chrome("tabs.update", "[" + std::to_string(on->debuggee.tab) + R"(,{"active":true}])",
                   [done = std::move(done)](Answer const& answer) { answer ? done("{}") : done(answer.error()); });
}

void Gateway::Impl::close_target(std::string id, Answered done) {
  auto* on = target(id);
  if (!on) on = target(tab_target_id(id));
  if (!on || !ordinary(*on)) {
    timers.after(0, [done = std::move(done)] { done(no_such_target()); });
    return;
  }
  on->closing = true;  // a beforeunload dialog is answered for whoever closes it
  auto const tab = on->debuggee.tab;
  keep_profile_of(tab, [this, tab, done = std::move(done)] {
    transport.chrome("tabs.remove", "[" + std::to_string(tab) + "]", [this, tab, done](Answer const& answer) {
      if (!answer) {
        if (auto* const still = target_of(tab)) still->closing = false;
        return done(answer.error());
      }
      tab_removed(tab);
      done("{}");
    });
  });
}

}  // namespace any::cdp
