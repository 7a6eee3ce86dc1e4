#pragma once
// A CDP client inside the daemon: to the gateway one like any other, but nothing is serialised on the way. Lives on the
// io thread. What it has switched on, its sessions and interceptions end with it.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/one_shot.hpp"
#include "service/cdp_bridge.hpp"

namespace any::service {

class CdpClient final : private cdp::Receiver {
 public:
  /// Raw params; `session` empty: of the client's own session. Must not destroy the client.
  using OnEvent = std::function<void(std::string_view session, std::string_view method, std::string_view params)>;

  /// A client of one target (Entry::target), or of the browser. `id`: nobody else's.
  CdpClient(std::shared_ptr<CdpBridge> bridge, boost::asio::any_io_executor executor, cdp::ClientId id,
            cdp::Entry entry);
  ~CdpClient() override;
  CdpClient(CdpClient const&) = delete;
  CdpClient& operator=(CdpClient const&) = delete;

  /// The raw result. Errors: Chrome's own; code cdp::link_lost where the browser has gone; too_late after `deadline`,
  /// or as soon as the caller has gone. What comes after that is dropped. The client outlives its calls.
  Async<CdpResult<std::string>> call(std::string method, std::string params = "{}",
                                     std::optional<Millis> deadline = std::nullopt, std::string session = {});
  /// From now on; `pattern`: a method, or a domain with ".*".
  void on_event(std::string pattern, OnEvent handler);
  /// Why the gateway let go of it; nothing as long as it has not.
  std::optional<std::string> const& closed_because() const { return closed_; }
  /// Called once when it has.
  void on_closed(std::function<void()> handler) { on_closed_ = std::move(handler); }

  /// Failure::code of a call whose deadline has passed.
  static constexpr int too_late = -32098;

 private:
  struct Handler {
    std::string pattern;
    OnEvent call;
  };

  void answered(std::string_view id, cdp::Answer const& answer) override;
  void event(std::string_view session, std::string_view method, std::string_view params) override;
  void closed(std::string_view reason) override;

  std::shared_ptr<CdpBridge> bridge_;
  boost::asio::any_io_executor executor_;
  cdp::ClientId id_;
  std::uint64_t last_call_ = 0;
  std::map<std::string, async::OneShot<CdpResult<std::string>>, std::less<>> waiting_;  ///< by the command's id
  std::vector<Handler> handlers_;
  std::optional<std::string> closed_;
  std::function<void()> on_closed_;
};

}  // namespace any::service
