#include "browser/prototype.hpp"

#include "async/post.hpp"
#include "base/log.hpp"
#include "browser/messages.hpp"

namespace any::browser {

PrototypeLink::PrototypeLink(std::unique_ptr<net::WebSocket> socket, boost::asio::any_io_executor executor,
                             std::string browser)
    : socket_(std::move(socket)), executor_(std::move(executor)), browser_(std::move(browser)) {}

Async<std::string> PrototypeLink::serve() {
  while (true) {
    auto const said = co_await socket_->receive();
    if (!said) co_return said.error().message;
  }
}

void PrototypeLink::start(task::SendStart const& start) {
  socket_->send(prototype_task(start));  // it counts as started; the end of the link tells the rest
}

void PrototypeLink::cancel(task::SendCancel const& cancel) {
  log::debug("the prototype's extension cannot be told to stop", {.task = cancel.run.task, .browser = browser_});
}

void PrototypeLink::request(std::string_view method, std::string_view, std::optional<Millis>, Answered done) {
  if (!done) return;
  auto refuse = [done = std::move(done), method = std::string(method)] {
    done(Error{ErrorName::NoBrowserError, "This browser runs the prototype's extension, which does not know " + method +
                                              "; load the extension `any` there."});
  };
  async::post(executor_, "refusing " + std::string(method), std::move(refuse));
}

void PrototypeLink::drop(std::string_view) {
  socket_->abort();
}

}  // namespace any::browser
