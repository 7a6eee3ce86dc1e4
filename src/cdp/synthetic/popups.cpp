// What a page opens. Chrome holds no popup for an extension, so what its clients will say to it first is foreseen, and
// sent by the extension in the moment of its creation; a client that then says it finds it done.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

/// Its requests wait until the clients have set it up.
constexpr std::string_view hold_requests = R"({"method":"Fetch.enable","params":{"patterns":[{"urlPattern":"*"}]}})";

/// What is foreseen lies with the extension for each followed tab: beyond this nothing is.
constexpr std::size_t most_foreseen = std::size_t{256} << 10;

/// The answers to a popup's setting up come within milliseconds, where its page answers at all.
constexpr Millis settled_by = 2'000;

/// Whether both say the same to a new document. (To a page that is there already Playwright says a script without
/// "runImmediately", to a new one with it.)
bool same(std::string_view method, std::string_view params, std::string_view other_method,
          std::string_view other_params) {
  if (method != other_method) return false;
  if (rule_of(method).act != Act::script) return params == other_params;
  return raw_in(params, "source") == raw_in(other_params, "source") &&
         raw_in(params, "worldName") == raw_in(other_params, "worldName");
}

bool in(SessionState const& state, SessionState::Entry const& wanted) {
  auto const& entries = state.entries();
  return std::any_of(entries.begin(), entries.end(), [&wanted](auto const& entry) {
    return same(entry.method, entry.params, wanted.method, wanted.params);
  });
}

/// A popup's page may be there already when the script comes. The source stays as the client writes it.
std::string at_once(std::string_view params) {
  if (raw_in(params, "runImmediately").empty() && params.ends_with('}')) {
    return std::string(params.substr(0, params.size() - 1)).append(R"(,"runImmediately":true})");
  }
  return std::string(params);
}

/// A client that takes new targets while they are held.
bool holds_new_targets(Client const& client) {
  return std::any_of(client.sessions().begin(), client.sessions().end(), [](auto const& row) {
    auto const& session = *row.second;
    return session.kind != Session::Kind::target && session.auto_attach.on && session.auto_attach.wait;
  });
}

}  // namespace

std::vector<Foreseen> Gateway::Impl::foresee(Client const& by, std::string_view context) {
  std::vector<Session const*> set_up;
  for (auto const& [name, session] : by.sessions()) {
    if (!session->automatic || !session->set_up || session->kind != Session::Kind::target) continue;
    auto const* const on = target(session->target);
    if (on && ordinary(*on) && on->info.context == context) set_up.push_back(session.get());
  }
  std::vector<Foreseen> all;
  if (set_up.empty()) return all;
  // What it has said to all its pages it says to the next. Of one page alone that holds for what came before it let the
  // page go; what came later may be meant for that page.
  for (auto const& entry : set_up.front()->state.entries()) {
    auto const act = rule_of(entry.method).act;
    if (act != Act::script && act != Act::binding) continue;
    if (set_up.size() == 1 && !entry.early) continue;
    bool const everywhere = std::all_of(set_up.begin(), set_up.end(),
                                        [&entry](Session const* session) { return in(session->state, entry); });
    if (!everywhere) continue;
    all.push_back({.client = by.id, .method = entry.method, .params = entry.params});
    if (act == Act::script) all.back().params = at_once(entry.params);
  }
  return all;
}

void Gateway::Impl::update_follow(Target& on) {
  if (on.debuggee.tab < 0 || !ordinary(on)) return;
  std::set<ClientId> who;
  if (on.attachment.attached()) {
    for (auto const* session : on.sessions) {
      auto const& all = client(session->client)->sessions();
      bool const attaches = std::any_of(all.begin(), all.end(), [](auto const& row) {
        return row.second->kind == Session::Kind::browser && row.second->auto_attach.on;
      });
      if (attaches) who.insert(session->client);
    }
  }
  if (who.empty()) {
    if (std::exchange(on.follows, false)) transport.follow(on.debuggee.tab, false, "[]", 0);
    return;
  }
  std::vector<Foreseen> rows;
  std::size_t bytes = 0;
  for (auto const id : who) {
    auto const* const owner = client(id);
    if (!holds_new_targets(*owner)) continue;
    for (auto& row : foresee(*owner, on.info.context)) {
      bytes += row.params.size();
      rows.push_back(std::move(row));
    }
  }
  if (bytes > most_foreseen) rows.clear();
  // Scripts are run by a page that tells of itself.
  if (!rows.empty()) rows.insert(rows.begin(), Foreseen{.method = "Page.enable", .params = "{}", .taken = true});
  std::set<std::int64_t> in_force;
  for (auto const& [id, other] : targets) in_force.insert(other->popups_get);
  auto const mark = plans.mark_of(std::move(rows), std::move(in_force));
  if (std::exchange(on.follows, true) && on.popups_get == mark) return;
  on.popups_get = mark;
  std::string commands = "[";
  for (auto const& row : plans.rows(mark)) {
    commands += R"({"method":")" + row.method + R"(","params":)" + row.params + "},";
  }
  transport.follow(on.debuggee.tab, true, commands.append(hold_requests).append("]"), mark);
}

void Gateway::Impl::plans_changed() {
  if (std::exchange(planning, true)) return;  // a client says many things at once
  timers.after(0, [this] {
    planning = false;
    for (auto const& [id, on] : targets) {
      if (on->follows) update_follow(*on);
    }
  });
}

void Gateway::Impl::begin_foreseen(Target& on, std::int64_t mark) {
  auto const& plan = plans.rows(mark);
  if (plan.empty()) return;
  on.foreseen = plan;
  on.enabled["Page"] = 1;
  if (auto const answers = new_tabs.take_answers(on.debuggee.tab)) foreseen_answered(on, *answers);
}

bool Gateway::Impl::take_foreseen(Session& by, Target& on, SessionState::Entry& entry, std::string_view key) {
  auto const row = std::find_if(on.foreseen.begin(), on.foreseen.end(), [&](Foreseen const& each) {
    return !each.taken && each.client == by.client && same(each.method, each.params, entry.method, entry.params);
  });
  if (row == on.foreseen.end()) return false;
  row->taken = true;
  row->session = by.id;
  row->key = key;
  if (row->state == Foreseen::State::refused) return false;
  entry.given = row->given;
  return true;
}

void Gateway::Impl::foreseen_told(json::object const& said) {
  auto const tab = number_in(said, "tab").value_or(-1);
  auto const* const answers = said.if_contains("answers");
  if (tab < 0 || !answers || !answers->is_array()) return;
  if (auto* const on = target_of(tab)) return foreseen_answered(*on, answers->get_array());
  if (tabs.contains(tab)) new_tabs.keep_answers(tab, answers->get_array());
}

void Gateway::Impl::foreseen_answered(Target& on, json::array const& answers) {
  for (std::size_t at = 0; at < on.foreseen.size() && at < answers.size(); ++at) {
    auto& row = on.foreseen[at];
    auto const* const value = answers[at].is_object() ? answers[at].get_object().if_contains("value") : nullptr;
    row.state = value ? Foreseen::State::done : Foreseen::State::refused;
    if (value && value->is_object()) row.given = text_in(value->get_object(), "identifier");
    if (row.client == 0) continue;
    auto* const owner = row.taken ? session(row.client, row.session) : nullptr;
    auto* const entry = owner ? owner->state.find(row.key) : nullptr;
    if (entry && value) {
      entry->given = row.given;
    } else if (entry) {
      say_again(on, row);
    }
  }
  if (!on.held) forget_foreseen(on);
}

void Gateway::Impl::say_again(Target& on, Foreseen const& row) {
  transport.send(on.debuggee, on.upstream, row.method, row.params,
                 [this, client = row.client, name = row.session, key = row.key](Answer const& answer) {
                   auto* const owner = session(client, name);
                   auto* const entry = owner && answer ? owner->state.find(key) : nullptr;
                   if (entry) entry->given = string_in(*answer, "identifier");
                 });
}

void Gateway::Impl::forget_foreseen(Target& on) {
  // What no client has said after all is taken back; what is not answered yet, when it is.
  std::erase_if(on.foreseen, [this, &on](Foreseen const& row) {
    if (row.state == Foreseen::State::asked) return false;
    auto const* const owner = row.taken ? session(row.client, row.session) : nullptr;
    bool const wanted = row.client == 0 || (owner && owner->state.has(row.key));
    if (wanted || row.state == Foreseen::State::refused) return true;
    if (!row.given.empty()) {
      tell(on, "Page.removeScriptToEvaluateOnNewDocument", R"({"identifier":)" + wire::quote(row.given) + "}");
    } else if (std::none_of(on.sessions.begin(), on.sessions.end(), [&row](Session const* session) {
                 return in(session->state, {.key = {}, .method = row.method, .params = row.params});
               })) {
      tell(on, "Runtime.removeBinding", R"({"name":)" + wire::quote(string_in(row.params, "name")) + "}");
    }
    return true;
  });
  hear_downloads(on);  // Page is switched off where nobody has it enabled
}

void Gateway::Impl::begin_settling(Session const& on_popup) {
  settling.begin(on_popup.key());
  timers.after(settled_by, [this, session = on_popup.key()] { settle(session); });
}

bool Gateway::Impl::kept_while_settling(Session const& to, std::string_view method, std::string_view params) {
  if (!settling.has(to.key())) return false;
  bool const of_children = method.starts_with("Target.");  // their own events are not kept
  if (of_children) return false;
  bool const answers_no_more = method == "Page.javascriptDialogOpening" || method.starts_with("Inspector.");
  if (!answers_no_more) {
    settling.keep(to.key(), method, params);
    return true;
  }
  settle(to.key());
  return false;
}

void Gateway::Impl::settle(SessionKey const& key) {
  auto const events = settling.end(key);
  auto const* const to = session(key);
  if (!to) return;
  for (auto const& [method, params] : events) event(*to, method, params);
}

}  // namespace any::cdp
