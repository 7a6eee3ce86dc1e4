#pragma once
// The browsers that were ever seen, and the links of those that are here now.

#include <boost/asio/io_context.hpp>
#include <map>

#include "async/waiters.hpp"
#include "browser/browsers.hpp"
#include "browser/events.hpp"
#include "browser/link.hpp"
#include "store/journal.hpp"

namespace any::browser {

struct RegistryOptions {
  std::string daemon_id;
  std::string state_dir{};
  /// The secret in the folder of that id, which `any extension` wrote; nothing where it is not known.
  std::function<std::optional<std::string>(std::string_view id)> installation_secret{};
  LinkTimes times{};
};

/// Drops what nobody wants to hear.
class DeafToCdp final : public CdpEvents {
 public:
  void link_up(Info const&) override {}
  void link_down(std::string const&, std::string_view) override {}
  void changed(Info const&) override {}
  void debugger_event(std::string const&, std::string_view) override {}
  void chrome_event(std::string const&, std::string_view) override {}
};

class Registry final : public Browsers, public TaskCommands, private LinkHost {
 public:
  /// `rows`: the store's. `events` must outlive the links.
  Registry(boost::asio::io_context& io, Clock const& clock, store::Journal& journal, RegistryOptions options,
           std::vector<store::BrowserRow> rows);
  ~Registry() override;

  /// Whom the links tell. Before the first link.
  void tell(LinkEvents& events) { events_ = &events; }
  /// Whom the links tell of CDP; nobody where this is not called. It must outlive the links.
  void tell(CdpEvents& events) { cdp_events_ = &events; }
  /// Called for each browser that links, after its hello; for what is to be asked of it then.
  void on_linked(std::function<void(Info const&)> call) { on_linked_ = std::move(call); }
  /// Ends every link, and lets no new one in.
  void stop();
  /// When any browser was last here; 0: never.
  Millis last_seen() const;

  std::vector<Info> list() const override;
  Result<Info> find(std::string_view id_or_label) const override;
  Async<Result<Info>> wait_for_any(Millis wait) override;
  Async<Result<Info>> set_label(std::string id, std::string label) override;
  Async<Result<void>> forget(std::string id) override;
  Async<Result<std::string>> call(std::string id, std::string method, std::string params, Millis timeout) override;
  void request(std::string const& id, std::string_view method, std::string_view params, std::optional<Millis> timeout,
               std::function<void(Result<std::string_view>)> done) override;
  Async<void> serve_link(std::unique_ptr<net::WebSocket> socket, LinkCaller caller) override;
  Async<void> serve_prototype(std::unique_ptr<net::WebSocket> socket) override;

  void start(task::SendStart const& start) override;
  void cancel(task::SendCancel const& cancel) override;
  void forget(task::SendForget const& forget) override;
  void acknowledge(task::AckFinish const& ack) override;

 private:
  struct Known {
    store::BrowserRow row;
    Info info;                      // what the last hello said
    std::string own_label;          // what the person called it in the extension
    LinkedBrowser* link = nullptr;  // while linked
    std::int64_t last_line = 0;     // of its black box
    Millis last_line_wall = 0, written = 0;
  };

  Result<Handshake> begin_handshake(Begin begin, bool own_user) override;
  Async<Result<Welcome>> welcome(Handshake const& handshake, Hello const& hello, std::string const& address) override;
  void linked(std::string const& browser, LinkedBrowser& link, Hello const& hello) override;
  void ended(std::string const& browser, LinkedBrowser& link, std::string_view why) override;
  void updated(std::string const& browser, Update const& update) override;
  void heard(std::string const& browser) override;
  bool line(std::string const& browser, std::int64_t n, Millis wall) override;
  std::uint64_t next_token() override { return ++last_token_; }
  LinkEvents& events() override { return *events_; }
  CdpEvents& cdp_events() override { return *cdp_events_; }
  Clock const& clock() const override { return clock_; }
  std::string const& daemon_id() const override { return options_.daemon_id; }

  /// The key of a browser of another user of the machine: its folder's, or UnauthorizedError.
  Result<std::string> key_of_other_user(Begin const& begin) const;
  /// Keeps a key that hello has proven; it is on disk when this answers.
  Async<Result<void>> keep_key(std::string id, std::string key);
  /// Whether the browser's present link answers a ping within a moment.
  Async<bool> answers(std::string id);
  Known* known(std::string_view id);
  Known const* known(std::string_view id) const;
  LinkedBrowser* link_of(std::string_view id);
  task::BrowserState state_of(Known const& browser) const;
  void write_later(Known& browser);

  boost::asio::io_context& io_;
  Clock const& clock_;
  store::Journal& journal_;
  RegistryOptions options_;
  LinkEvents* events_ = nullptr;
  DeafToCdp deaf_;
  CdpEvents* cdp_events_ = &deaf_;
  std::function<void(Info const&)> on_linked_;
  std::map<std::string, Known, std::less<>> known_;
  async::Waiters<Info> arrivals_;  ///< told with no id: the daemon ends
  std::string key_seed_;           ///< of the keys for browsers that have none yet
  std::uint64_t last_token_ = 0;
  bool stopped_ = false;
};

}  // namespace any::browser
