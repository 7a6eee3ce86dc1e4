#include "browser/registry.hpp"

#include "async/post.hpp"
#include "base/guard.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "browser/prototype.hpp"

namespace any::browser {

namespace {

Error not_found(std::string_view name) {
  return {ErrorName::NotFoundError,
          "There is no browser with the id or label \"" + std::string(name) + "\"; `any browsers` lists them."};
}

Error not_linked(Info const& info) {
  return {ErrorName::NoBrowserError, "The browser \"" + (info.label.empty() ? info.id : info.label) +
                                         "\" is not linked now (last seen " + iso_time(info.last_seen) +
                                         "); start it, or see `any doctor`."};
}

}  // namespace

Registry::Registry(boost::asio::io_context& io, Clock const& clock, store::Journal& journal, RegistryOptions options,
                   std::vector<store::BrowserRow> rows)
    : io_(io),
      clock_(clock),
      journal_(journal),
      options_(std::move(options)),
      arrivals_(io.get_executor()),
      key_seed_(random_base64(32)) {
  for (auto& row : rows) {
    auto id = row.id;
    Known known;
    known.info.id = id;
    known.info.label = row.label;
    known.info.product = row.product;
    known.info.platform = row.platform;
    known.info.extension = row.extension;
    known.info.last_seen = row.last_seen;
    known.info.proxy = row.proxy;
    known.row = std::move(row);
    known_.emplace(std::move(id), std::move(known));
  }
}

Registry::~Registry() = default;

void Registry::stop() {
  stopped_ = true;
  std::vector<LinkedBrowser*> links;
  for (auto& [id, browser] : known_) {
    if (browser.link) links.push_back(browser.link);
  }
  for (auto* link : links) link->drop("the daemon is shutting down");
  arrivals_.tell_all(Info{});
}

Millis Registry::last_seen() const {
  Millis newest = 0;
  for (auto const& [id, browser] : known_) {
    newest = std::max(newest, browser.link ? clock_.now().wall : browser.info.last_seen);
  }
  return newest;
}

Registry::Known* Registry::known(std::string_view id) {
  auto const found = known_.find(id);
  return found == known_.end() ? nullptr : &found->second;
}

Registry::Known const* Registry::known(std::string_view id) const {
  auto const found = known_.find(id);
  return found == known_.end() ? nullptr : &found->second;
}

std::vector<Info> Registry::list() const {
  std::vector<Info> all;
  all.reserve(known_.size());
  auto const now = clock_.now().wall;
  for (auto const& [id, browser] : known_) {
    if (browser.info.extension.empty() && !browser.link) continue;  // began to link, but never said hello
    all.push_back(browser.info);
    if (browser.link) all.back().last_seen = now;
  }
  return all;
}

Result<Info> Registry::find(std::string_view id_or_label) const {
  if (auto const* by_id = known(id_or_label)) return by_id->info;
  Known const* found = nullptr;
  for (auto const& [id, browser] : known_) {
    if (browser.info.label != id_or_label) continue;
    if (!found || (browser.link && !found->link)) found = &browser;
  }
  if (!found) return not_found(id_or_label);
  return found->info;
}

Async<Result<Info>> Registry::wait_for_any(Millis wait) {
  auto const none = Error{ErrorName::NoBrowserError,
                          "No browser is linked; load the extension (`any extension`), or see `any doctor`."};
  Known const* newest = nullptr;
  for (auto const& [id, browser] : known_) {
    if (!browser.link || browser.info.prototype) continue;
    if (!newest || browser.info.used > newest->info.used) newest = &browser;
  }
  if (newest) co_return newest->info;
  if (wait <= 0 || stopped_) co_return none;
  auto info = co_await arrivals_.wait({}, wait);
  if (!info || info->id.empty()) co_return none;
  co_return std::move(*info);
}

Async<Result<Info>> Registry::set_label(std::string id, std::string label) {
  auto const info = find(id);
  if (!info) co_return info.error();
  Known* browser = known(info->id);
  if (browser->info.prototype) co_return not_found(id);
  for (auto const& [other, each] : known_) {
    if (label.empty() || other == info->id || each.row.label != label) continue;
    co_return Error{ErrorName::ConflictError, "The browser " + other + " has the label \"" + label +
                                                  "\" already; choose another, or give that one another first."};
  }
  // Taken before it is on disk, so that no two can get the same one meanwhile.
  auto const before = browser->row;
  browser->row.label_by_person = !label.empty();
  browser->row.label = label.empty() ? browser->own_label : std::move(label);
  async::OneShot<Result<void>> const put(io_.get_executor());
  journal_.put_browser(browser->row, true, put.setter());
  auto const written = co_await put.get();
  browser = known(before.id);
  if (!written) {
    if (browser) browser->row.label = before.label;
    if (browser) browser->row.label_by_person = before.label_by_person;
    co_return written.error();
  }
  if (!browser) co_return not_found(id);
  browser->info.label = browser->row.label;
  if (browser->link) {
    events_->changed(state_of(*browser));
    cdp_events_->changed(browser->info);
  }
  co_return browser->info;
}

Async<Result<void>> Registry::forget(std::string id) {
  auto const info = find(id);
  if (!info) co_return info.error();
  if (info->linked) {
    co_return Error{ErrorName::ConflictError, "The browser is linked now; only one that is gone can be forgotten."};
  }
  async::OneShot<Result<void>> const gone(io_.get_executor());
  journal_.forget_browser(info->id, gone.setter());
  auto const forgotten = co_await gone.get();
  if (!forgotten) co_return forgotten.error();
  if (auto const found = known_.find(info->id); found != known_.end() && !found->second.link) known_.erase(found);
  co_return Result<void>();
}

Async<Result<std::string>> Registry::call(std::string id, std::string method, std::string params, Millis timeout) {
  auto const info = find(id);
  if (!info) co_return info.error();
  auto* link = link_of(info->id);
  if (!link) co_return not_linked(*info);
  async::OneShot<Result<std::string>> const answer(io_.get_executor());
  auto answered = [answer](Result<std::string_view> const& said) {
    if (said) {
      answer.set(std::string(*said));
    } else {
      answer.set(said.error());
    }
  };
  link->request(method, params, timeout, std::move(answered));
  auto said = co_await answer.wait();
  if (!said) co_return Error{ErrorName::CancelledError, "Nobody waits for the answer to " + method + " any more."};
  co_return std::move(*said);
}

void Registry::request(std::string const& id, std::string_view method, std::string_view params,
                       std::optional<Millis> timeout, std::function<void(Result<std::string_view>)> done) {
  if (auto* link = link_of(id)) {
    link->request(method, params, timeout, std::move(done));
    return;
  }
  auto fail = [done = std::move(done)] {
    done(Error{ErrorName::BrowserLostError, "The browser is not linked now; start it, or see `any doctor`."});
  };
  async::post(io_.get_executor(), "the answer to " + std::string(method), std::move(fail));
}

Async<void> Registry::serve_link(std::unique_ptr<net::WebSocket> socket, LinkCaller caller) {
  if (stopped_) co_return;
  log::debug("a link comes from " + caller.origin + " at " + socket->peer().address);
  Link link(*this, std::move(socket), io_.get_executor(), options_.times, caller.own_user);
  co_await link.serve();
}

Async<void> Registry::serve_prototype(std::unique_ptr<net::WebSocket> socket) {
  if (stopped_) co_return;
  std::string const id = std::string(prototype_prefix) + make_uuid();
  Known& browser = known_[id];
  auto const now = clock_.now().wall;
  browser.info.id = browser.row.id = id;
  browser.info.label = "prototype";
  browser.info.prototype = browser.info.linked = true;
  browser.info.since = browser.info.last_seen = now;
  browser.info.address = socket->peer().address;
  PrototypeLink link(std::move(socket), io_.get_executor(), id);
  browser.link = &link;
  log::info("linked: an extension of the prototype", {.browser = id});
  std::string why = "a bug of the daemon";
  Finally const over([&] {
    log::info("gone: " + why, {.browser = id});
    known_.erase(id);
    events_->down(id);
  });
  events_->up(state_of(browser), id, {});
  why = co_await link.serve();
}

LinkedBrowser* Registry::link_of(std::string_view id) {
  auto* browser = known(id);
  return browser ? browser->link : nullptr;
}

void Registry::start(task::SendStart const& start) {
  if (auto* link = link_of(start.browser)) link->start(start);
}

void Registry::cancel(task::SendCancel const& cancel) {
  if (auto* link = link_of(cancel.browser)) link->cancel(cancel);
}

void Registry::forget(task::SendForget const& forget) {
  if (auto* link = link_of(forget.browser)) link->forget(forget);
}

void Registry::acknowledge(task::AckFinish const& ack) {
  if (auto* link = link_of(ack.browser)) link->acknowledge(ack.token);
}

}  // namespace any::browser
