#pragma once
// Browsers that are there as the test says, with the contract of browser::Browsers (tests/contracts holds it to it).

#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>

#include "async/post.hpp"
#include "async/timer.hpp"
#include "async/waiters.hpp"
#include "base/guard.hpp"
#include "browser/events.hpp"

namespace any::service {

class FakeBrowsers final : public browser::Browsers {
 public:
  using Done = std::function<void(Result<std::string_view>)>;

  explicit FakeBrowsers(boost::asio::io_context& io) : io_(io), arrivals_(io.get_executor()) {}
  std::vector<browser::Info> infos;
  std::vector<std::string> asked;  ///< "method params"
  /// What a request is answered; while empty it waits until the test says reply().
  std::function<Result<std::string>(std::string_view method, std::string_view params)> answer;

  /// Whom it tells of links; nobody where this is not called.
  void tell(browser::CdpEvents& events) { events_ = &events; }
  /// Answers the oldest request of that browser.
  void reply(std::string_view id, Result<std::string_view> const& result) {
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (at->second.browser == id) return finish(at->first, result);
    }
    throw std::runtime_error("nothing was asked of browser " + std::string(id));
  }
  /// The link of infos[0] ends.
  void lose(browser::CdpEvents& events, std::string const& why) {
    tell(events);
    lose(infos[0], why);
  }
  void lose(browser::Info& info, std::string const& why) {
    info.linked = false;
    auto const id = info.id;
    if (events_) events_->link_down(id, why);
    std::vector<std::uint64_t> lost;
    for (auto const& [number, request] : waiting_) {
      if (request.browser == id) lost.push_back(number);
    }
    for (auto const number : lost) {
      finish(number, Error{ErrorName::BrowserLostError, "The link ended before it answered (" + why +
                                                            "): it may or may not have been carried out."});
    }
  }
  void link(browser::Info& info) {
    info.linked = true;
    auto const now = info;
    if (events_) events_->link_up(now);
    arrivals_.tell_all(now);
  }

  std::vector<browser::Info> list() const override { return infos; }
  Result<browser::Info> find(std::string_view name) const override {
    auto const* found = const_cast<FakeBrowsers*>(this)->known(name);
    if (found) return *found;
    return Error{ErrorName::NotFoundError, "There is no such browser."};
  }
  Async<Result<browser::Info>> wait_for_any(Millis wait) override {
    browser::Info const* newest = nullptr;
    for (auto const& info : infos) {
      if (info.linked && !info.prototype && (!newest || info.used > newest->used)) newest = &info;
    }
    if (newest) co_return *newest;
    auto const none = Error{ErrorName::NoBrowserError, "No browser is linked."};
    if (wait <= 0) co_return none;
    auto info = co_await arrivals_.wait({}, wait);
    if (!info) co_return none;
    co_return std::move(*info);
  }
  Async<Result<browser::Info>> set_label(std::string id, std::string label) override {
    auto* const browser = known(id);
    if (!browser || browser->prototype) co_return Error{ErrorName::NotFoundError, "There is no such browser."};
    for (auto const& other : infos) {
      if (label.empty() || other.id == browser->id || other.label != label) continue;
      co_return Error{ErrorName::ConflictError, "Another browser has that label."};
    }
    auto const own = own_labels_.try_emplace(browser->id, browser->label).first->second;
    browser->label = label.empty() ? own : std::move(label);
    auto const now = *browser;
    if (now.linked && events_) events_->changed(now);
    co_return now;
  }
  Async<Result<void>> forget(std::string id) override {
    auto const* browser = known(id);
    if (!browser) co_return Error{ErrorName::NotFoundError, "There is no such browser."};
    if (browser->linked) co_return Error{ErrorName::ConflictError, "The browser is linked now."};
    std::erase_if(infos, [gone = browser->id](auto const& info) { return info.id == gone; });
    co_return Result<void>();
  }
  Async<Result<std::string>> call(std::string id, std::string method, std::string params, Millis timeout) override {
    auto const info = find(id);
    if (!info) co_return info.error();
    if (!info->linked) co_return Error{ErrorName::NoBrowserError, "The browser is not linked now."};
    async::OneShot<Result<std::string>> const answered(io_.get_executor());
    request(info->id, method, params, timeout, [answered](Result<std::string_view> const& said) {
      answered.set(said ? Result<std::string>(std::string(*said)) : Result<std::string>(said.error()));
    });
    auto said = co_await answered.wait();
    if (!said) co_return Error{ErrorName::CancelledError, "Nobody waits for the answer any more."};
    co_return std::move(*said);
  }
  void request(std::string const& id, std::string_view method, std::string_view params, std::optional<Millis> timeout,
               Done done) override {
    auto const* browser = by_id(id);
    if (browser && browser->linked) {
      asked.push_back(std::string(method) + " " + std::string(params));
      if (!answer) return wait(id, timeout, std::move(done));
    }
    auto result = browser && browser->linked
                      ? answer(method, params)
                      : Result<std::string>(Error{ErrorName::BrowserLostError, "The browser is not linked now."});
    auto tell = [result = std::move(result), done = std::move(done)] {
      if (!done) return;
      result ? done(std::string_view(*result)) : done(result.error());
    };
    async::post(io_.get_executor(), "the answer to " + std::string(method), std::move(tell));
  }
  Async<void> serve_link(std::unique_ptr<net::WebSocket>, browser::LinkCaller) override { co_return; }
  Async<void> serve_prototype(std::unique_ptr<net::WebSocket>) override { co_return; }

 private:
  struct Waiting {
    std::string browser;
    Done done;
    std::unique_ptr<async::Timer> limit{};
  };

  void wait(std::string const& id, std::optional<Millis> timeout, Done done) {
    auto const number = ++last_;
    auto& request = waiting_.emplace(number, Waiting{id, std::move(done)}).first->second;
    if (!timeout) return;
    request.limit = std::make_unique<async::Timer>(io_.get_executor(), "a played browser's request");
    request.limit->after(std::chrono::milliseconds(*timeout), [this, number] {
      finish(number, Error{ErrorName::TimeoutError, "The browser has not answered in time."});
    });
  }
  void finish(std::uint64_t number, Result<std::string_view> const& result) {
    auto const request = waiting_.extract(number);
    if (request) guarded("a played browser's answer", [&] { request.mapped().done(result); });
  }
  browser::Info* by_id(std::string_view id) {
    auto const found = std::find_if(infos.begin(), infos.end(), [id](auto const& info) { return info.id == id; });
    return found == infos.end() ? nullptr : &*found;
  }
  browser::Info* known(std::string_view name) {
    if (auto* found = by_id(name)) return found;
    browser::Info* found = nullptr;
    for (auto& info : infos) {
      if (info.label == name && (!found || (info.linked && !found->linked))) found = &info;
    }
    return found;
  }

  boost::asio::io_context& io_;
  browser::CdpEvents* events_ = nullptr;
  async::Waiters<browser::Info> arrivals_;
  std::map<std::uint64_t, Waiting> waiting_;
  std::map<std::string, std::string> own_labels_;
  std::uint64_t last_ = 0;
};

}  // namespace any::service
