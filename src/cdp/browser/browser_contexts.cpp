// Browser contexts, and the tabs made in them. A context is the profile; or Chrome's incognito profile, of which there
// is one; or, for clients that came with Entry::group_contexts, a tab group of the profile.

#include "base/ids.hpp"
#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

std::string make_context_id() {
  auto id = sha256_hex(make_uuid()).substr(0, 32);
  for (auto& c : id) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return id;
}

/// What chrome.tabs would take for a path below the extension, or "repair", is an empty page in CDP.
std::string whole_url(std::string url) {
  auto const colon = url.find(':');
  bool const scheme = colon != url.npos && colon > 0 && std::isalpha(static_cast<unsigned char>(url[0])) &&
                      url.find_first_of(" \t\r\n/?#") > colon;
  return scheme && !url.starts_with("javascript:") ? url : "about:blank";
}

std::string args(json::array list) {
  return json::serialize(list);
}

}  // namespace

bool Gateway::Impl::incognito_context(std::string_view id) const {
  auto const* const made = contexts.find(id);
  return made ? made->incognito : id != default_context;
}

std::set<TabId> Gateway::Impl::tabs_of(BrowserContext const& of) const {
  std::set<TabId> its;
  for (bool more = true; std::exchange(more, false);) {
    for (auto const& [id, tab] : tabs) {
      if (its.contains(id) || tab.incognito != of.incognito) continue;
      bool in = of.tabs.contains(id) || (of.incognito && of.window >= 0 && tab.window == of.window) ||
                (!of.incognito && of.group >= 0 && tab.group == of.group);
      auto const* const on = target(tab.target);
      if (!in && on && !on->info.opener.empty()) {
        auto const* const opener = target(on->info.opener);
        in = opener && its.contains(opener->debuggee.tab);
      }
      if (in) more = its.insert(id).second || more;
    }
  }
  return its;
}

void Gateway::Impl::create_context(Session& by, Command const& command, json::object const&) {
  Params params(command.params);
  auto const proxy = params.maybe_text("proxyServer").value_or("");
  params.flag("disposeOnDetach");  // a context goes with its client in any case
  if (params.wrong()) return fail(command.ticket, *params.wrong());
  if (put_off(command)) return;
  if (!proxy.empty()) {
    return fail(
        command.ticket,
        {code::server_error, "A browser context cannot have a proxy of its own here: the person's browser has one."});
  }
  auto const* owner = client(by.client);
  BrowserContext made{.id = make_context_id(), .client = by.client};
  made.incognito = !owner || !owner->entry.group_contexts;
  if (made.incognito) {
    auto const refuse = [&](std::string why) {
      fail(command.ticket, {code::server_error, "Failed to create browser context: " + why +
                                                    " (Or connect with ?context=default: a context is then a tab group "
                                                    "of the person's own profile.)"});
    };
    if (!facts.incognito) {
      return refuse(
          "it is an incognito window, and the extension may not see those. Open chrome://extensions, \"any\", Details, "
          "and switch on \"Allow in Incognito\".");
    }
    if (contexts.has_incognito()) {
      return refuse("Chrome has one incognito profile, and another context has it. Dispose of that one first.");
    }
    if (tabs.has_incognito()) {
      return refuse("Chrome has one incognito profile, and an incognito window is open. Close it first.");
    }
  }
  auto const& added = contexts.add(std::move(made));
  reply(command.ticket, R"({"browserContextId":")" + added.id + R"("})");
}

void Gateway::Impl::dispose_context(std::string id, Answered done) {
  auto const* going = context(id);
  if (!going) {
    timers.after(0, [id, done = std::move(done)] {
      done(Failure{code::server_error, "Failed to find context with id " + id});
    });
    return;
  }
  if (!link.known()) {
    when_known.push_back([this, id, done = std::move(done)] { dispose_context(id, done); });
    return;
  }
  auto const its = tabs_of(*going);
  auto const forget = [this, id] {
    contexts.remove(id);
    downloads.context_gone(id);
    hear_downloads();
  };
  auto const owner = going->client;
  take_back_grants(owner, id, [](Answer const&) {});
  if (its.empty()) {
    forget();
    timers.after(0, [done = std::move(done)] { done("{}"); });
    return;
  }
  json::array ids;
  for (auto const tab : its) {
    ids.emplace_back(tab);
    if (auto* const on = target_of(tab)) on->closing = true;
  }
  json::array one_list;
  one_list.emplace_back(std::move(ids));
  transport.chrome("tabs.remove", args(std::move(one_list)),
                   [this, its, forget, done = std::move(done)](Answer const& answer) {
                     if (!answer) {
                       for (auto const tab : its) {
                         if (auto* const still = target_of(tab)) still->closing = false;
                       }
                       return done(answer.error());
                     }
                     for (auto const tab : its) tab_removed(tab);
                     forget();
                     done("{}");
                   });
}

void Gateway::Impl::create_target(Session& by, Command const& command, json::object const&) {
  Params params(command.params);
  auto url = whole_url(params.text("url"));
  json::object place;
  for (std::string_view const side : {"left", "top", "width", "height"}) {
    if (auto const value = params.maybe_whole(side)) place[side] = *value;
  }
  auto const state = params.maybe_text("windowState").value_or("");
  auto const named = params.maybe_text("browserContextId");
  bool const background = params.flag("background"), new_window = params.flag("newWindow");
  bool const hidden = params.flag("hidden"), for_tab = params.flag("forTab"), focus = params.flag("focus");
  auto const refuse = [&](Failure const& why) { fail(command.ticket, why); };
  if (params.wrong()) return refuse(*params.wrong());
  if (!state.empty() && state != "normal" && state != "minimized" && state != "maximized" && state != "fullscreen") {
    return refuse(bad_params("params.windowState - unknown window state: " + state));
  }
  if (!new_window && (place.contains("left") || place.contains("top"))) {
    return refuse({code::bad_params, "Target position can only be set for new windows"});
  }
  if (!new_window && !state.empty()) {
    return refuse({code::bad_params, "Target window state can only be set for new windows"});
  }
  if (!state.empty() && state != "normal" && !place.empty()) {
    return refuse({code::bad_params,
                   "The 'minimized', 'maximized' and 'fullscreen' states cannot be combined with 'left', 'top', "
                   "'width' or 'height'"});
  }
  if (hidden && new_window) return refuse({code::server_error, "Hidden target cannot be created in a new window"});
  if (hidden && for_tab) return refuse({code::server_error, "Hidden target cannot be created for tab"});
  if (put_off(command)) return;
  auto const meant = context_meant(by, params);
  if (!meant) return refuse({code::server_error, "Failed to find browser context with id " + named.value_or("")});
  if (hidden) return create_hidden(by, command.ticket, std::move(url), *meant);

  json::object wish{{"url", url}, {"active", !background}};
  if (new_window) {
    if (!state.empty()) place["state"] = state;
    // Chrome refuses a window that is maximized and not in front.
    if (state != "maximized" && state != "fullscreen") place["focused"] = focus && state != "minimized";
    wish["window"] = place;
  }
  // Whoever holds new targets until it has set them up sees this one's page from its first request on.
  bool held = false;
  for (auto const& [number, other] : clients) {
    for (auto const& [name, session] : other.sessions()) {
      held = held || (session->kind == Session::Kind::browser && session->auto_attach.on && session->auto_attach.wait &&
                      session->auto_attach.filter.lets("page"));
    }
  }
  held = held && url != "about:blank";
  if (held) wish["url"] = "about:blank";
  new_tabs.begin_making();
  make_tab(*meant, std::move(wish),
           [this, ticket = command.ticket, context = *meant, for_tab, focus, held, url](Answer const& answer) {
             new_tabs.end_making();
             if (!answer) return fail(ticket, answer.error());
             auto const tab = object_of(*answer);
             auto const id = number_in(tab, "id").value_or(-1);
             if (focus) {
               transport.chrome("windows.update",
                                args({number_in(tab, "windowId").value_or(-1), json::object{{"focused", true}}}),
                                [](Answer const&) {});
             }
             auto told = [this, ticket, for_tab](Target& made) {
               auto const& name = made.info.id;
               reply(ticket, R"({"targetId":")" + (for_tab ? tab_target_id(name) : name) + R"("})");
             };
             if (auto* const there = target_of(id)) {
               if (held) transport.chrome("tabs.update", args({id, json::object{{"url", url}}}), [](Answer const&) {});
               return told(*there);
             }
             if (held) new_tabs.go_later(id, url);
             new_tabs.wait_for(id, {std::move(told), [this, ticket](Failure const& why) { fail(ticket, why); }});
             tab_made(context, tab);
             tab_opened_for(ticket.client, id, context);
           });
}

void Gateway::Impl::create_tab(std::string url,
                               std::function<void(boost::system::result<Listed, Failure> const&)> done) {
  new_tabs.begin_making();
  json::object wish{{"url", whole_url(std::move(url))}, {"active", true}};
  make_tab(default_context, std::move(wish), [this, done = std::move(done)](Answer const& answer) {
    new_tabs.end_making();
    if (!answer) return done(answer.error());
    auto const tab = object_of(*answer);
    auto const id = number_in(tab, "id").value_or(-1);
    auto told = [done](Target& made) {
      done(Listed{.id = made.info.id, .type = "page", .title = made.info.title, .url = made.info.url});
    };
    if (auto* const there = target_of(id)) return told(*there);
    new_tabs.wait_for(id, {std::move(told), done});
    tab_made(default_context, tab);
  });
}

void Gateway::Impl::make_tab(std::string context_id, json::object wish, Answered done) {
  auto* const made = context(context_id);
  auto known_window = std::int64_t{-1};
  if (made) {
    auto const its = tabs_of(*made);
    if (made->incognito && its.contains(made->spare) && !wish.contains("window")) {
      auto const spare = std::exchange(made->spare, -1);
      find_targets_of_new_tabs();  // from now on it is a page that clients see
      // It shows about:blank: sent there once more, it would come there in the midst of what its client does next.
      if (wish.at("url") == "about:blank") return transport.chrome("tabs.get", args({spare}), std::move(done));
      return transport.chrome("tabs.update", args({spare, json::object{{"url", wish.at("url")}}}), std::move(done));
    }
    for (auto const tab : its) known_window = tabs.find(tab)->window;
  }
  if (wish.contains("window")) return make_window(std::move(context_id), std::move(wish), std::move(done));
  if (known_window >= 0) return make_tab_in(std::move(context_id), known_window, std::move(wish), std::move(done));
  if (incognito_context(context_id)) {
    for (auto const& [id, tab] : tabs) {  // the person's own incognito windows, named by their context
      if (!made && tab.incognito)
        return make_tab_in(std::move(context_id), tab.window, std::move(wish), std::move(done));
    }
    return make_window(std::move(context_id), std::move(wish), std::move(done));
  }
  // chrome.tabs.create by itself would take an incognito window too, where that is the last one used.
  auto const normal = args({json::object{{"windowTypes", json::array{"normal"}}}});
  transport.chrome("windows.getLastFocused", normal,
                   [this, normal, context_id, wish = std::move(wish), done = std::move(done)](Answer const& last) {
                     auto const usable = [](json::object const& window) {
                       return text_in(window, "type") == "normal" && !flag_in(window, "incognito");
                     };
                     if (last) {
                       auto const window = object_of(*last);
                       if (usable(window)) {
                         return make_tab_in(context_id, number_in(window, "id").value_or(-1), wish, done);
                       }
                     } else if (last.error().code == link_lost) {
                       return done(last);
                     }
                     transport.chrome(
                         "windows.getAll", normal, [this, usable, context_id, wish, done](Answer const& all) {
                           auto const read = all ? wire::parse_strict(*all, {256}) : wire::parse_strict("[]");
                           for (auto const& row : read && read->is_array() ? read->get_array() : json::array()) {
                             if (!row.is_object() || !usable(row.get_object())) continue;
                             return make_tab_in(context_id, number_in(row.get_object(), "id").value_or(-1), wish, done);
                           }
                           make_window(context_id, wish, done);
                         });
                   });
}

void Gateway::Impl::make_tab_in(std::string context_id, std::int64_t window, json::object wish, Answered done) {
  json::object const create{{"windowId", window}, {"url", wish.at("url")}, {"active", wish.at("active")}};
  transport.chrome("tabs.create", args({create}),
                   [this, context_id, wish, done = std::move(done)](Answer const& answer) {
                     // The window may have been closed just now.
                     if (answer || answer.error().message.find("No window with id") == std::string::npos)
                       return done(answer);
                     make_window(context_id, wish, done);
                   });
}

void Gateway::Impl::make_window(std::string context_id, json::object wish, Answered done) {
  json::object create{{"url", wish.at("url")}, {"focused", false}};
  if (auto const* place = wish.if_contains("window")) {
    create.erase("focused");
    for (auto const& [key, value] : place->get_object()) create[key] = value;
  }
  if (incognito_context(context_id)) create["incognito"] = true;
  transport.chrome("windows.create", args({create}),
                   [this, context_id, create, done = std::move(done)](Answer const& answer) {
                     if (!answer) return done(answer);
                     auto const window = object_of(*answer);
                     if (auto* const made = context(context_id)) made->window = number_in(window, "id").value_or(-1);
                     auto const* list = window.if_contains("tabs");
                     if (!list || !list->is_array() || list->get_array().empty()) {
                       return done(Failure{code::server_error, "Chrome has made a window without a tab in it."});
                     }
                     auto tab = json::serialize(list->get_array()[0]);
                     // A browser started with --window-size gives every new window that size, whatever it was asked
                     // for.
                     json::object other;
                     for (std::string_view const side : {"width", "height"}) {
                       auto const* wanted = create.if_contains(side);
                       if (wanted && window.contains(side) && *wanted != window.at(side)) other[side] = *wanted;
                     }
                     if (other.empty()) return done(std::string_view(tab));
                     transport.chrome("windows.update", args({number_in(window, "id").value_or(-1), std::move(other)}),
                                      [tab = std::move(tab), done](Answer const&) { done(std::string_view(tab)); });
                   });
}

void Gateway::Impl::need_incognito_window(std::string context_id, Answered done) {
  json::object wish{{"url", "about:blank"}};
  new_tabs.begin_making();
  make_window(context_id, std::move(wish), [this, context_id, done = std::move(done)](Answer const& answer) {
    new_tabs.end_making();
    if (!answer) return done(answer);
    auto const tab = object_of(*answer);
    if (auto* const made = context(context_id)) made->spare = number_in(tab, "id").value_or(-1);
    tab_made(context_id, tab);
    done("{}");
  });
}

void Gateway::Impl::keep_profile_of(TabId closing, std::function<void()> then) {
  // Chrome drops the incognito profile, its cookies and storage, with its last tab; a context lives until it is
  // disposed of.
  for (auto const& made : contexts) {
    auto const its = tabs_of(made);
    if (!made.incognito || its.size() != 1 || !its.contains(closing)) continue;
    json::object const wish{{"windowId", made.window}, {"url", "about:blank"}, {"active", false}};
    new_tabs.begin_making();
    transport.chrome("tabs.create", args({wish}), [this, id = made.id, then = std::move(then)](Answer const& answer) {
      new_tabs.end_making();
      auto* const here = context(id);
      if (answer && here) {
        auto const tab = object_of(*answer);
        here->spare = number_in(tab, "id").value_or(-1);
        tab_made(id, tab);
      }
      then();
    });
    return;
  }
  then();
}

void Gateway::Impl::tab_made(std::string const& context_id, json::object const& tab) {
  auto const id = number_in(tab, "id").value_or(-1);
  if (auto* const made = context(context_id)) {
    made->tabs.insert(id);
    made->window = number_in(tab, "windowId").value_or(made->window);
  }
  tab_created(tab);
  opener_known(id);
}

void Gateway::Impl::tab_opened_for(ClientId, TabId tab, std::string context_id) {
  auto const* const made = context(context_id);
  auto const* const at = tabs.find(tab);
  if (!made || made->incognito || !at) return;
  json::object wish{{"tabIds", tab}};
  bool const joins = made->group >= 0;
  if (joins) {
    wish["groupId"] = made->group;
  } else {
    wish["createProperties"] = json::object{{"windowId", at->window}};
  }
  transport.chrome("tabs.group", args({wish}), [this, tab, context_id, joins](Answer const& answer) {
    auto* const still = context(context_id);
    if (!still) return;
    if (!answer) {
      if (!joins || answer.error().code == link_lost) return;
      still->group = -1;  // the group went with its last tab
      return tab_opened_for(still->client, tab, context_id);
    }
    auto const read = wire::parse_strict(*answer);
    if (!read || !read->is_int64() || joins) return;
    still->group = read->get_int64();
    transport.chrome("tabGroups.update", args({still->group, json::object{{"title", "any"}}}), [](Answer const&) {});
  });
}

void Gateway::Impl::inherit_context(TabId tab, TabId opener) {
  if (auto const* const made = contexts.inherit(tab, opener)) tab_opened_for(made->client, tab, made->id);
}

void Gateway::Impl::tab_never_told(TabId tab) {
  new_tabs.take_url(tab);
  for (auto const& each : new_tabs.take_waiting(tab)) {
    each.never({code::server_error, "The new tab was closed before it could be used."});
  }
}

void Gateway::Impl::go_to_pending_url(Target& on) {
  if (on.pending_url.empty()) return;
  auto const url = std::exchange(on.pending_url, {});
  transport.chrome("tabs.update", args({on.debuggee.tab, json::object{{"url", url}}}), [](Answer const&) {});
}

}  // namespace any::cdp
