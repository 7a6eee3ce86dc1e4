#pragma once
// One browser's gateway joined with the browser's link and with the clients' sockets.

#include <boost/asio/any_io_executor.hpp>
#include <set>
#include <unordered_map>

#include "async/timer.hpp"
#include "service/cdp.hpp"
#include "service/cdp_files.hpp"

namespace any::service {

class CdpBridge final : public cdp::Transport,
                        public cdp::Sockets,
                        public cdp::Files,
                        public std::enable_shared_from_this<CdpBridge> {
 public:
  struct Times {
    Millis linger = 30'000;  ///< how long it is kept with no client, so that whoever polls /json need not start anew
  };

  /// `unused` is called once nobody needs it any more; it may be destroyed there. All but the executor outlive it.
  CdpBridge(std::string browser, boost::asio::any_io_executor executor, Clock const& clock, browser::Browsers& browsers,
            FileMover& files, std::function<void()> unused, cdp::Limits limits, Times times);
  ~CdpBridge() override;

  /// After each call of it: entered().
  cdp::Gateway& gateway() { return gateway_; }
  cdp::Gateway const& gateway() const { return gateway_; }
  /// Looks anew when the gateway wants to be called.
  void entered();

  Async<void> serve(cdp::ClientId client, cdp::Entry entry, std::unique_ptr<net::WebSocket> socket,
                    std::string program);
  void link_up(cdp::Facts facts);
  void link_down(std::string_view why);
  /// Raw, as the link told it.
  void debugger_event(std::string_view params);
  void chrome_event(std::string_view params);

  void attach(cdp::Debuggee const& debuggee, cdp::Answered done) override;
  void detach(cdp::Debuggee const& debuggee) override;
  void send(cdp::Debuggee const& debuggee, std::string_view session, std::string_view method, std::string_view params,
            cdp::Answered done) override;
  void follow(cdp::TabId tab, bool on, std::string_view commands, std::int64_t mark) override;
  void name_downloads(bool regular, bool incognito) override;
  void chrome(std::string_view path, std::string_view args, cdp::Answered done) override;
  void subscribe(std::string_view path) override;
  void unsubscribe(std::string_view path) override;
  void sandbox(std::string_view method, std::string_view params, cdp::Answered done) override;

  void send(cdp::ClientId client, std::string text) override;
  void close(cdp::ClientId client, std::uint16_t code, std::string_view reason) override;

  void move(std::string from, std::string to, cdp::Answered done) override;
  void copy(std::string from, std::string to, cdp::Answered done) override;
  void read_text(std::string folder, std::string name, cdp::Answered done) override;

 private:
  struct Client {
    net::WebSocket* socket;
    std::string closed{};  ///< why it was closed from here
  };
  using Said = std::function<void(Result<std::string_view>)>;
  void leave(cdp::ClientId client, std::string const& name, std::string why);
  /// What a file's transfer calls when it is done.
  std::function<void(std::string const&)> placed(cdp::Answered done);

  void ask(std::string_view method, std::string_view params, Said said);
  /// The answer goes to the gateway, if that is still here.
  Said taken(cdp::Answered done);
  /// For what the gateway does not wait for: a failure is a line of the log.
  Said noted(std::string_view what);
  void arm(Millis when, Millis now);
  void fired();

  std::string const browser_;
  Clock const& clock_;
  browser::Browsers& browsers_;
  FileMover& files_;
  std::function<void()> unused_;
  Times times_;
  async::Timer timer_;
  std::optional<Millis> armed_;
  Millis needed_;  ///< when a client was last here
  std::unordered_map<cdp::ClientId, Client> clients_;
  std::set<std::string, std::less<>> subscribed_;
  cdp::Gateway gateway_;  // the last: it may use all of the above as long as it lives
};

/// An error of the link in CDP's words: what Chrome itself said, else our own text.
cdp::Failure cdp_failure(Error const& error);

}  // namespace any::service
