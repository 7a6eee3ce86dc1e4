#pragma once
// The link with an extension that was written for the first prototype: tasks go out, their ends come over HTTP.

#include <boost/asio/any_io_executor.hpp>

#include "browser/linked.hpp"

namespace any::browser {

inline constexpr std::string_view prototype_prefix = "prototype-";

/// Whether that browser id is one that serve_prototype made up.
inline bool is_prototype(std::string_view browser) {
  return browser.starts_with(prototype_prefix);
}

class PrototypeLink final : public LinkedBrowser {
 public:
  PrototypeLink(std::unique_ptr<net::WebSocket> socket, boost::asio::any_io_executor executor, std::string browser);

  /// Until the link has ended; what the extension says on the socket is not listened to. The cause of the end.
  Async<std::string> serve();

  void start(task::SendStart const& start) override;
  void cancel(task::SendCancel const& cancel) override;
  void forget(task::SendForget const&) override {}
  void acknowledge(std::uint64_t) override {}
  void request(std::string_view method, std::string_view params, std::optional<Millis> timeout, Answered done) override;
  void drop(std::string_view why) override;
  std::string const& instance() const override { return browser_; }

 private:
  std::unique_ptr<net::WebSocket> socket_;
  boost::asio::any_io_executor executor_;
  std::string browser_;
};

}  // namespace any::browser
