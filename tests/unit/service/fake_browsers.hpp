#pragma once
// One browser that is there as the test says, with the contract of browser::Browsers (tests/transport holds it to it).

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>

#include "browser/events.hpp"

namespace any::service {

class FakeBrowsers final : public browser::Browsers {
 public:
  explicit FakeBrowsers(boost::asio::io_context& io) : io_(io) {}
  std::vector<browser::Info> infos;
  std::vector<std::string> asked;  ///< "method params"
  /// What a request is answered; while empty it waits in `waiting`.
  std::function<Result<std::string>(std::string_view method, std::string_view params)> answer;
  std::deque<std::function<void(Result<std::string_view>)>> waiting;

  /// The link of infos[0] ends.
  void lose(browser::CdpEvents& events, std::string const& why) {
    infos[0].linked = false;
    events.link_down(infos[0].id, why);
    for (auto const& done : std::exchange(waiting, {})) {
      done(Error{ErrorName::BrowserLostError,
                 "The link ended before it answered (" + why + "): it may or may not have been carried out."});
    }
  }

  std::vector<browser::Info> list() const override { return infos; }
  Result<browser::Info> find(std::string_view name) const override {
    for (auto const& info : infos) {
      if (info.id == name || info.label == name) return info;
    }
    return Error{ErrorName::NotFoundError, "There is no such browser."};
  }
  Async<Result<browser::Info>> wait_for_any(Millis) override { co_return Error{}; }
  Async<Result<browser::Info>> set_label(std::string, std::string) override { co_return Error{}; }
  Async<Result<void>> forget(std::string) override { co_return Error{}; }
  Async<Result<std::string>> call(std::string, std::string, std::string, Millis) override { co_return Error{}; }
  void request(std::string const& id, std::string_view method, std::string_view params, std::optional<Millis>,
               std::function<void(Result<std::string_view>)> done) override {
    auto const browser = find(id);
    if (browser && browser->linked) {
      asked.push_back(std::string(method) + " " + std::string(params));
      if (!answer) return waiting.push_back(std::move(done));
    }
    auto result = browser && browser->linked
                      ? answer(method, params)
                      : Result<std::string>(Error{ErrorName::BrowserLostError, "The browser is not linked now."});
    auto tell = [result = std::move(result), done = std::move(done)] {
      if (!done) return;
      result ? done(std::string_view(*result)) : done(result.error());
    };
    boost::asio::post(io_, std::move(tell));
  }
  Async<void> serve_link(std::unique_ptr<net::WebSocket>, browser::LinkCaller) override { co_return; }
  Async<void> serve_prototype(std::unique_ptr<net::WebSocket>) override { co_return; }

 private:
  boost::asio::io_context& io_;
};

}  // namespace any::service
