// Attaching to a tab, telling a new attachment what its sessions had, letting go.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"
#include "cdp/session/settings.hpp"

namespace any::cdp {

namespace {

/// A page that was gone to comes within this time, or its navigation is answered with an error.
constexpr Millis came_by = 30'000;

/// A discarded page whose server stays silent is attached to all the same.
constexpr Millis revived_by = 5'000;

/// What a client listens to in a page that Chrome lets nobody debug now is asked for again after this time, then after
/// twice that, and so on: another extension's frame may have gone.
constexpr Millis asked_again_after = 1'000;
constexpr int longest_doubling = 3;

/// The extension says then whose frame it is, and what the person can do (extension/worker/other_extensions.js).
constexpr std::string_view in_the_way = "Cannot access a chrome-extension:// URL of different extension: ";

std::string without(std::string_view params, std::string_view member) {
  auto said = object_of(params);
  said.erase(member);
  return json::serialize(said);
}

}  // namespace

void Gateway::Impl::wake(Target& on) {
  if (!on.attachment.loose() || !link.known() || !on.parent.empty()) return;
  on.attachment.on(Attachment::Event::attach);
  on.committed.clear();
  if (!on.discarded) return attach_now(on);
  // A discarded page attaches and then answers nothing: it is loaded first, where it lies, without being shown.
  transport.chrome("tabs.reload", "[" + std::to_string(on.debuggee.tab) + "]", [](Answer const&) {});
  // What an attached page is asked before its document has come is answered by an empty one.
  on.attachment.revive();
  timers.after(revived_by, [this, id = on.info.id, attachment = on.attachment.number()] {
    auto* const still = target(id);
    if (still && still->attachment.number() == attachment && still->attachment.revived()) attach_now(*still);
  });
}

void Gateway::Impl::attach_now(Target& on) {
  on.discarded = false;
  transport.attach(on.debuggee, [this, id = on.info.id, attachment = on.attachment.number(),
                                 debuggee = on.debuggee](Answer const& answer) {
    auto const* const still = target(id);
    if (still && still->attachment.number() == attachment) return attached(id, attachment, answer);
    // It has gone meanwhile: nobody else would let go of what has been attached for it.
    bool const anew = std::any_of(targets.begin(), targets.end(), [&debuggee](auto const& row) {
      return row.second->debuggee == debuggee && !row.second->attachment.loose();
    });
    if (answer && !anew) transport.detach(debuggee);
  });
}

void Gateway::Impl::attached(std::string const& id, std::uint64_t attachment, Answer const& answer) {
  auto* const on = target(id);
  if (!on || on->attachment.number() != attachment) return;
  if (!answer) {
    on->attachment.on(Attachment::Event::refused);
    if (answer.error().code == link_lost) return;  // waits for the link
    attach_refused(*on, answer.error());
    return;
  }
  if (!on->attachment.on(Attachment::Event::granted)) return;
  on->fresh = false;
  targets.move(*on, on->debuggee, on->upstream);
  restore(*on);
}

void Gateway::Impl::attach_refused(Target& on, Failure const& why) {
  int const times = on.attachment.refused_again();
  bool const by_extension = why.message.starts_with(in_the_way);
  bool told = !by_extension;
  // Programs that put words of their own in the place of an error's show this all the same.
  auto const tell_person = [&] {
    if (std::exchange(told, true)) return;
    spread(on, "Log.entryAdded",
           R"({"entry":{"source":"other","level":"warning","text":)" + wire::quote("any: " + why.message) +
               R"(,"timestamp":)" + std::to_string(clock.now().wall) + "}}");
  };
  if (times == 1) tell_person();
  go_to_pending_url(on);
  if (auto const came = std::exchange(on.committed, {}); !came.empty()) {
    navigated_unattached(on, came);
    if (!on.waiting.empty()) wake(on);  // who knows which of the two pages it has refused
    return;
  }
  for (auto const& command : take_waiting(on)) {
    if (command.ticket.answered) {
      keep_for_later(command);
    } else if (!go_without_attaching(on, command) && !answer_refused(on, command)) {
      tell_person();
      fail(command.ticket, why);
    }
  }
  if (!by_extension) return;
  auto const pause = asked_again_after << std::min(times - 1, longest_doubling);
  timers.after(pause, [this, id = on.info.id, attachment = on.attachment.number()] {
    auto* const still = target(id);
    if (still && still->attachment.number() == attachment && needed(*still)) wake(*still);
  });
}

void Gateway::Impl::restoring_asked(Target& on, std::string_view method, std::string_view params, Answered then) {
  on.attachment.asked();
  transport.send(
      on.debuggee, on.upstream, method, params,
      [this, id = on.info.id, attachment = on.attachment.number(), then = std::move(then)](Answer const& answer) {
        auto* const still = target(id);
        if (!still || still->attachment.number() != attachment) return;
        if (then) then(answer);
        if (still->attachment.answered()) restored(*still);
      });
}

void Gateway::Impl::restore(Target& on) {
  on.crashed = false;
  on.enabled.clear();
  on.set_once.clear();
  on.auto_attach.clear();
  on.replay.clear();
  // Worlds that a client made by hand are made again where the document is still the same.
  std::vector<std::pair<std::string, std::string>> worlds;
  for (auto const& [id, context] : on.contexts.all()) {
    if (!context.main && !context.name.empty()) worlds.emplace_back(context.frame, context.name);
  }
  if (std::exchange(on.objects_lost, false)) {
    // The ids of contexts hold on; objects in them are known by the attachment that went: a client that keeps some is
    // told so in the way in which Chrome tells it.
    contexts_cleared(on);
    spread(on, "Runtime.executionContextsCleared", "{}");
    spread(on, "DOM.documentUpdated", "{}");
  }
  on.contexts.doubt();
  on.attachment.asked();  // until all has been asked

  std::set<std::string> asked;
  for (auto* const session : on.sessions) {
    for (auto& entry : session->state.entries()) {
      auto const& rule = rule_of(entry.method);
      if (rule.act == Act::enable) {
        on.enabled[std::string(domain_of(entry.method))] = 1;
        if (!asked.insert(entry.key + entry.params).second) continue;
      }
      if (rule.once && !on.set_once.insert(entry.method).second) continue;
      if (rule.act == Act::group) continue;  // its objects are gone
      if (rule.merged) {
        if (asked.insert(entry.method).second) restoring_asked(on, entry.method, together(on, entry.method), nullptr);
        continue;
      }
      if (rule.act == Act::binding && !asked.insert(entry.key + entry.params).second) continue;
      Answered then;
      auto params = on.contexts.to_chrome(entry.params);
      if (rule.act == Act::script) {
        // It has run in this document already.
        if (!entry.given.empty() && on.scripted) params = without(params, "runImmediately");
        then = [this, client = session->client, name = session->id, key = entry.key](Answer const& answer) {
          auto* const owner = this->session(client, name);
          if (auto* const written = owner ? owner->state.find(key) : nullptr; written && answer) {
            written->given = string_in(*answer, "identifier");
          }
        };
      }
      restoring_asked(on, entry.method, params, std::move(then));
    }
  }
  update_auto_attach(on);
  update_patterns(on);
  for (auto const& [frame, name] : worlds) {
    if (!on.enabled.contains("Runtime")) continue;
    restoring_asked(on, "Page.createIsolatedWorld",
                    R"({"frameId":)" + wire::quote(frame) + R"(,"worldName":)" + wire::quote(name) +
                        R"(,"grantUniveralAccess":true})",
                    nullptr);
  }
  if (on.enabled.contains("Page")) {
    restoring_asked(on, "Page.getFrameTree", "{}", [this, id = on.info.id](Answer const& answer) {
      if (auto* const still = target(id); still && answer) frames_restored(*still, *answer);
    });
  }
  // A barrier: what the commands above make Chrome tell has come before its answer.
  restoring_asked(on, "Target.getTargetInfo", "{}", nullptr);
  if (on.attachment.answered()) restored(on);
}

void Gateway::Impl::restored(Target& on) {
  on.attachment.on(Attachment::Event::restored);
  on.silent = false;
  on.scripted = true;
  if (!on.enabled.contains("Runtime")) on.contexts.undoubt();
  for (auto const& gone : on.contexts.confirmed()) spread(on, "Runtime.executionContextDestroyed", gone);
  if (!on.committed.empty() && !enabled(on, "Page")) answer_navigating(on);
  // Children that have not come back with the attachment are gone.
  std::vector<std::string> missing;
  for (auto const& [id, other] : targets) {
    if (other->parent == on.info.id && other->attachment.loose()) missing.push_back(id);
  }
  for (auto const& id : missing) vanish(id);
  say_missed(on);
  on.used = clock.now().mono;
  update_follow(on);
  hear_downloads(on);
  watch_workers();
  if (!on.held) go_to_pending_url(on);
  flush(on);
  let_go_when_idle(on);
}

void Gateway::Impl::say_missed(Target& on) {
  auto const since = std::exchange(on.missed_since, 0);
  if (since == 0 || on.info.type == "iframe") return;  // its page says it
  auto const now = clock.now();
  auto const tenths = std::max<Millis>((now.mono - since) / 100, 1);
  auto const seconds = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  spread(on, "Log.entryAdded",
         R"({"entry":{"source":"other","level":"warning","text":"any: the link to the browser was lost for )" +
             seconds + R"( s; events in that time were not seen","timestamp":)" + std::to_string(now.wall) + "}}");
}

void Gateway::Impl::flush(Target& on) {
  for (auto& command : take_waiting(on)) run(std::move(command));
}

void Gateway::Impl::detached(Target& on, std::string_view reason) {
  part_with_children(on);
  // A page that Chrome does not let be debugged detaches while it comes: the navigation itself goes on.
  std::set<std::string> gone_to;
  for (auto flight = on.in_flight.begin(); flight != on.in_flight.end();) {
    bool const goes_on = !flight->second.goes_to.empty() && reason != "canceled_by_user";
    if (goes_on) await_page(on, flight->second.ticket);
    if (goes_on) gone_to.insert(flight->second.goes_to);
    flight = goes_on ? on.in_flight.erase(flight) : std::next(flight);
  }
  auto const came = std::exchange(on.committed, {});
  auto const shown = on.frames.find(on.info.id);
  bool const unseen = !came.empty() && shown != on.frames.end() &&
                      (gone_to.contains(came) || came.substr(0, came.find('#')) != shown->second.url);
  lost(on, {code::server_error, "Inspected target navigated or closed"});
  if (on.debuggee.tab < 0) return vanish(on.info.id);  // a shared worker; if it lives still, it is found again
  if (reason == "canceled_by_user") {
    // The person has pressed "Cancel" on Chrome's bar: whoever used the tab is told, as when its target had gone.
    auto const id = on.info.id;
    vanish(id);
    tabs.forget_target(id);
    find_targets_of_new_tabs();
    return;
  }
  if (unseen) return navigated_unattached(on, came);
  // Its page went to one that cannot be debugged, or was thrown away: of what follows tabs and webNavigation tell.
  // Where it is a page that can be attached to, whoever listens must not be left without it.
  wake_soon(on);
}

void Gateway::Impl::wake_soon(Target& on) {
  auto const wanted = [this](Target const& target) { return needed(target) || !target.waiting.empty(); };
  if (!wanted(on)) return;
  timers.after(200, [this, id = on.info.id, wanted] {
    if (auto* const still = target(id); still && wanted(*still)) wake(*still);
  });
}

bool Gateway::Impl::goes_without_attaching(std::string_view method) {
  return method == "Page.navigate" || method == "Page.reload" || method == "Page.close" ||
         method == "Page.bringToFront";
}

bool Gateway::Impl::go_without_attaching(Target& on, Command const& command) {
  auto const& method = command.method;
  if (on.debuggee.tab < 0 || !on.upstream.empty() || !goes_without_attaching(method)) return false;
  json::array args{on.debuggee.tab};
  if (method == "Page.navigate") {
    auto const frame = string_in(command.params, "frameId");
    if (!frame.empty() && frame != on.info.id) return false;  // chrome.tabs sends the whole page
    args.push_back(json::object{{"url", string_in(command.params, "url")}});
    auto const number = await_page(on, command.ticket);
    transport.chrome("tabs.update", json::serialize(args), [this, id = on.info.id, number](Answer const& answer) {
      if (!answer) give_up_on_page(id, number, answer.error());
    });
    return true;
  }
  std::string_view path = "tabs.remove";
  if (method == "Page.reload") {
    path = "tabs.reload";
    args.push_back(json::object{{"bypassCache", raw_in(command.params, "ignoreCache") == "true"}});
  } else if (method == "Page.bringToFront") {
    path = "tabs.update";
    args.push_back(json::object{{"active", true}});
  }
  transport.chrome(path, json::serialize(args), [this, ticket = command.ticket](Answer const& answer) {
    answer ? reply(ticket, "{}") : fail(ticket, answer.error());
  });
  return true;
}

void Gateway::Impl::answer_navigating(Target& on) {
  for (auto const& [number, ticket] : std::exchange(on.navigating, {})) {
    reply(ticket, R"({"frameId":)" + wire::quote(on.info.id) + R"(,"loaderId":)" + wire::quote(on.main_loader) + "}");
  }
}

std::uint64_t Gateway::Impl::await_page(Target& on, Ticket const& ticket) {
  auto const number = ++last_flight;
  on.navigating.push_back({number, ticket});
  timers.after(came_by, [this, id = on.info.id, number] {
    give_up_on_page(id, number, {code::server_error, "Inspected target navigated or closed"});
  });
  return number;
}

void Gateway::Impl::give_up_on_page(std::string const& id, std::uint64_t number, Failure const& why) {
  auto* const on = target(id);
  if (!on) return;
  auto const waiting = std::find_if(on->navigating.begin(), on->navigating.end(),
                                    [number](auto const& each) { return each.number == number; });
  if (waiting == on->navigating.end()) return;
  auto const ticket = waiting->ticket;
  on->navigating.erase(waiting);
  fail(ticket, why);
}

void Gateway::Impl::crashed(Target& on) {
  on.crashed = true;
  auto const flights = std::exchange(on.in_flight, {});
  for (auto const& [number, flight] : flights) fail(flight.ticket, {code::server_error, "Target crashed"});
  // How its process ended Chrome does not tell an extension.
  auto const params = R"({"targetId":)" + wire::quote(on.info.id) + R"(,"status":"crashed","errorCode":0})";
  for (auto const& [id, owner] : clients) {
    for (auto const& [name, session] : owner.sessions()) {
      if (session->told.contains(on.info.id)) event(*session, "Target.targetCrashed", params);
    }
  }
}

bool Gateway::Impl::needed(Target const& on) const {
  for (auto const* session : on.sessions) {
    bool const listens = !session->automatic || session->used;
    if (!listens) continue;
    for (auto const& entry : session->state.entries()) {
      auto const act = rule_of(entry.method).act;
      if (act == Act::enable || act == Act::binding) return true;
      if (act == Act::setting || act == Act::script) {
        if (session->used) return true;
      }
    }
    if (on.interceptions.has(session->key())) return true;
    if (session->auto_attach.on && session->used) return true;
  }
  return false;
}

void Gateway::Impl::let_go_when_idle(Target& on) {
  timers.after(limits.idle, [this, id = on.info.id, attachment = on.attachment.number()] {
    auto* const still = target(id);
    if (!still || still->attachment.number() != attachment || !still->attachment.attached()) return;
    bool const busy = !still->in_flight.empty() || !still->waiting.empty() || !still->attachment.ready() ||
                      needed(*still) || clock.now().mono - still->used < limits.idle;
    if (busy) return let_go_when_idle(*still);
    let_go(*still);
  });
}

}  // namespace any::cdp
