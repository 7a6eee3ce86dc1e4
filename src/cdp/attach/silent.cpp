// What is said in a page's stead while it does not answer: a dialog is open in it, a script does not end, it has
// crashed, it is being loaded anew. No tab may hold up the handshake that clients make with every tab they are told of.
// The commands stay under way: Chrome carries them out when the page goes on.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

/// A page that goes on answers a handshake within milliseconds, on a busy machine within this time.
constexpr Millis patience = 400;

/// So long without an answer is told to whoever listens.
constexpr Millis said_after = 2'000;

constexpr std::string_view no_answer =
    "any: this page does not answer: a script in it does not end, or a dialog is open in it of which Chrome has told "
    "nobody, because it came before the debugger. Close the dialog in the browser, send the page elsewhere "
    "(Page.navigate), or close it.";

bool adds_script(Command const& command) {
  return rule_of(command.method).act == Act::script;
}

}  // namespace

void Gateway::Impl::watch_handshake(Session& by, Target& on) {
  if (on.silent) return answer_in_stead(by, on);
  if (std::exchange(by.watched, true)) return;
  timers.after(patience, [this, client = by.client, name = by.id] {
    auto* const still = session(client, name);
    if (!still) return;
    still->watched = false;
    if (auto* const here = target(still->target)) answer_in_stead(*still, *here);
  });
}

void Gateway::Impl::answer_in_stead(Session& by, Target& on) {
  auto const its = [&by](Ticket const& ticket) {
    return ticket.client == by.client && ticket.session == by.id && !ticket.answered;
  };
  struct Left {
    Command command;
    int script;
    bool under_way;
  };
  std::vector<Left> left;
  for (auto& [number, flight] : on.in_flight) {
    if (!flight.handshake || !its(flight.ticket)) continue;
    left.push_back({*flight.handshake, flight.script, true});
    flight.ticket.answered = true;
    on.said_in_stead.insert(number);
  }
  int script = by.last_script;
  for (auto& command : on.waiting) {
    if (command.ticket.client != by.client || command.ticket.session != by.id) continue;
    if (adds_script(command)) ++script;
    if (!its(command.ticket) || !in_handshake(by, command)) continue;
    left.push_back({command, script, false});
    command.ticket.answered = true;
  }
  if (left.empty()) return;
  bool const news = !std::exchange(on.silent, true);
  for (auto const& [command, number, under_way] : left) {
    auto* const entry = under_way ? by.state.find(command.method) : nullptr;
    bool const filled = entry && std::exchange(entry->filling, false);  // told here, not with Chrome's answer
    if (adds_script(command)) {
      reply(command.ticket, R"({"identifier":")" + std::to_string(number) + "\"}");
    } else if (command.method == "Page.createIsolatedWorld") {
      reply(command.ticket, R"({"executionContextId":)" + std::to_string(targets.make_context_id()) + "}");
    } else if (command.method == "Page.getFrameTree") {
      invent_loader(on);
      on.frames_guessed = true;
      reply(command.ticket, frame_tree(on));
    } else {
      if (filled && command.method == "Runtime.enable") send_contexts(by, on);
      if (filled && command.method.ends_with(".enable")) {
        for (auto const& told : on.replay.for_domain(domain_of(command.method)))
          event(by, told.method, on.contexts.to_client(told.params));
      }
      if (filled && command.method == "Page.setLifecycleEventsEnabled") {
        for (auto const& told : on.replay.lifecycle()) event(by, told.method, told.params);
      }
      reply(command.ticket, "{}");
    }
  }
  if (on.crashed) return event(by, "Inspector.targetCrashed", "{}");
  if (!news) return;
  timers.after(said_after, [this, id = on.info.id, attachment = on.attachment.number()] {
    auto* const still = target(id);
    if (!still || !still->silent || still->attachment.number() != attachment) return;
    spread(*still, "Log.entryAdded",
           R"({"entry":{"source":"other","level":"warning","text":)" + wire::quote(no_answer) + R"(,"timestamp":)" +
               std::to_string(clock.now().wall) + "}}");
  });
}

void Gateway::Impl::keep_for_later(Command const& command) {
  auto* const by = session(command.ticket.client, command.ticket.session);
  if (!by) return;
  auto const act = rule_of(command.method).act;
  auto key = command.method;
  if (act == Act::script) {
    key = "script " + std::to_string(++by->last_script);
  } else if (act == Act::binding) {
    key = "binding " + string_in(command.params, "name") + " " + string_in(command.params, "executionContextName");
  } else if (act != Act::enable && act != Act::setting) {
    return;
  }
  by->state.put(key, command.method, command.params);
}

}  // namespace any::cdp
