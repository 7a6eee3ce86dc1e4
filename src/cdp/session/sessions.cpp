// Clients' sessions: begun, announced, ended, and what they left behind taken back.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"
#include "cdp/session/settings.hpp"

namespace any::cdp {

namespace {

/// What Chrome must be asked so that all sessions of a target get the children they want.
std::string together(SessionsOn const& sessions) {
  bool on = false, wait = false;
  for (auto const* session : sessions) {
    on = on || session->auto_attach.on;
    wait = wait || (session->auto_attach.on && session->auto_attach.wait);
  }
  if (!on) return R"({"autoAttach":false,"waitForDebuggerOnStart":false,"flatten":true})";
  return std::string(R"({"autoAttach":true,"waitForDebuggerOnStart":)") + (wait ? "true" : "false") +
         R"(,"flatten":true})";
}

}  // namespace

Session& Gateway::Impl::announce(Session& parent, Session::Kind kind, Target& on, bool automatic) {
  bool const first = on.sessions.empty();
  auto& made = clients.begin_session(*client(parent.client), kind, &on, parent.id, automatic);
  made.held = automatic && kind == Session::Kind::target && parent.auto_attach.wait && on.held;
  auto const info = kind == Session::Kind::tab ? tab_info(on) : on.info;
  event(parent, "Target.attachedToTarget",
        R"({"sessionId":")" + made.id + R"(","targetInfo":)" + info_json(info, true) + R"(,"waitingForDebugger":)" +
            (made.held ? "true" : "false") + "}");
  if (made.held && on.requests_held) begin_settling(made);
  if (automatic) tell_script_loaded(made, on);
  if (first && kind == Session::Kind::target) changed(on);
  update_follow(on);
  return made;
}

void Gateway::Impl::tell_script_loaded(Session const& to, Target const& on) {
  if (on.script_loaded) event(to, "Inspector.workerScriptLoaded", "{}");
}

bool Gateway::Impl::wants(Session const& parent, Target const& on, Session::Kind kind) const {
  if (!parent.auto_attach.on) return false;
  if (kind == Session::Kind::tab) return parent.auto_attach.filter.lets("tab");
  return parent.auto_attach.filter.lets(on.info.type);
}

void Gateway::Impl::announce_where_wanted(Target& on) {
  // A new session may itself attach automatically at once: the list is taken first.
  std::vector<Session*> parents;
  for (auto& [id, owner] : clients) {
    for (auto& [name, session] : owner.sessions()) {
      // A service worker is told of at the browser's level too, as Chrome does.
      bool const at_root = on.parent.empty() || on.info.type == "service_worker";
      bool const above = (at_root && session->kind == Session::Kind::browser) ||
                         (!ordinary(on) && session->kind == Session::Kind::target && session->target == on.parent);
      if (above && session->auto_attach.on) parents.push_back(session.get());
    }
  }
  for (auto* const parent : parents) announce_once(*parent, on);
}

void Gateway::Impl::announce_once(Session& parent, Target& on) {
  auto const has = [this, &parent, &on](Session::Kind kind) {
    auto const& its = client(parent.client)->sessions();
    return std::any_of(its.begin(), its.end(), [&](auto const& row) {
      auto const& other = *row.second;
      return other.automatic && other.kind == kind && other.target == on.info.id && other.parent == parent.id;
    });
  };
  bool const around = parent.kind == Session::Kind::browser && ordinary(on);
  if (around && wants(parent, on, Session::Kind::tab) && !has(Session::Kind::tab)) {
    announce(parent, Session::Kind::tab, on, true);
  }
  if (wants(parent, on, Session::Kind::target) && !has(Session::Kind::target)) {
    announce(parent, Session::Kind::target, on, true);
  }
}

void Gateway::Impl::auto_attach(Session& session) {
  std::vector<Target*> there;
  for (auto& [id, on] : targets) {
    bool const below = session.kind == Session::Kind::browser ? on->parent.empty() || on->info.type == "service_worker"
                       : session.kind == Session::Kind::tab   ? id == session.target
                                                              : on->parent == session.target;
    if (below) there.push_back(on.get());
  }
  for (auto* const on : there) announce_once(session, *on);
}

void Gateway::Impl::update_auto_attach(Target& on) {
  if (!on.attachment.attached()) return;
  auto const params = together(on.sessions);
  if (params == on.auto_attach || (on.auto_attach.empty() && params.starts_with(R"({"autoAttach":false)"))) return;
  on.auto_attach = params;
  if (on.attachment.restoring()) return restoring_asked(on, "Target.setAutoAttach", params, nullptr);
  tell(on, "Target.setAutoAttach", params);
}

void Gateway::Impl::tell_discovered(Session& session, Target& of) {
  auto const tell_one = [this, &session, &of](TargetInfo const& info) {
    if (!session.discover->lets(info.type) || !session.told.insert(info.id).second) return;
    event(session, "Target.targetCreated", R"({"targetInfo":)" + info_json(info, !of.sessions.empty()) + "}");
  };
  if (ordinary(of)) tell_one(tab_info(of));
  tell_one(of.info);
}

void Gateway::Impl::take_back(Session& of, Target& on) {
  if (!on.attachment.attached()) return;
  auto& entries = of.state.entries();
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    SessionState::Entry const* others = nullptr;
    for (auto const* session : on.sessions) {
      if (auto const* same = session->state.find(entry->key)) others = same;
    }
    auto const& rule = rule_of(entry->method);
    if (rule.act == Act::enable) {
      auto const domain = std::string(domain_of(entry->method));
      if (others || (domain == "Page" && downloads.wanted())) continue;
      on.enabled.erase(domain);
      on.replay.forget(domain);
      tell(on, domain + ".disable", "{}");
    } else if (rule.act == Act::setting) {
      if (auto const back = undo(on, *entry); !back.method.empty()) tell(on, back.method, back.params);
    } else if (rule.act == Act::group) {
      tell(on, entry->method, entry->params);
    } else if (rule.act == Act::script && !entry->given.empty()) {
      tell(on, "Page.removeScriptToEvaluateOnNewDocument", R"({"identifier":)" + wire::quote(entry->given) + "}");
    } else if (rule.act == Act::binding && !others) {
      tell(on, "Runtime.removeBinding", R"({"name":)" + wire::quote(string_in(entry->params, "name")) + "}");
    }
  }
}

void Gateway::Impl::reply(Ticket const& ticket, std::string_view result) {
  if (auto* const to = client(ticket.client); to && !ticket.answered) {
    to->receiver ? to->receiver->answered(ticket.id, result) : sockets.send(to->id, result_text(ticket, result));
  }
  if (!settling.empty() && settling.answered(ticket)) settle({ticket.client, ticket.session});
}

void Gateway::Impl::fail(Ticket const& ticket, Failure const& failure) {
  auto* const to = client(ticket.client);
  if (!to || ticket.answered) return;
  // Of several steps one may have been carried out.
  auto const& why = failure.code == link_lost ? link.loss() : failure;
  to->receiver ? to->receiver->answered(ticket.id, why) : sockets.send(to->id, failure_text(ticket, why));
  if (!settling.empty() && settling.answered(ticket)) settle({ticket.client, ticket.session});
}

void Gateway::Impl::event(Session const& to, std::string_view method, std::string_view params) {
  if (!settling.empty() && kept_while_settling(to, method, params)) return;
  auto* const hearing = client(to.client);
  if (!hearing) return;
  hearing->receiver ? hearing->receiver->event(to.id, method, params)
                    : sockets.send(to.client, event_text(to.id, method, params));
}

}  // namespace any::cdp
