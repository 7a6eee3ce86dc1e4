// Chrome's tabs as targets: what appears, changes, goes. Of a page Chrome's debugger knows the id
// (chrome.debugger.getTargets), chrome.tabs everything else.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

/// Chrome's own events of a page come within this time of webNavigation's.
constexpr Millis told_by_chrome = 500;

/// Chrome tells within some milliseconds whether a tab was opened by another.
constexpr Millis decided_by = 400;

/// Chrome tells its tabs within milliseconds; a busy machine's within this time, or not at all.
constexpr Millis told_by = 8'000;
constexpr Millis look_again = 300;
constexpr int most_looks = 4;
constexpr std::uint16_t look_refused = 1011;

}  // namespace

void Gateway::Impl::look() {
  if (looking.under_way()) return;
  auto const number = looking.begin();
  timers.after(told_by, [this, number] {
    if (looking.is(number)) look_failed({code::server_error, "no answer within 8 s"});
  });
  transport.chrome("tabs.query", "[{}]", [this, number](Answer const& answer) {
    if (!looking.is(number)) return;
    if (!answer) return look_failed(answer.error());
    if (auto const read = wire::parse_strict(*answer, {256})) read_tabs(*read);
    transport.chrome("debugger.getTargets", "[]", [this, number](Answer const& listed) {
      if (!looking.is(number)) return;
      if (!listed) return look_failed(listed.error());
      looking.answered();
      if (auto const read = wire::parse_strict(*listed, {256})) read_targets(*read);
      targets.sort([this](Target const& one, Target const& other) { return place_of(one) < place_of(other); });
      ready();
    });
  });
}

void Gateway::Impl::look_failed(Failure const& why) {
  auto const [failures, number] = looking.failed();
  if (!link.up()) return;  // link_up() looks again
  bool const gives_up = failures >= most_looks;
  if (gives_up) give_up_looking(why);
  if (clients.empty() && when_known.empty()) {
    looking.forgive();
    return;
  }
  timers.after(gives_up ? told_by : look_again * failures, [this, number = number] {
    if (looking.newest(number) && link.up() && !link.known()) look();
  });
}

void Gateway::Impl::give_up_looking(Failure const& why) {
  looking.forgive();
  Failure const said{code::server_error, "The browser does not tell its tabs (" + why.message +
                                             "): restart it, or run `any doctor` to see what is wrong."};
  blind = said;
  for (auto const& call : std::exchange(when_known, {})) call();
  blind.reset();
  for (auto const& [id, on] : targets) {
    for (auto const& command : take_waiting(*on)) fail(command.ticket, said);
  }
  std::vector<ClientId> fresh;
  for (auto const& [id, waiting] : clients) {
    if (!waiting.open) fresh.push_back(id);
  }
  for (auto const id : fresh) {
    auto* const waiting = client(id);
    if (!waiting) continue;
    for (auto const& command : std::exchange(waiting->waiting, {})) fail(command.ticket, said);
    close(id, look_refused, "the browser does not tell its tabs");
    gone(id);
  }
}

void Gateway::Impl::finding_failed() {
  auto const [failures, number] = finding.failed();
  if (!link.up()) return;
  if (failures < most_looks) {
    return timers.after(look_again * failures, [this] {
      if (link.up()) find_targets_of_new_tabs();
    });
  }
  finding.forgive();
  for (auto const id : new_tabs.waited_for()) tab_never_told(id);
}

void Gateway::Impl::read_tabs(json::value const& list) {
  if (!list.is_array()) return;
  std::vector<Tab> now;
  for (auto const& row : list.get_array()) {
    if (row.is_object()) now.push_back(Tab::read(row.get_object()));
  }
  for (auto const id : tabs.missing_in(now)) tab_removed(id);
  tabs.take_all(std::move(now));
  for (auto const& row : list.get_array()) {
    if (!row.is_object()) continue;
    auto const id = number_in(row.get_object(), "id").value_or(-1);
    if (target_of(id)) tab_updated(id, row.get_object(), row.get_object());
  }
}

void Gateway::Impl::read_targets(json::value const& list) {
  if (!list.is_array()) return;
  std::multimap<std::uint64_t, std::pair<TabId, json::object>> in_order;  // Chrome gives them in none
  for (auto const& row : list.get_array()) {
    if (!row.is_object()) continue;
    auto const tab_id = number_in(row.get_object(), "tabId").value_or(-1);
    if (auto const* const tab = tabs.find(tab_id)) {
      in_order.emplace(tab->place, std::pair(tab_id, row.get_object()));
    }
  }
  for (auto const& [place, row] : in_order) {
    auto const& [tab_id, target] = row;
    auto const* const tab = tabs.find(tab_id);
    if (!tab || tab->undecided || contexts.is_spare(tab_id)) continue;
    auto id = text_in(target, "id");
    if (id.empty() || tab->target == id) continue;
    if (!tab->target.empty()) vanish(tab->target);
    tabs.set_target(tab_id, id);
    TargetInfo info{
        .id = std::move(id), .type = "page", .title = text_in(target, "title"), .url = text_in(target, "url")};
    info.context = context_of(*tab);
    if (auto const opener = new_tabs.take_opener(tab_id)) {
      if (auto const* from = target_of(opener->tab)) {
        info.opener = from->info.id;
        if (opener->frame == 0) info.opener_frame = from->info.id;
      }
      inherit_context(tab_id, opener->tab);
      info.context = context_of(*tab);
    }
    auto& made = appear(std::move(info), Debuggee{.tab = tab_id});
    // What waited for this tab; the target may go meanwhile.
    auto const name = made.info.id;
    auto const waiting = new_tabs.take_waiting(tab_id);
    if (waiting.empty()) continue;
    // A client has made it: it will use it.
    if (!made.sessions.empty()) wake(made);
    for (auto const& each : waiting) {
      auto* const still = this->target(name);
      still ? each.there(*still) : new_tabs.wait_for(tab_id, each);
    }
  }
  read_workers(list.get_array());
}

std::uint64_t Gateway::Impl::place_of(Target const& target) const {
  auto const* const tab = tab_of(target);
  return tab && ordinary(target) ? tab->place : tabs.place_behind();
}

std::string Gateway::Impl::context_of(Tab const& tab) const {
  if (auto const* const made = contexts.of_tab(tab.id, tab.incognito)) return made->id;
  return tab.incognito ? std::string(default_context).replace(0, 4, "1C06") : default_context;
}

Target* Gateway::Impl::target_of(TabId tab) {
  auto const* const found = tabs.find(tab);
  return !found || found->target.empty() ? nullptr : target(found->target);
}

bool Gateway::Impl::ordinary(Target const& target) const {
  return target.parent.empty() && target.debuggee.tab >= 0;
}

std::string Gateway::Impl::tab_target_id(std::string_view page) {
  // Chrome does not tell an extension the id of the tab around a page: it is made of the page's.
  std::string id(page);
  std::reverse(id.begin(), id.end());
  return id;
}

TargetInfo Gateway::Impl::tab_info(Target const& page) const {
  auto info = page.info;
  info.id = tab_target_id(page.info.id);
  info.type = "tab";
  return info;
}

Target& Gateway::Impl::appear(TargetInfo info, Debuggee debuggee) {
  auto& made = targets.add(std::move(info), std::move(debuggee), "");
  if (auto const* tab = tab_of(made)) {
    made.discarded = tab->discarded;
    made.complete = tab->complete;
    made.fresh = link.known();
    if (tab->early) {
      made.attachment.on(Attachment::Event::announced);
      made.held = made.requests_held = true;
      begin_foreseen(made, tab->plan);
    }
  }
  if (auto url = new_tabs.take_url(made.debuggee.tab)) {
    made.pending_url = std::move(*url);
    made.held = true;
  }
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->discover) tell_discovered(*session, made);
    }
  }
  made.unannounced = !link.known();
  if (link.known()) announce_where_wanted(made);
  for (auto const& early : new_tabs.take_events(made.debuggee.tab)) {
    debugger_event(made.debuggee, early.upstream, early.method, early.params);
  }
  hear_downloads(made);
  resume_if_free(made);
  return made;
}

void Gateway::Impl::changed(Target& target) {
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (!session->discover) continue;
      if (session->told.contains(target.info.id)) {
        event(*session, "Target.targetInfoChanged",
              R"({"targetInfo":)" + info_json(target.info, !target.sessions.empty()) + "}");
      }
      if (ordinary(target) && session->told.contains(tab_target_id(target.info.id))) {
        event(*session, "Target.targetInfoChanged",
              R"({"targetInfo":)" + info_json(tab_info(target), !target.sessions.empty()) + "}");
      }
    }
  }
}

void Gateway::Impl::tab_event(std::string_view path, json::array const& args) {
  if (args.empty()) return;
  auto const number = [&args](std::size_t at) {
    return args.size() > at && args[at].is_int64() ? args[at].get_int64() : -1;
  };
  if (path.starts_with("webNavigation.") && args[0].is_object()) {
    navigation_event(path.substr(14), args[0].get_object());
  } else if (path == "debugger.followed" && args[0].is_object()) {
    followed(args[0].get_object());
  } else if (path == "debugger.followedAnswers" && args[0].is_object()) {
    foreseen_told(args[0].get_object());
  } else if (path == "tabs.onCreated" && args[0].is_object()) {
    tab_created(args[0].get_object());
  } else if (path == "tabs.onUpdated" && args.size() > 2 && args[1].is_object() && args[2].is_object()) {
    tab_updated(number(0), args[1].get_object(), args[2].get_object());
  } else if (path == "tabs.onActivated" && args[0].is_object()) {
    tabs.looked_at(number_in(args[0].get_object(), "tabId").value_or(-1), static_cast<double>(clock.now().wall));
  } else if (path == "tabs.onRemoved") {
    tab_removed(number(0));
  } else if (path == "tabs.onReplaced") {
    tab_replaced(number(0), number(1));
  }
}

void Gateway::Impl::tab_created(json::object const& said) {
  auto tab = Tab::read(said);
  auto const id = tab.id;
  tab.undecided = !new_tabs.waited_for(id) && !new_tabs.has_opener(id) &&
                  (new_tabs.making() ||
                   std::any_of(targets.begin(), targets.end(), [](auto const& row) { return row.second->follows; }));
  bool const undecided = tab.undecided;
  tab.accessed = static_cast<double>(clock.now().wall);
  if (!tabs.add(std::move(tab))) return;
  if (!undecided) return find_targets_of_new_tabs();
  timers.after(decided_by, [this, id] { decide_late(id); });
}

void Gateway::Impl::decide_late(TabId id) {
  // Where the tab belongs is said by the answer to whoever makes it.
  if (new_tabs.making()) return timers.after(decided_by, [this, id] { decide_late(id); });
  opener_known(id);
}

void Gateway::Impl::opener_known(TabId id) {
  if (tabs.decided(id)) find_targets_of_new_tabs();
}

void Gateway::Impl::followed(json::object const& said) {
  auto const id = number_in(said, "tab").value_or(-1);
  if (id < 0) return;
  if (!tabs.opened(id, !said.contains("error"), number_in(said, "mark").value_or(0))) return;
  new_tabs.opened(id, {number_in(said, "opener").value_or(-1), number_in(said, "frame").value_or(-1)});
  opener_known(id);
}

void Gateway::Impl::find_targets_of_new_tabs() {
  if (finding.under_way()) {
    find_again = true;
    return;
  }
  auto const number = finding.begin();
  timers.after(told_by, [this, number] {
    if (finding.is(number)) finding_failed();
  });
  transport.chrome("debugger.getTargets", "[]", [this, number](Answer const& answer) {
    if (!finding.is(number)) return;
    if (!answer) return finding_failed();
    finding.answered();
    if (auto const read = wire::parse_strict(*answer, {256})) read_targets(*read);
    if (std::exchange(find_again, false)) find_targets_of_new_tabs();
  });
}

void Gateway::Impl::tab_updated(TabId id, json::object const& change, json::object const& said) {
  auto const* const tab = tabs.update(id, said);
  auto* const on = target_of(id);
  if (!tab || !on) return;
  if (change.contains("status") || change.contains("discarded")) {
    on->discarded = tab->discarded;
    on->complete = tab->complete;
  }
  auto const url = text_in(said, "url"), title = text_in(said, "title");
  // A new tab is told with the address that it is going to: that it is there is news too.
  bool const there = text_in(change, "status") == "complete";
  bool const news = there || (!url.empty() && url != on->info.url) || title != on->info.title;
  if (!url.empty()) on->info.url = url;
  on->info.title = title;
  if (news) changed(*on);
}

void Gateway::Impl::tab_removed(TabId id) {
  auto const closed = tabs.remove(id);
  if (!closed) return;
  new_tabs.tab_gone(id);
  tab_never_told(id);
  contexts.tab_gone(id);
  if (!closed->target.empty()) vanish(closed->target);
}

void Gateway::Impl::tab_replaced(TabId added, TabId removed) {
  // Discarded: Chrome has put another page, not loaded, into the tab's place, with a number and a target of its own.
  if (auto const* const found = tabs.find(removed)) {
    auto former = *found;
    contexts.tab_replaced(added, removed);
    tab_removed(removed);
    tabs.add_instead(added, std::move(former));
  }
  find_targets_of_new_tabs();
}

void Gateway::Impl::navigation_event(std::string_view name, json::object const& details) {
  auto const tab = number_in(details, "tabId").value_or(-1);
  if (name == "onCreatedNavigationTarget") {
    auto const from = number_in(details, "sourceTabId").value_or(-1);
    auto const frame = number_in(details, "sourceFrameId").value_or(-1);
    auto* const there = target_of(tab);
    auto const* opener = target_of(from);
    if (!there) {
      new_tabs.opened(tab, {from, frame});
      if (!opener || !opener->follows) opener_known(tab);  // else debugger.followed comes
    } else if (opener && there->info.opener.empty()) {
      there->info.opener = opener->info.id;
      if (frame == 0) there->info.opener_frame = opener->info.id;
      changed(*there);
    }
    return;
  }
  auto* const on = target_of(tab);
  if (name == "onCompleted" && on && on->attachment.attached()) look_for_workers();
  if (!on || number_in(details, "frameId") != 0) return;
  bool const attached = on->attachment.attached();
  if (name == "onCommitted" && attached) {
    on->committed = text_in(details, "url");
    if (!on->attachment.ready()) on->load_event = LoadEvent::either;
    // Page.frameNavigated answers it with its loader, unless it passed before Chrome knew that somebody listens.
    if (!enabled(*on, "Page")) return answer_navigating(*on);
    if (on->navigating.empty()) return;
    timers.after(told_by_chrome, [this, id = on->info.id, begun = last_flight] {
      auto* const still = target(id);
      if (still && !still->navigating.empty() && still->navigating.front().number <= begun) answer_navigating(*still);
    });
    return;
  }
  if (attached && name == "onCompleted" && on->load_event == LoadEvent::either) {
    on->load_event = LoadEvent::told;
    auto const now = std::to_string(static_cast<double>(clock.now().mono) / 1000);
    spread(*on, "Page.loadEventFired", R"({"timestamp":)" + now + "}");
  }
  if (attached) return;
  if (name == "onCommitted") {
    if (on->attachment.revived()) return attach_now(*on);
    // A new tab's first page was told with the tab.
    if (std::exchange(on->fresh, false) && text_in(details, "url") == on->info.url) return;
    // What is being attached is compared with what was told once it is; or this is told, once Chrome refuses it.
    if (!on->attachment.loose()) {
      on->committed = text_in(details, "url");
      on->load_event = LoadEvent::either;
      return;
    }
    navigated_unattached(*on, text_in(details, "url"));
  } else if (name == "onDOMContentLoaded") {
    loaded_unattached(*on, "DOMContentLoaded");
  } else if (name == "onCompleted") {
    loaded_unattached(*on, "load");
  }
}

}  // namespace any::cdp
