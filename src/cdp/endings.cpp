// What ends, and what is reset with it: an attachment, a target, a session, a client, the link, the browser. Each owner
// is told here, and nowhere else.

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

constexpr std::uint16_t closed_normally = 1000, gone_away = 1001;
constexpr std::string_view target_gone = "Inspected target navigated or closed";

}  // namespace

void Gateway::Impl::lost(Target& on, Failure const& why, Attachment::Event event) {
  auto const flights = std::exchange(on.in_flight, {});
  on.objects_lost = on.objects_lost ||
                    (on.attachment.attached() && std::any_of(on.sessions.begin(), on.sessions.end(),
                                                             [](Session const* session) { return session->used; }));
  on.attachment.on(event);
  on.held = on.requests_held = on.silent = false;
  on.foreseen.clear();
  if (on.upstream.empty()) {
    for (auto const& [id, other] : targets) {
      std::erase_if(other->other_ways, [&on](auto const& way) { return way.first == on.debuggee; });
    }
  }
  for (auto* const session : on.sessions) {
    for (auto& entry : session->state.entries()) entry.filling = false;  // the answer that would end it comes no more
  }
  on.enabled.clear();
  on.auto_attach.clear();
  on.interceptions.attachment_lost();
  for (auto const& [number, flight] : flights) fail(flight.ticket, why);
}

void Gateway::Impl::let_go(Target& on) {
  if (on.attachment.loose() || !on.upstream.empty()) return;
  part_with_children(on);
  lost(on, {code::server_error, std::string(target_gone)});
  update_follow(on);
  transport.detach(on.debuggee);
}

void Gateway::Impl::vanish(std::string id) {
  auto* const going = target(id);
  if (!going) return;
  part_with_children(*going);
  // As Chrome does (content/browser/devtools/protocol/input_handler.cc, InputInjector::Cleanup).
  std::vector<Ticket> done;
  std::erase_if(going->in_flight, [&done](auto const& row) {
    if (row.second.input) done.push_back(row.second.ticket);
    return row.second.input;
  });
  for (auto const& ticket : done) reply(ticket, "{}");
  lost(*going, {code::server_error, std::string(target_gone)});
  for (auto const& [number, ticket] : std::exchange(going->navigating, {})) {
    fail(ticket, {code::server_error, std::string(target_gone)});
  }
  for (auto const& command : take_waiting(*going)) {
    fail(command.ticket, {code::server_error, std::string(target_gone)});
  }
  // Its sessions end, those that stand for its tab too.
  std::vector<std::pair<ClientId, std::string>> ending;
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->target == id) ending.emplace_back(number, name);
    }
  }
  for (auto const& [number, name] : ending) {
    auto* const session = this->session(number, name);
    if (!session) continue;
    if (name.empty()) {  // a socket of this page's own
      event(*session, "Inspector.detached", R"({"reason":"target_closed"})");
      close(number, closed_normally, "target closed");
      gone(number);
    } else {
      end_session(number, name, true);
    }
  }
  auto const tab_id = tab_target_id(id);
  bool const in_tab = ordinary(*going);
  targets.remove(id);
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->told.erase(id) > 0) event(*session, "Target.targetDestroyed", R"({"targetId":")" + id + "\"}");
      if (in_tab && session->told.erase(tab_id) > 0) {
        event(*session, "Target.targetDestroyed", R"({"targetId":")" + tab_id + "\"}");
      }
    }
  }
}

void Gateway::Impl::end_session(ClientId owner_id, std::string const& id, bool say) {
  auto* const owner = client(owner_id);
  auto* const ending = session(owner_id, id);
  if (!owner || !ending) return;
  std::vector<std::string> children;
  for (auto const& [name, other] : owner->sessions()) {
    if (!name.empty() && other->parent == id && name != id) children.push_back(name);
  }
  for (auto const& child : children) end_session(owner_id, child, say);

  ending->discover.reset();  // nothing follows its end
  ending->told.clear();

  auto* const on = ending->kind == Session::Kind::target ? target(ending->target) : nullptr;
  if (say && !id.empty()) {
    if (auto const* parent = session(owner_id, ending->parent)) {
      auto const about = ending->kind == Session::Kind::tab ? tab_target_id(ending->target) : ending->target;
      event(*parent, "Target.detachedFromTarget",
            R"({"sessionId":")" + id + R"(","targetId":)" + wire::quote(about) + "}");
    }
  }
  if (on) {
    // What it has asked and not heard yet has no one to be told any more, unless the client itself stays.
    for (auto& [number, flight] : on->in_flight) {
      if (flight.ticket.client != owner_id || flight.ticket.session != id) continue;
      if (say) fail(flight.ticket, {code::server_error, std::string(target_gone)});
      flight.ticket.client = 0;
    }
    std::erase_if(on->waiting, [this, owner_id, &id, say](Command const& command) {
      bool const its = command.ticket.client == owner_id && command.ticket.session == id;
      if (its) waits_no_more(command);
      if (its && say) fail(command.ticket, {code::server_error, std::string(target_gone)});
      return its;
    });
    Clients::leave(*ending, *on);
    stop_intercepting(*ending, *on);
    // Another that uses it without listening is not disturbed: it is let go when that one rests too.
    bool const in_use =
        !on->waiting.empty() ||
        std::any_of(on->sessions.begin(), on->sessions.end(), [](Session const* other) { return other->used; }) ||
        std::any_of(on->in_flight.begin(), on->in_flight.end(),
                    [](auto const& row) { return row.second.ticket.client != 0; });
    if (in_use || needed(*on) || !on->attachment.attached()) {
      take_back(*ending, *on);
      update_auto_attach(*on);
    } else if (on->upstream.empty()) {
      let_go(*on);
    } else {
      take_back(*ending, *on);
      update_auto_attach(*on);
    }
    resume_if_free(*on);
    update_follow(*on);
    if (on->sessions.empty()) changed(*on);
  }
  auto const made = ending->kind == Session::Kind::made ? ending->target : std::string();
  bool const listened = downloads.listeners.erase({owner_id, id}) > 0;
  clients.end_session(*owner, id);
  settling.end({owner_id, id});
  if (!made.empty()) made_changed(made);
  if (listened) hear_downloads();
}

void Gateway::Impl::gone(ClientId id) {
  auto* const leaving = client(id);
  if (!leaving) return;
  std::vector<std::string> ids;
  for (auto const& [name, session] : leaving->sessions()) {
    session->discover.reset();
    session->told.clear();
    if (session->parent.empty() && session->id.empty()) continue;
    ids.push_back(name);
  }
  for (auto const& name : ids) end_session(id, name, false);
  end_session(id, "", false);
  for (auto const& context : contexts.of_client(id)) dispose_context(context, [](Answer const&) {});
  take_back_grants(id, "", [](Answer const&) {});
  clients_cookies.forget(id);
  downloads.client_gone(id);
  hear_downloads();
  extensions_of_gone(id);
  clients.remove(id);
  subscribe_while_needed();
}

void Gateway::Impl::link_down(std::string_view why) {
  if (!link.up()) return;
  link.went_down(why);
  looking.cancel();
  finding.cancel();
  auto const now = clock.now().mono;
  for (auto& [id, target] : targets) {
    if (target->missed_since == 0) target->missed_since = now;
    lost(*target, link.loss(), Attachment::Event::link_lost);
    target->follows = false;
  }
  new_tabs.link_lost();
  targets.forget_ways();
  wait_for_link();
  sandboxes_lost();
}

void Gateway::Impl::give_up_on_link(std::uint64_t number) {
  if (!link.end_outage(number)) return;
  Failure const failure{code::server_error, std::string(LinkState::not_there)};
  settling.clear();
  for (auto const& [id, on] : targets) {
    for (auto const& command : take_waiting(*on)) fail(command.ticket, failure);
    for (auto const& [awaited, ticket] : std::exchange(on->navigating, {})) fail(ticket, failure);
  }
  for (auto const tab : new_tabs.waited_for()) {
    for (auto const& each : new_tabs.take_waiting(tab)) each.never(failure);
  }
  forget_browser();
  std::vector<ClientId> leaving;
  for (auto& [id, client] : clients) {
    for (auto const& command : std::exchange(client.waiting, {})) fail(command.ticket, failure);
    for (auto const& [name, session] : client.sessions())
      session->discover.reset();  // nobody hears of the others' going
    leaving.push_back(id);
  }
  for (auto const id : leaving) {
    close(id, gone_away, "the browser is gone");
    gone(id);
  }
  for (auto const& call : std::exchange(when_known, {})) call();
}

void Gateway::Impl::forget_browser() {
  targets.clear();
  tabs.browser_gone();
  contexts.browser_gone();
  new_tabs.browser_gone();
  plans.clear();
  downloads.browser_gone();
}

}  // namespace any::cdp
