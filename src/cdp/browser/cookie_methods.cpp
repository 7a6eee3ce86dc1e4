// Storage.getCookies, setCookies, clearCookies and Network.clearBrowserCookies, from chrome.cookies.
//
// Clearing: in the person's profile only those cookies go that the same client has made (one that it has merely set
// again as it was is the person's: Playwright clears all and sets again what shall stay), unless the client came with
// Entry::clear_profile. In an incognito context of the client's own all of them go.

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

std::string store_of(bool incognito) {
  return incognito ? "1" : "0";  // Chrome has these two
}

std::string all_of(std::string_view store) {
  return json::serialize(json::array{json::object{{"storeId", store}, {"partitionKey", json::object()}}});
}

json::array cookies_in(Answer const& answer) {
  auto read = answer ? wire::parse_strict(*answer, {256}) : wire::parse_strict("[]");
  return read && read->is_array() ? std::move(read->get_array()) : json::array();
}

/// The argument of chrome.cookies.set as chrome.cookies.getAll would give the cookie.
json::object as_told(json::object cookie) {
  if (cookie.contains("domain")) return cookie;
  auto const url = text_in(cookie, "url");
  auto const from = url.find("://") + 3;
  cookie["domain"] = url.substr(from, url.find('/', from) - from);
  return cookie;
}

/// One answer for many calls: the first failure, or {}.
struct Gathered {
  std::size_t left = 0;
  std::optional<Failure> failed;
};

}  // namespace

bool Gateway::Impl::cookie_method(Session& by, Command const& command) {
  bool const get = command.method == "Storage.getCookies", set = command.method == "Storage.setCookies";
  bool const clear = command.method == "Storage.clearCookies" || command.method == "Network.clearBrowserCookies";
  if (!get && !set && !clear) return false;
  Params params(command.params);
  auto const rows = set ? params.list("cookies") : json::array();
  if (params.has("browserContextId") && by.kind == Session::Kind::target) {
    fail(command.ticket, {code::bad_params, "browserContextId is only allowed for Browser target"});
    return true;
  }
  auto const meant = context_meant(by, params);
  if (!meant) {
    fail(command.ticket, meant.error());
    return true;
  }
  auto const* made = context(*meant);
  auto const store = store_of(incognito_context(*meant));
  std::vector<json::object> cookies;
  for (auto const& row : rows) {
    if (!row.is_object()) {
      fail(command.ticket, bad_params("Failed to deserialize params.cookies - CBOR: map start expected"));
      return true;
    }
    Params cookie(row.get_object(), "params.cookies");
    auto read = chrome_cookie(cookie, store);
    if (!read) {
      fail(command.ticket, read.error());
      return true;
    }
    cookies.push_back(std::move(*read));
  }
  if (put_off(command)) return true;
  // An incognito context without a window has no cookies.
  bool const bare = made && made->incognito && tabs_of(*made).empty();
  if (get && bare) {
    reply(command.ticket, R"({"cookies":[]})");
  } else if (get) {
    transport.chrome("cookies.getAll", all_of(store), [this, ticket = command.ticket](Answer const& answer) {
      if (!answer) return fail(ticket, answer.error());
      json::array told;
      for (auto const& row : cookies_in(answer)) {
        if (row.is_object()) told.emplace_back(cdp_cookie(row.get_object()));
      }
      reply(ticket, json::serialize(json::object{{"cookies", std::move(told)}}));
    });
  } else if (clear && bare) {
    reply(command.ticket, "{}");
  } else if (clear) {
    clear_cookies(command.ticket, *meant);
  } else if (cookies.empty()) {
    reply(command.ticket, "{}");
  } else if (bare) {
    auto then = [this, ticket = command.ticket, context = *meant, cookies = std::move(cookies)](Answer const& window) {
      window ? set_cookies(ticket, context, cookies) : fail(ticket, window.error());
    };
    need_incognito_window(*meant, std::move(then));
  } else {
    set_cookies(command.ticket, *meant, std::move(cookies));
  }
  return true;
}

void Gateway::Impl::set_cookies(Ticket const& ticket, std::string context, std::vector<json::object> cookies) {
  auto const store = store_of(incognito_context(context));
  // What is there already, so as to know which cookies are the client's own.
  transport.chrome("cookies.getAll", all_of(store), [this, ticket, cookies = std::move(cookies)](Answer const& answer) {
    if (!answer) return fail(ticket, answer.error());
    std::map<CookieKey, std::string> there;
    for (auto const& row : cookies_in(answer)) {
      if (row.is_object()) there.emplace(cookie_key(row.get_object()), text_in(row.get_object(), "value"));
    }
    auto gathered = std::make_shared<Gathered>();
    gathered->left = cookies.size();
    for (auto const& cookie : cookies) {
      auto record = as_told(cookie);
      auto const old = there.find(cookie_key(record));
      bool const own = old == there.end() || old->second != text_in(cookie, "value");
      transport.chrome("cookies.set", json::serialize(json::array{cookie}),
                       [this, ticket, gathered, own, record = std::move(record)](Answer const& set) {
                         if (!set && !gathered->failed) {
                           gathered->failed =
                               set.error().code == link_lost
                                   ? set.error()
                                   : Failure{code::bad_params, "Invalid cookie fields", set.error().message};
                         }
                         if (set && own && clients.contains(ticket.client)) {
                           clients_cookies.note(ticket.client, cookie_key(record), deletion_of(record));
                         }
                         if (--gathered->left > 0) return;
                         gathered->failed ? fail(ticket, *gathered->failed) : reply(ticket, "{}");
                       });
    }
  });
}

void Gateway::Impl::set_cookies_by_page(Session const& by, Target& on, Command const& command) {
  auto const store = store_of(incognito_context(on.info.context));
  auto const said = object_of(command.params);
  json::array one{said};
  auto const* many = said.if_contains("cookies");
  OwnCookies made;
  for (auto const& row : many && many->is_array() ? many->get_array() : one) {
    if (!row.is_object()) continue;
    Params cookie(row.get_object(), "params");
    if (auto const read = chrome_cookie(cookie, store)) {
      auto const record = as_told(*read);
      made.emplace(cookie_key(record), deletion_of(record));
    }
  }
  pass(on, command.ticket, command.method, command.params,
       [this, client = by.client, made = std::move(made)](Answer const& answer) -> std::optional<std::string> {
         if (answer && clients.contains(client)) clients_cookies.note(client, made);
         return std::nullopt;
       });
}

void Gateway::Impl::clear_cookies(Ticket const& ticket, std::string const& of) {
  auto const store = store_of(incognito_context(of));
  auto const* made = context(of);
  auto const* owner = client(ticket.client);
  bool const all = (made && made->incognito && made->client == ticket.client) || (owner && owner->entry.clear_profile);
  auto remove = [this, ticket](std::vector<json::object> const& deletions) {
    if (deletions.empty()) return reply(ticket, "{}");
    auto gathered = std::make_shared<Gathered>();
    gathered->left = deletions.size();
    for (auto const& deletion : deletions) {
      transport.chrome("cookies.set", json::serialize(json::array{deletion}),
                       [this, ticket, gathered](Answer const& gone) {
                         if (!gone && !gathered->failed) gathered->failed = gone.error();
                         if (--gathered->left > 0) return;
                         gathered->failed ? fail(ticket, *gathered->failed) : reply(ticket, "{}");
                       });
    }
  };
  if (all) {
    transport.chrome("cookies.getAll", all_of(store), [this, ticket, remove](Answer const& answer) {
      if (!answer) return fail(ticket, answer.error());
      std::vector<json::object> deletions;
      for (auto const& row : cookies_in(answer)) {
        if (row.is_object()) deletions.push_back(deletion_of(row.get_object()));
      }
      remove(deletions);
    });
    return;
  }
  remove(clients_cookies.take(ticket.client, store));
}

}  // namespace any::cdp
