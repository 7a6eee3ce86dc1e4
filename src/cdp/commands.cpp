// A client's command on its way to Chrome: what several sessions on one target must not do to each other is settled
// here.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"
#include "cdp/session/settings.hpp"

namespace any::cdp {

namespace {

/// What chrome.debugger says of a command whose page went to one that it may not debug.
constexpr std::string_view detached_meanwhile = "Detached while handling command";

/// What it says of a command that came when it had just let go of the page.
constexpr std::string_view not_attached = "Debugger is not attached";

/// And of any command to a page in which another extension has a frame, or that it may not debug at all.
constexpr std::string_view no_access = "Cannot access a chrome";

constexpr std::string_view no_files =
    ": the extension may not hand over files. Open chrome://extensions, \"any\", Details, and switch on \"Allow access "
    "to file URLs\".";

bool switches_off(Command const& command) {
  return command.params.find(R"("enabled":false)") != std::string::npos || raw_in(command.params, "enabled") == "false";
}

}  // namespace

void Gateway::Impl::run(Command command) {
  auto* const by = session(command.ticket.client, command.ticket.session);
  if (!by) return fail(command.ticket, no_such_session());
  if (!settling.empty()) settling.asked(command.ticket);
  if (by->kind == Session::Kind::target) {
    if (auto* const on = target(by->target)) return run_on_target(*by, *on, std::move(command));
    return fail(command.ticket, no_such_target());
  }
  if (target_method(*by, command)) return;
  if (by->kind == Session::Kind::made) return run_on_made(*by, command);
  if (by->kind == Session::Kind::tab) {
    if (command.method == "Runtime.runIfWaitingForDebugger") return reply(command.ticket, "{}");
  } else if (browser_method(*by, command)) {
    return;
  }
  fail(command.ticket, not_found(command.method));
}

void Gateway::Impl::run_on_target(Session& by, Target& on, Command command) {
  auto const& rule = rule_of(command.method);
  if (rule.act == Act::own && (target_method(by, command) || browser_method(by, command))) return;
  if (!link.known()) return wait_for(on, std::move(command));
  bool const handshake = ordinary(on) && in_handshake(by, command);
  if (on.attachment.ready() && !handshake) return carry_out(by, on, std::move(command));
  if (on.attachment.ready()) {
    auto const before = last_flight;
    carry_out(by, on, command);
    auto const flight = on.in_flight.find(last_flight);
    if (last_flight == before || flight == on.in_flight.end() || flight->second.ticket != command.ticket) return;
    if (command.ticket.answered) {  // while it waited for the attachment
      on.said_in_stead.insert(last_flight);
      return;
    }
    flight->second.script = by.last_script;
    flight->second.handshake = std::move(command);
    return watch_handshake(by, on);
  }
  if (on.attachment.loose() && ordinary(on) && answer_unattached(by, on, command)) return;
  if (on.attachment.loose() && on.debuggee.tab < 0 && command.method == "Runtime.runIfWaitingForDebugger") {
    return run_if_waiting(by, on, command);  // a shared worker runs already
  }
  by.used = true;
  on.used = clock.now().mono;
  wait_for(on, std::move(command));
  wake(on);
  if (handshake) watch_handshake(by, on);
}

void Gateway::Impl::wait_for(Target& on, Command command) {
  auto* const owner = client(command.ticket.client);
  if (!owner) return;
  if (owner->waiting_bytes + command.params.size() > limits.max_waiting) {
    return fail(command.ticket, {code::server_error, "Too many commands wait for this tab."});
  }
  owner->waiting_bytes += command.params.size();
  on.waiting.push_back(std::move(command));
}

std::deque<Command> Gateway::Impl::take_waiting(Target& on) {
  auto commands = std::exchange(on.waiting, {});
  for (auto const& command : commands) waits_no_more(command);
  return commands;
}

void Gateway::Impl::waits_no_more(Command const& command) {
  auto* const owner = client(command.ticket.client);
  if (owner) owner->waiting_bytes -= std::min(owner->waiting_bytes, command.params.size());
}

void Gateway::Impl::carry_out(Session& by, Target& on, Command command) {
  by.used = true;
  auto const rested = std::exchange(on.used, clock.now().mono);
  if (on.used - rested >= worth_watching) watch_workers();
  auto const& rule = rule_of(command.method);
  switch (rule.act) {
    case Act::enable:
      return enable(by, on, command);
    case Act::disable:
      return disable(by, on, command);
    case Act::setting:
      return set(by, on, command, rule);
    case Act::unset:
      return unset(by, on, command, rule);
    case Act::script:
      return add_script(by, on, command);
    case Act::unscript:
      return remove_script(by, on, command);
    case Act::binding:
      return add_binding(by, on, command);
    case Act::unbinding:
      return remove_binding(by, on, command);
    case Act::intercept:
      return intercept(by, on, command);
    case Act::own:
      if (command.method == "Runtime.runIfWaitingForDebugger") return run_if_waiting(by, on, command);
      if (command.method == "Page.getFrameTree") return get_frame_tree(by, on, command);
      if (command.method == "Page.createIsolatedWorld") return create_world(by, on, command);
      if (command.method == "Page.close") return pass(on, command.ticket, command.method, command.params);
      return fail(command.ticket, not_found(command.method));
    case Act::group:
    case Act::use:
    case Act::pass:
      break;
  }
  if (rule.groups && command.params.find("\"objectGroup\"") != std::string::npos) {
    // What the console has told is every session's.
    bool const shared = rule.act == Act::group && string_in(command.params, "objectGroup") == "console";
    if (shared && enabled(on, "Runtime", &by)) return reply(command.ticket, "{}");
    command.params = with_own_group(by, command.params);
    if (rule.act == Act::group) by.state.erase("group " + std::string(raw_in(command.params, "objectGroup")));
  }
  if (rule.reads_context && on.contexts.translates()) {
    return pass(on, command.ticket, command.method, on.contexts.to_chrome(command.params));
  }
  // A DOM that is read is told of when it changes, without DOM.enable.
  if (command.method == "DOM.getDocument" && !by.state.has("DOM.enable")) {
    by.state.put("DOM.enable", "DOM.enable", "{}");
    on.enabled["DOM"] = 1;
  }
  if (command.method == "Network.setCookie" || command.method == "Network.setCookies") {
    return set_cookies_by_page(by, on, command);
  }
  if (command.method == "Log.clear" || command.method == "Runtime.discardConsoleEntries") {
    on.replay.note(command.method, command.params);
  }
  pass(on, command.ticket, command.method, command.params);
}

void Gateway::Impl::pass(Target& on, Ticket const& ticket, std::string_view method, std::string_view params,
                         Seen seen) {
  auto const number = ++last_flight;
  bool const navigates = method == "Page.navigate";
  auto again = on.upstream.empty() && goes_without_attaching(method)
                   ? std::optional(Command{ticket, std::string(method), std::string(params)})
                   : std::nullopt;
  on.in_flight.emplace(number, InFlight{ticket, navigates ? string_in(params, "url") : std::string(),
                                        method.starts_with("Input.dispatch"), method == "DOM.setFileInputFiles"});
  if (navigates) on.committed.clear();
  transport.send(
      on.debuggee, on.upstream, method, params,
      [this, id = on.info.id, number, seen = std::move(seen), again = std::move(again)](Answer const& answer) {
        auto* const still = target(id);
        if (still && again && !answer && answer.error().message.starts_with(not_attached)) {
          return pass_again(*still, number, *again);
        }
        if (still && again && !answer && answer.error().message.starts_with(no_access)) {
          return go_instead(*still, number, *again, answer.error());
        }
        auto const flight = still ? still->in_flight.extract(number) : decltype(still->in_flight)::node_type();
        if (flight.empty()) {  // answered when the target or the link went
          bool const in_stead = still && still->said_in_stead.erase(number) > 0;
          if (seen && !in_stead && !answer && answer.error().code == link_lost) seen(answer);
          return;
        }
        if (flight.mapped().handshake) still->silent = false;
        // What the client holds for done stays in its state: the next attachment is told.
        bool const in_stead = still->said_in_stead.erase(number) > 0 && !answer;
        auto const other = seen && !in_stead ? seen(answer) : std::nullopt;
        bool const detached = !answer && answer.error().message.starts_with(detached_meanwhile);
        if (detached && flight.mapped().input) {
          reply(flight.mapped().ticket, "{}");
        } else if (detached && !flight.mapped().goes_to.empty()) {
          // It has gone where the debugger may not follow; tabs and webNavigation tell when it is there.
          await_page(*still, flight.mapped().ticket);
        } else if (!answer && flight.mapped().uploads && !facts.file_urls) {
          auto why = answer.error();
          why.message += no_files;
          fail(flight.mapped().ticket, why);
        } else if (!answer) {
          fail(flight.mapped().ticket, answer.error());
        } else {
          reply(flight.mapped().ticket, other ? std::string_view(*other) : *answer);
        }
      });
}

bool Gateway::Impl::still_owed(Target& on, std::uint64_t flight, Command const& command) {
  // Where Chrome has told its detaching first, the navigation was taken for one that goes on without the debugger.
  auto const awaited =
      std::erase_if(on.navigating, [&command](auto const& each) { return each.ticket == command.ticket; });
  return awaited + on.in_flight.erase(flight) > 0;  // else answered when the target went
}

void Gateway::Impl::pass_again(Target& on, std::uint64_t flight, Command const& command) {
  if (!still_owed(on, flight, command)) return;
  wait_for(on, command);
  wake_soon(on);
}

void Gateway::Impl::go_instead(Target& on, std::uint64_t flight, Command const& command, Failure const& why) {
  if (still_owed(on, flight, command) && !go_without_attaching(on, command)) fail(command.ticket, why);
}

void Gateway::Impl::tell(Target& on, std::string_view method, std::string_view params) {
  transport.send(on.debuggee, on.upstream, method, params, [](Answer const&) {});
}

bool Gateway::Impl::enabled(Target const& on, std::string_view domain, Session const* except) const {
  auto const key = std::string(domain) + ".enable";
  return std::any_of(on.sessions.begin(), on.sessions.end(),
                     [&](Session const* session) { return session != except && session->state.has(key); });
}

void Gateway::Impl::enable(Session& by, Target& on, Command const& command) {
  auto const domain = std::string(domain_of(command.method));
  bool const mine_already = by.state.has(command.method);
  bool const told_to_another = on.enabled.contains(domain) && !mine_already;
  auto const former = mine_already ? std::optional(*by.state.find(command.method)) : std::nullopt;
  auto& entry = by.state.put(command.method, command.method, command.params);
  entry.filling = told_to_another;
  entry.asked = last_flight + 1;
  on.enabled[domain] = 1;
  auto seen = [this, client = by.client, name = by.id, key = command.method, domain, told_to_another, former,
               asked = entry.asked](Answer const& answer) -> std::optional<std::string> {
    auto* const session = this->session(client, name);
    auto* const here = session ? target(session->target) : nullptr;
    auto* const written = session ? session->state.find(key) : nullptr;
    if (!here || !written) return std::nullopt;
    if (!answer) {
      session->state.refused(key, asked, former);
      if (!enabled(*here, domain)) here->enabled.erase(domain);
    } else if (told_to_another && written->filling) {
      // Chrome tells the domain's state to the first alone.
      written->filling = false;
      if (domain == "Runtime") send_contexts(*session, *here);
      for (auto const& told : here->replay.for_domain(domain))
        event(*session, told.method, here->contexts.to_client(told.params));
    }
    return std::nullopt;
  };
  pass(on, command.ticket, command.method, command.params, std::move(seen));
}

void Gateway::Impl::disable(Session& by, Target& on, Command const& command) {
  auto const domain = std::string(domain_of(command.method));
  by.state.erase(domain + ".enable");
  auto const dropped = drop_settings(by, domain);
  if (enabled(on, domain) || (domain == "Page" && downloads.wanted())) {
    for (auto const& entry : dropped) {
      if (auto const back = undo(on, entry); !back.method.empty()) tell(on, back.method, back.params);
    }
    return reply(command.ticket, "{}");
  }
  on.enabled.erase(domain);
  on.replay.forget(domain);
  pass(on, command.ticket, command.method, command.params);
}

void Gateway::Impl::set(Session& by, Target& on, Command const& command, Rule const& rule) {
  if (auto const who = held(on, by, command.method, command.params); who.by_another) {
    if (!who.refusal.empty()) return fail(command.ticket, {code::server_error, std::string(who.refusal)});
    by.state.erase(command.method);
    return reply(command.ticket, "{}");
  }
  if (rule.once && !on.set_once.insert(command.method).second) return reply(command.ticket, "{}");
  bool const lifecycle = command.method == "Page.setLifecycleEventsEnabled";
  bool const shared = lifecycle || command.method == "Page.setInterceptFileChooserDialog";
  bool others = false;
  for (auto const* session : on.sessions) others = others || (session != &by && session->state.has(command.method));
  if (shared && switches_off(command)) {
    by.state.erase(command.method);
    if (others) return reply(command.ticket, "{}");
    return pass(on, command.ticket, command.method, command.params);
  }
  auto const* const there = by.state.find(command.method);
  auto const former = there ? std::optional(*there) : std::nullopt;
  auto& entry = by.state.put(command.method, command.method, command.params);
  entry.asked = last_flight + 1;
  Seen seen;
  if (lifecycle && others) {
    entry.filling = true;
    seen = [this, client = by.client, name = by.id](Answer const&) -> std::optional<std::string> {
      auto* const session = this->session(client, name);
      auto* const here = session ? target(session->target) : nullptr;
      auto* const written = session ? session->state.find("Page.setLifecycleEventsEnabled") : nullptr;
      if (!here || !written || !written->filling) return std::nullopt;
      written->filling = false;
      for (auto const& told : here->replay.lifecycle()) event(*session, told.method, told.params);
      return std::nullopt;
    };
  } else {
    seen = [this, client = by.client, name = by.id, key = command.method, former,
            asked = entry.asked](Answer const& answer) -> std::optional<std::string> {
      auto* const session = this->session(client, name);
      if (!answer && session) session->state.refused(key, asked, former);
      return std::nullopt;
    };
  }
  bool const with_others = rule.merged && on.sessions.size() > 1;
  pass(on, command.ticket, command.method, with_others ? together(on, command.method) : command.params,
       std::move(seen));
}

void Gateway::Impl::unset(Session& by, Target& on, Command const& command, Rule const& rule) {
  by.state.erase(rule.undo);
  if (command.method == "Tracing.end") by.tracing = true;
  pass(on, command.ticket, command.method, command.params);
}

void Gateway::Impl::add_script(Session& by, Target& on, Command const& command) {
  auto const identifier = std::to_string(++by.last_script);
  auto const key = "script " + identifier;
  auto& entry = by.state.put(key, command.method, command.params);
  entry.early = !by.set_up;
  plans_changed();
  if (take_foreseen(by, on, entry, key)) return reply(command.ticket, R"({"identifier":")" + identifier + "\"}");
  auto seen = [this, client = by.client, name = by.id, key,
               identifier](Answer const& answer) -> std::optional<std::string> {
    auto* const session = this->session(client, name);
    if (session && !answer) session->state.erase(key);
    if (!answer) return std::nullopt;
    if (auto* const entry = session ? session->state.find(key) : nullptr)
      entry->given = string_in(*answer, "identifier");
    return R"({"identifier":")" + identifier + "\"}";
  };
  pass(on, command.ticket, command.method, command.params, std::move(seen));
}

void Gateway::Impl::remove_script(Session& by, Target& on, Command const& command) {
  auto const key = "script " + string_in(command.params, "identifier");
  auto const* entry = by.state.find(key);
  if (!entry) return fail(command.ticket, {code::server_error, "Script not found"});
  auto const given = entry->given;
  by.state.erase(key);
  plans_changed();
  if (given.empty()) return reply(command.ticket, "{}");
  pass(on, command.ticket, command.method, R"({"identifier":)" + wire::quote(given) + "}");
}

void Gateway::Impl::add_binding(Session& by, Target& on, Command const& command) {
  auto const name = string_in(command.params, "name");
  auto const key = "binding " + name + " " + string_in(command.params, "executionContextName");
  auto& entry = by.state.put(key, command.method, command.params);
  entry.early = !by.set_up;
  plans_changed();
  if (take_foreseen(by, on, entry, key)) return reply(command.ticket, "{}");
  pass(on, command.ticket, command.method, on.contexts.to_chrome(command.params));
}

void Gateway::Impl::remove_binding(Session& by, Target& on, Command const& command) {
  auto const prefix = "binding " + string_in(command.params, "name") + " ";
  auto const has = [&prefix](Session const* session) {
    auto const& entries = session->state.entries();
    return std::any_of(entries.begin(), entries.end(),
                       [&prefix](auto const& entry) { return entry.key.starts_with(prefix); });
  };
  std::erase_if(by.state.entries(), [&prefix](auto const& entry) { return entry.key.starts_with(prefix); });
  plans_changed();
  if (std::any_of(on.sessions.begin(), on.sessions.end(), has)) return reply(command.ticket, "{}");
  pass(on, command.ticket, command.method, command.params);
}

void Gateway::Impl::run_if_waiting(Session& by, Target& on, Command const& command) {
  by.held = false;
  by.set_up = true;
  if (!settling.empty()) settling.let_go(by.key());
  reply(command.ticket, "{}");
  resume_if_free(on);
  plans_changed();
}

void Gateway::Impl::resume_if_free(Target& on) {
  if (!on.held) return;
  if (std::any_of(on.sessions.begin(), on.sessions.end(), [](Session const* session) { return session->held; })) return;
  on.held = false;
  // What its clients have set up must be there before its page comes.
  if (!on.pending_url.empty() && !on.sessions.empty() && !on.attachment.attached()) return wake(on);
  go_to_pending_url(on);
  if (!on.attachment.attached()) return;
  tell(on, "Runtime.runIfWaitingForDebugger", "{}");
  if (!on.foreseen.empty()) forget_foreseen(on);
  if (!std::exchange(on.requests_held, false)) return;
  // Whoever intercepts is asked about what was held; with no one Chrome lets all of it go.
  auto const requests = std::exchange(on.held_requests, {});
  if (on.interceptions.empty()) return tell(on, "Fetch.disable", "{}");
  update_patterns(on);
  for (auto const& [method, params] : requests) paused(on, method, params);
}

void Gateway::Impl::get_frame_tree(Session&, Target& on, Command const& command) {
  pass(on, command.ticket, command.method, command.params,
       [this, id = on.info.id](Answer const& answer) -> std::optional<std::string> {
         auto* const here = target(id);
         if (!here || !answer) return std::nullopt;
         std::exchange(here->frames_guessed, false) ? frames_restored(*here, *answer) : note_frames(*here, *answer);
         return std::nullopt;
       });
}

void Gateway::Impl::create_world(Session&, Target& on, Command const& command) {
  pass(on, command.ticket, command.method, command.params,
       [this, id = on.info.id](Answer const& answer) -> std::optional<std::string> {
         auto* const here = target(id);
         if (!here || !answer || !here->contexts.translates()) return std::nullopt;
         return here->contexts.to_client(*answer);
       });
}

}  // namespace any::cdp
