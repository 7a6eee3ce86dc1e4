#include "service/cdp_bridge.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "base/guard.hpp"
#include "base/log.hpp"
#include "browser/debugger.hpp"
#include "wire/json.hpp"

namespace any::service {

namespace {

browser::DebuggeeView view_of(cdp::Debuggee const& debuggee) {
  return {debuggee.tab, debuggee.target};
}

std::string path_params(std::string_view path, std::string_view args = {}) {
  std::string out;
  out.reserve(32 + path.size() + args.size());
  out.append(R"({"path":)").append(wire::quote(path));
  if (!args.empty()) out.append(R"(,"args":)").append(args);
  return out += '}';
}

}  // namespace

cdp::Failure cdp_failure(Error const& error) {
  if (error.name == ErrorName::BrowserLostError || error.name == ErrorName::NoBrowserError) {
    return {cdp::link_lost, error.message};
  }
  cdp::Failure failure{.message = error.message};
  auto const* said = error.extra.if_contains("cdp");
  if (!said || !said->is_object()) return failure;
  auto const& chrome = said->get_object();
  if (auto const* code = chrome.if_contains("code"); code && code->is_int64()) {
    failure.code = static_cast<int>(code->get_int64());
  }
  if (auto const* message = chrome.if_contains("message"); message && message->is_string()) {
    failure.message = std::string(message->get_string());
  }
  if (auto const* data = chrome.if_contains("data"); data && !data->is_null()) {
    failure.data = data->is_string() ? std::string(data->get_string()) : boost::json::serialize(*data);
  }
  return failure;
}

CdpBridge::CdpBridge(std::string browser, boost::asio::any_io_executor executor, Clock const& clock,
                     browser::Browsers& browsers, FileMover& files, std::function<void()> unused, cdp::Limits limits,
                     Times times)
    : browser_(std::move(browser)),
      clock_(clock),
      browsers_(browsers),
      files_(files),
      unused_(std::move(unused)),
      times_(times),
      timer_(std::move(executor), "the gateway of browser " + browser_),
      needed_(clock.now().mono),
      gateway_(*this, *this, *this, clock, limits) {}

CdpBridge::~CdpBridge() = default;

// Time. The timer is set anew only for an earlier deadline: one that moved away costs an idle tick, not a system call
// for each message.

void CdpBridge::entered() {
  auto const deadline = gateway_.deadline();
  if (deadline && (!armed_ || *deadline < *armed_)) return arm(*deadline, clock_.now().mono);
  if (armed_ || !clients_.empty()) return;
  auto const now = clock_.now().mono;
  arm(std::max(needed_ + times_.linger, now + 1'000), now);
}

void CdpBridge::arm(Millis when, Millis now) {
  armed_ = when;
  timer_.after(std::chrono::milliseconds(std::max<Millis>(when - now, 1)), [weak = weak_from_this()] {
    if (auto const self = weak.lock()) self->fired();
  });
}

void CdpBridge::fired() {
  armed_.reset();
  gateway_.tick();
  if (!clients_.empty()) needed_ = clock_.now().mono;
  if (!clients_.empty() || !gateway_.idle() || clock_.now().mono < needed_ + times_.linger) return entered();
  for (auto const& path : subscribed_) ask("chrome.unsubscribe", path_params(path), noted("chrome.unsubscribe"));
  unused_();
}

// The clients.

Async<void> CdpBridge::serve(cdp::ClientId client, cdp::Entry entry, std::unique_ptr<net::WebSocket> socket,
                             std::string program) {
  auto const self = shared_from_this();
  auto const name = "CDP client " + std::to_string(client) + " (" + program + ")";
  log::info(name + " has come" + (entry.target.empty() ? "" : " for the target " + entry.target) +
                (entry.group_contexts ? "; its contexts are tab groups of the profile itself" : "") +
                (entry.clear_profile ? "; it may clear the profile's cookies" : ""),
            {.browser = browser_});
  clients_.emplace(client, Client{socket.get()});
  std::string why = "its serving was cut off";
  Finally const over([&] { leave(client, name, std::move(why)); });
  gateway_.open(client, std::move(entry));
  entered();
  while (true) {
    auto text = co_await socket->receive();
    if (!text) {
      why = text.error().message;
      break;
    }
    gateway_.receive(client, std::move(*text));
    entered();
  }
}

// Also after a bug: the gateway must not know a socket that is no more.
void CdpBridge::leave(cdp::ClientId client, std::string const& name, std::string why) {
  if (auto const left = clients_.extract(client); left && !left.mapped().closed.empty()) why = left.mapped().closed;
  needed_ = clock_.now().mono;
  log::info(name + " has gone: " + why, {.browser = browser_});
  gateway_.gone(client);
  entered();
}

void CdpBridge::send(cdp::ClientId client, std::string text) {
  auto const found = clients_.find(client);
  if (found != clients_.end()) found->second.socket->send(std::move(text));
}

void CdpBridge::close(cdp::ClientId client, std::uint16_t code, std::string_view reason) {
  auto const found = clients_.find(client);
  if (found == clients_.end()) return;
  found->second.closed = "closed from here with " + std::to_string(code) + ": " + std::string(reason);
  found->second.socket->close(code, reason);
}

// The browser.

void CdpBridge::link_up(cdp::Facts facts) {
  gateway_.link_up(std::move(facts));
  entered();
}

void CdpBridge::link_down(std::string_view why) {
  subscribed_.clear();
  gateway_.link_down(why);
  entered();
}

void CdpBridge::debugger_event(std::string_view params) {
  auto const event = browser::read_debugger_event(params);
  if (!event) return log::warn("debugger.event cannot be read: " + event.error().message, {.browser = browser_});
  cdp::Debuggee const debuggee{event->debuggee.tab, std::string(event->debuggee.target)};
  gateway_.debugger_event(debuggee, event->session, event->method, event->params);
  entered();
}

void CdpBridge::chrome_event(std::string_view params) {
  auto const event = browser::read_chrome_event(params);
  if (!event) return log::warn("chrome.event cannot be read: " + event.error().message, {.browser = browser_});
  gateway_.chrome_event(event->path, event->args);
  entered();
}

void CdpBridge::ask(std::string_view method, std::string_view params, Said said) {
  browsers_.request(browser_, method, params, std::nullopt, std::move(said));
}

CdpBridge::Said CdpBridge::taken(cdp::Answered done) {
  return [weak = weak_from_this(), done = std::move(done)](Result<std::string_view> const& said) {
    auto const self = weak.lock();
    if (!self) return;
    if (said) {
      cdp::Answer const answer(browser::answered_value(*said));
      done(answer);
    } else {
      cdp::Answer const answer(cdp_failure(said.error()));
      done(answer);
    }
    self->entered();
  };
}

CdpBridge::Said CdpBridge::noted(std::string_view what) {
  return [what = std::string(what), browser = browser_](Result<std::string_view> const& said) {
    if (!said && said.error().name != ErrorName::BrowserLostError) {
      log::debug(what + " failed: " + said.error().message, {.browser = browser});
    }
  };
}

void CdpBridge::attach(cdp::Debuggee const& debuggee, cdp::Answered done) {
  ask("debugger.attach", browser::debuggee_params(view_of(debuggee), R"("fresh":true)"), taken(std::move(done)));
}

void CdpBridge::detach(cdp::Debuggee const& debuggee) {
  ask("debugger.detach", browser::debuggee_params(view_of(debuggee)), noted("debugger.detach"));
}

void CdpBridge::send(cdp::Debuggee const& debuggee, std::string_view session, std::string_view method,
                     std::string_view params, cdp::Answered done) {
  ask("debugger.send", browser::debugger_send_params(view_of(debuggee), session, method, params),
      taken(std::move(done)));
}

void CdpBridge::follow(cdp::TabId tab, bool on, std::string_view commands, std::int64_t mark) {
  std::string params = R"({"tab":)" + std::to_string(tab) + R"(,"on":)" + (on ? "true" : "false") + R"(,"commands":)";
  params.append(commands).append(R"(,"mark":)").append(std::to_string(mark)).append("}");
  ask("debugger.follow", params, noted("debugger.follow"));
}

void CdpBridge::name_downloads(bool regular, bool incognito) {
  auto const flag = [](bool on) { return std::string(on ? "true" : "false"); };
  ask("debugger.nameDownloads", R"({"regular":)" + flag(regular) + R"(,"incognito":)" + flag(incognito) + "}",
      noted("debugger.nameDownloads"));
}

void CdpBridge::chrome(std::string_view path, std::string_view args, cdp::Answered done) {
  ask("chrome.call", path_params(path, args), taken(std::move(done)));
}

void CdpBridge::subscribe(std::string_view path) {
  subscribed_.emplace(path);
  ask("chrome.subscribe", path_params(path), noted("chrome.subscribe"));
}

void CdpBridge::unsubscribe(std::string_view path) {
  if (auto const found = subscribed_.find(path); found != subscribed_.end()) subscribed_.erase(found);
  ask("chrome.unsubscribe", path_params(path), noted("chrome.unsubscribe"));
}

void CdpBridge::sandbox(std::string_view method, std::string_view params, cdp::Answered done) {
  ask(method, params, taken(std::move(done)));
}

std::function<void(std::string const&)> CdpBridge::placed(cdp::Answered done) {
  return [weak = weak_from_this(), done = std::move(done)](std::string const& problem) {
    auto const self = weak.lock();
    if (!self) return;
    if (problem.empty()) {
      cdp::Answer const answer(std::string_view("{}"));
      done(answer);
    } else {
      cdp::Answer const answer(cdp::Failure{.message = problem});
      done(answer);
    }
    self->entered();
  };
}

void CdpBridge::move(std::string from, std::string to, cdp::Answered done) {
  files_.move(std::move(from), std::move(to), placed(std::move(done)));
}

void CdpBridge::copy(std::string from, std::string to, cdp::Answered done) {
  files_.copy(std::move(from), std::move(to), placed(std::move(done)));
}

void CdpBridge::read_text(std::string folder, std::string name, cdp::Answered done) {
  auto told = [weak = weak_from_this(), done = std::move(done)](CdpResult<std::string> const& text) {
    auto const self = weak.lock();
    if (!self) return;
    cdp::Answer const answer = text ? cdp::Answer(std::string_view(*text)) : cdp::Answer(text.error());
    done(answer);
    self->entered();
  };
  files_.read(std::move(folder), std::move(name), std::move(told));
}

}  // namespace any::service
