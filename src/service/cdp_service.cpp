#include "service/cdp_service.hpp"

#include <algorithm>

#include "service/cdp_client.hpp"

namespace any::service {

namespace {

// The gateway waits up to its link_grace for a link that was lost; a door's caller is told a little later.
constexpr Millis door_patience = 35'000;

cdp::Failure too_slow() {
  return {.message = "The browser has not answered within 35 s; is it busy or asleep?"};
}

Error no_browser() {
  return {
      ErrorName::NoBrowserError,
      "no browser is connected: start Chrome with the extension `any` (`any extension` makes it, `any launch` starts "
      "a browser with it), or see `any doctor`"};
}

std::string name_of(browser::Info const& info) {
  return "\"" + (info.label.empty() ? info.id : info.label) + "\"";
}

Result<browser::Info> usable(browser::Info info) {
  if (info.prototype) {
    return Error{ErrorName::NoBrowserError, "the browser " + name_of(info) +
                                                " runs the prototype's extension, which knows nothing of CDP; load the "
                                                "extension `any` there"};
  }
  if (!info.linked) {
    return Error{ErrorName::NoBrowserError, "the browser " + name_of(info) + " is not connected (last seen " +
                                                iso_time(info.last_seen) + "): start it, or see `any doctor`"};
  }
  if (info.paused) {
    return Error{ErrorName::PausedError,
                 "the person has paused the browser " + name_of(info) + ": resume it in the popup of its extension"};
  }
  return info;
}

CdpResult<std::string> owned(cdp::Answer const& answer) {
  if (!answer) return answer.error();
  return std::string(*answer);
}

}  // namespace

cdp::Facts cdp_facts(browser::Info const& browser) {
  // hello says "Google Chrome 156.0.7940.0"; a raw port says "Chrome/156.0.7940.0" whatever the brand.
  auto product = browser.product;
  if (auto const space = product.rfind(' '); space != std::string::npos) {
    auto const version = product.substr(space + 1);
    product = (product.starts_with("Microsoft Edge") ? "Edg/" : "Chrome/") + version;
  }
  return {.browser_id = browser.id,
          .product = std::move(product),
          .user_agent = browser.user_agent,
          .incognito = browser.capabilities.incognito,
          .file_urls = browser.capabilities.file_urls};
}

CdpService::CdpService(boost::asio::io_context& io, Clock const& clock, browser::Browsers& browsers, async::Pool& pool,
                       cdp::Limits limits, CdpBridge::Times times)
    : io_(io),
      clock_(clock),
      browsers_(browsers),
      limits_(limits),
      times_(times),
      files_(pool),
      arrivals_(io.get_executor()) {}

CdpService::~CdpService() = default;

void CdpService::stop() {
  stopped_ = true;
  arrivals_.tell_all(false);
}

// Which browser.

std::vector<browser::Info> CdpService::linked() const {
  auto all = browsers_.list();
  std::erase_if(all, [](browser::Info const& info) { return !info.linked || info.prototype; });
  std::ranges::stable_sort(all, [](browser::Info const& a, browser::Info const& b) { return a.used > b.used; });
  return all;
}

Result<browser::Info> CdpService::look(std::string const& name) const {
  if (!name.empty()) {
    auto found = browsers_.find(name);
    if (!found) return found.error();
    return usable(std::move(*found));
  }
  auto all = linked();
  if (all.empty()) return no_browser();
  auto const ready = std::ranges::find(all, false, &browser::Info::paused);
  return usable(std::move(ready == all.end() ? all.front() : *ready));
}

Async<Result<browser::Info>> CdpService::choose(std::string name, Millis wait) {
  auto const until = clock_.now().mono + wait;
  while (true) {
    auto found = look(name);
    auto const left = until - clock_.now().mono;
    bool const may_come = !found && found.error().name == ErrorName::NoBrowserError;
    if (!may_come || left <= 0 || stopped_) co_return found;
    auto const came = co_await arrivals_.wait({}, left);
    if (!came) co_return look(name);
  }
}

std::shared_ptr<CdpBridge> CdpService::known(std::string_view browser) const {
  auto const found = bridges_.find(browser);
  return found == bridges_.end() ? nullptr : found->second;
}

std::shared_ptr<CdpBridge> CdpService::bridge(std::string const& browser) {
  if (auto here = known(browser)) return here;
  auto unused = [this, browser] { bridges_.erase(browser); };
  auto made = std::make_shared<CdpBridge>(browser, io_.get_executor(), clock_, browsers_, files_, std::move(unused),
                                          limits_, times_);
  bridges_.emplace(browser, made);
  if (auto const info = browsers_.find(browser); info && info->linked) made->link_up(cdp_facts(*info));
  return made;
}

// What the doors ask.

Async<void> CdpService::serve(std::string browser, cdp::Entry entry, std::unique_ptr<net::WebSocket> socket,
                              std::string program) {
  auto const here = bridge(browser);
  auto const client = ++last_client_;
  co_await here->serve(client, std::move(entry), std::move(socket), std::move(program));
}

Async<CdpResult<std::vector<cdp::Listed>>> CdpService::list(std::string browser) {
  auto const here = bridge(browser);
  async::OneShot<CdpResult<std::vector<cdp::Listed>>> const told(io_.get_executor());
  here->gateway().list(told.setter());
  here->entered();
  auto said = co_await told.wait(door_patience);
  if (!said) co_return too_slow();
  co_return std::move(*said);
}

Async<CdpResult<cdp::Listed>> CdpService::create(std::string browser, std::string url) {
  auto const here = bridge(browser);
  async::OneShot<CdpResult<cdp::Listed>> const made(io_.get_executor());
  here->gateway().create(std::move(url), made.setter());
  here->entered();
  auto said = co_await made.wait(door_patience);
  if (!said) co_return too_slow();
  co_return std::move(*said);
}

Async<CdpResult<std::string>> CdpService::activate(std::string browser, std::string target) {
  auto const here = bridge(browser);
  async::OneShot<CdpResult<std::string>> const done(io_.get_executor());
  auto answered = [done](cdp::Answer const& answer) { done.set(owned(answer)); };
  here->gateway().activate(std::move(target), std::move(answered));
  here->entered();
  auto said = co_await done.wait(door_patience);
  if (!said) co_return too_slow();
  co_return std::move(*said);
}

Async<CdpResult<std::string>> CdpService::close(std::string browser, std::string target) {
  auto const here = bridge(browser);
  async::OneShot<CdpResult<std::string>> const done(io_.get_executor());
  auto answered = [done](cdp::Answer const& answer) { done.set(owned(answer)); };
  here->gateway().close(std::move(target), std::move(answered));
  here->entered();
  auto said = co_await done.wait(door_patience);
  if (!said) co_return too_slow();
  co_return std::move(*said);
}

Async<CdpResult<std::unique_ptr<CdpClient>>> CdpService::client(std::string browser, std::optional<cdp::TabId> tab) {
  auto const here = bridge(browser);
  cdp::Entry entry;
  if (tab) {
    async::OneShot<CdpResult<std::string>> const found(io_.get_executor());
    here->gateway().find(*tab, [found](cdp::Answer const& answer) { found.set(owned(answer)); });
    here->entered();
    auto said = co_await found.wait(door_patience);
    if (!said) co_return too_slow();
    if (!*said) co_return said->error();
    entry.target = std::move(**said);
  }
  co_return std::make_unique<CdpClient>(here, io_.get_executor(), ++last_client_, std::move(entry));
}

cdp::Counts CdpService::counts(std::string_view browser) const {
  cdp::Counts all;
  for (auto const& [id, here] : bridges_) {
    if (!browser.empty() && id != browser) continue;
    auto const one = here->gateway().counts();
    all.clients += one.clients;
    all.sessions += one.sessions;
    all.attached += one.attached;
    all.pending += one.pending;
  }
  return all;
}

// What the links tell.

void CdpService::link_up(browser::Info const& browser) {
  if (auto const here = known(browser.id)) here->link_up(cdp_facts(browser));
  arrivals_.tell_all(true);
}

void CdpService::link_down(std::string const& browser, std::string_view why) {
  if (auto const here = known(browser)) here->link_down(why);
}

void CdpService::changed(browser::Info const& browser) {
  auto const here = known(browser.id);
  if (!here) return;
  here->gateway().facts_changed(cdp_facts(browser));
  here->entered();
}

void CdpService::debugger_event(std::string const& browser, std::string_view params) {
  if (auto const here = known(browser)) here->debugger_event(params);
}

void CdpService::chrome_event(std::string const& browser, std::string_view params) {
  if (auto const here = known(browser)) here->chrome_event(params);
}

}  // namespace any::service
