// The registry's side of a link: which browser it is, and what is kept of it.

#include "base/ids.hpp"
#include "base/log.hpp"
#include "browser/registry.hpp"

namespace any::browser {

namespace {
constexpr Millis probe = 2'000;        // for a live link to answer when another claims its id
constexpr Millis write_each = 60'000;  // last_seen of a linked browser
}  // namespace

Result<std::string> Registry::key_of_other_user(Begin const& begin) const {
  auto secret = options_.installation_secret && !begin.installation.empty()
                    ? options_.installation_secret(begin.installation)
                    : std::nullopt;
  if (secret) return installation_key(*secret, begin.browser);
  return Error{ErrorName::UnauthorizedError,
               "This browser runs as another user than the daemon, and its extension is not one that the daemon's user "
               "gave out. As the daemon's user run `ANY_STATE_DIR=" +
                   options_.state_dir +
                   " any extension DIR`, give DIR to the browser's user (chown -R), and load it in the browser."};
}

Result<Handshake> Registry::begin_handshake(Begin begin, bool own_user) {
  if (!own_user) {
    // Whatever this caller says, another user can say: no key is told, and of what is kept for that browser nothing
    // counts, so that nobody in between gets a proof out of us that the person's own browser would believe.
    auto key = key_of_other_user(begin);
    if (!key) return key.error();
    begin.has_key = true;
    return Handshake::begin(std::move(begin), std::move(*key), {});
  }
  auto const* before = known(begin.browser);
  // One seed a run: a browser that comes at two addresses at once gets the same key at both, and nothing need be
  // remembered of whoever says no hello.
  auto new_key = hmac_base64(key_seed_, "key|" + begin.browser);
  return Handshake::begin(std::move(begin), before ? before->row.key : std::string(), std::move(new_key));
}

Async<Result<void>> Registry::keep_key(std::string id, std::string key) {
  auto const* before = known(id);
  if (before && before->row.key == key) co_return Result<void>();
  if (before && !before->row.key.empty()) {
    co_return Error{ErrorName::UnauthorizedError,
                    "The browser " + id + " was forgotten and met anew meanwhile; link it again."};
  }
  store::BrowserRow row = before ? before->row : store::BrowserRow{};
  row.id = id;
  row.key = key;
  if (row.first_seen == 0) row.first_seen = clock_.now().wall;
  async::OneShot<Result<void>> const put(io_.get_executor());
  journal_.put_browser(row, true, put.setter());
  auto const written = co_await put.get();
  if (!written) co_return written.error();
  Known& browser = known_[id];
  browser.info.id = browser.row.id = id;
  browser.row.key = std::move(key);
  browser.row.first_seen = row.first_seen;
  log::info("first handshake: a key was exchanged", {.browser = id});
  co_return Result<void>();
}

Async<bool> Registry::answers(std::string id) {
  auto* link = link_of(id);
  if (!link) co_return false;
  async::OneShot<bool> const alive(io_.get_executor());
  auto answered = [alive](Result<std::string_view> const& said) { alive.set(said.has_value()); };
  link->request("link.ping", "{}", probe, std::move(answered));
  co_return co_await alive.get();
}

Async<Result<Welcome>> Registry::welcome(Handshake const& handshake, Hello const& hello, std::string const& address) {
  if (stopped_) co_return Error{ErrorName::UnavailableError, "The daemon is shutting down."};
  std::string id = handshake.said().browser;
  auto const kept = co_await keep_key(id, handshake.key());
  if (!kept) co_return kept.error();
  while (auto* other = link_of(id)) {
    if (other->instance() == hello.instance) {
      other->drop("a newer link of the same browser took its place");
    } else if (co_await answers(id)) {
      // Two profiles, one of them a copy: the newer gets a name of its own and keeps the key it has.
      auto const copied = id;
      id = make_uuid();
      auto const renamed = co_await keep_key(id, handshake.key());
      if (!renamed) co_return renamed.error();
      log::info("a copied profile: it had the id of " + copied + ", which is linked", {.browser = id});
      break;
    } else if (auto* still = link_of(id); still == other) {
      other->drop("the same browser came back, and this link answered no more");
    }
  }
  Known& browser = known_[id];
  auto const now = clock_.now().wall;
  browser.own_label = hello.label;
  if (!browser.row.label_by_person && !hello.label.empty()) browser.row.label = hello.label;
  browser.row.id = id;
  browser.row.product = hello.product;
  browser.row.platform = hello.platform;
  browser.row.extension = handshake.said().version;
  browser.row.proxy = hello.proxy;
  Info& info = browser.info;
  info = {.id = id,
          .label = browser.row.label,
          .product = hello.product,
          .platform = hello.platform,
          .user_agent = hello.user_agent,
          .extension = handshake.said().version,
          .protocol = handshake.said().protocol,
          .paused = hello.paused,
          .capabilities = hello.capabilities,
          .since = now,
          .last_seen = now,
          .used = std::max(info.used, browser.row.last_seen),
          .address = address,
          .ordinary_tabs = hello.ordinary_tabs,
          .proxy = hello.proxy,
          .installation = handshake.said().installation};
  co_return Welcome{id, info.label};
}

void Registry::linked(std::string const& id, LinkedBrowser& link, Hello const& hello) {
  Known* browser = known(id);
  if (!browser) return;
  if (browser->link) browser->link->drop("a newer link of the same browser took its place");
  browser->link = &link;
  browser->info.linked = true;
  write_later(*browser);
  log::info(
      "linked: " + browser->info.product + (browser->info.label.empty() ? "" : " \"" + browser->info.label + "\""),
      {.browser = id});
  Info const info = browser->info;
  events_->up(state_of(*browser), hello.instance, hello.holds);
  cdp_events_->link_up(info);
  arrivals_.tell_all(info);
  if (on_linked_) on_linked_(info);
}

void Registry::ended(std::string const& id, LinkedBrowser& link, std::string_view why) {
  Known* browser = known(id);
  if (!browser || browser->link != &link) return;
  browser->link = nullptr;
  browser->info.linked = false;
  browser->info.since.reset();
  browser->info.address.clear();
  browser->info.last_seen = clock_.now().wall;
  if (!stopped_) log::info("the link has ended", {.browser = id});
  write_later(*browser);
  events_->down(id);
  cdp_events_->link_down(id, why);
}

void Registry::updated(std::string const& id, Update const& update) {
  Known* browser = known(id);
  if (!browser) return;
  Info& info = browser->info;
  if (update.paused) info.paused = *update.paused;
  if (update.capabilities) info.capabilities = *update.capabilities;
  if (update.proxy && *update.proxy != browser->row.proxy) {
    // Written at once: it may be the last that is heard of this browser.
    browser->row.proxy = *update.proxy;
    write_later(*browser);
  }
  if (update.proxy) info.proxy = *update.proxy;
  if (update.ordinary_tabs) info.ordinary_tabs = *update.ordinary_tabs;
  if (update.used) {
    // Two may be used within a millisecond, and a clock may be set back: the last one stands behind all others.
    info.used = clock_.now().wall;
    for (auto const& [other, each] : known_) {
      if (other != id) info.used = std::max(info.used, each.info.used + 1);
    }
  }
  if (update.label) {
    browser->own_label = *update.label;
    if (!browser->row.label_by_person && browser->row.label != *update.label) {
      browser->row.label = info.label = *update.label;
      write_later(*browser);
    }
  }
  events_->changed(state_of(*browser));
  if (browser->link) cdp_events_->changed(info);
}

void Registry::heard(std::string const& id) {
  Known* browser = known(id);
  if (browser && clock_.now().wall - browser->written >= write_each) write_later(*browser);
}

bool Registry::line(std::string const& id, std::int64_t n, Millis wall) {
  Known* browser = known(id);
  if (!browser) return true;
  // The browser says a line again until it has our answer; its numbers start anew when its storage was cleared.
  if (n <= browser->last_line && wall <= browser->last_line_wall) return false;
  browser->last_line = n;
  browser->last_line_wall = wall;
  return true;
}

task::BrowserState Registry::state_of(Known const& browser) const {
  Info const& info = browser.info;
  return {.id = info.id,
          .label = info.label,
          .kind = info.prototype ? task::BrowserKind::prototype : task::BrowserKind::any,
          .paused = info.paused,
          .user_scripts = info.capabilities.user_scripts,
          .debugger = info.capabilities.debugger,
          .used = info.used};
}

void Registry::write_later(Known& browser) {
  auto const now = clock_.now().wall;
  browser.row.last_seen = now;
  browser.written = now;
  journal_.put_browser(browser.row, false, nullptr);
}

}  // namespace any::browser
