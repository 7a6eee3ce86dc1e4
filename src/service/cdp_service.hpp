#pragma once
// The gateways: one a browser, made when its first CDP client comes, dropped when nobody needs it.

#include <boost/asio/io_context.hpp>
#include <map>

#include "async/waiters.hpp"
#include "browser/events.hpp"
#include "service/cdp_bridge.hpp"

namespace any::service {

class CdpService final : public Cdp, public browser::CdpEvents {
 public:
  CdpService(boost::asio::io_context& io, Clock const& clock, browser::Browsers& browsers, async::Pool& pool,
             cdp::Limits limits = {}, CdpBridge::Times times = {});
  ~CdpService() override;
  /// Lets nobody wait for a browser any more. The sockets are closed by whoever has opened them.
  void stop();

  Async<Result<browser::Info>> choose(std::string name, Millis wait) override;
  std::vector<browser::Info> linked() const override;
  Async<void> serve(std::string browser, cdp::Entry entry, std::unique_ptr<net::WebSocket> socket,
                    std::string program) override;
  Async<CdpResult<std::vector<cdp::Listed>>> list(std::string browser) override;
  Async<CdpResult<cdp::Listed>> create(std::string browser, std::string url) override;
  Async<CdpResult<std::string>> activate(std::string browser, std::string target) override;
  Async<CdpResult<std::string>> close(std::string browser, std::string target) override;
  Async<CdpResult<std::unique_ptr<CdpClient>>> client(std::string browser, std::optional<cdp::TabId> tab) override;
  cdp::Counts counts(std::string_view browser = {}) const override;

  void link_up(browser::Info const& browser) override;
  void link_down(std::string const& browser, std::string_view why) override;
  void changed(browser::Info const& browser) override;
  void debugger_event(std::string const& browser, std::string_view params) override;
  void chrome_event(std::string const& browser, std::string_view params) override;

 private:
  /// Whether that browser can be had now.
  Result<browser::Info> look(std::string const& name) const;
  /// The browser's bridge; made where there is none.
  std::shared_ptr<CdpBridge> bridge(std::string const& browser);
  std::shared_ptr<CdpBridge> known(std::string_view browser) const;

  boost::asio::io_context& io_;
  Clock const& clock_;
  browser::Browsers& browsers_;
  cdp::Limits limits_;
  CdpBridge::Times times_;
  FileMover files_;
  std::map<std::string, std::shared_ptr<CdpBridge>, std::less<>> bridges_;
  async::Waiters<bool> arrivals_;
  cdp::ClientId last_client_ = 0;
  bool stopped_ = false;
};

}  // namespace any::service
