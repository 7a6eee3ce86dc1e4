#pragma once
// The link with the extension "any" (docs/protocol.md, "The link"): JSON-RPC both ways over one WebSocket.

#include <unordered_map>

#include "async/timer.hpp"
#include "browser/fields.hpp"
#include "browser/linked.hpp"
#include "browser/pending.hpp"
#include "wire/envelope.hpp"

namespace any::browser {

struct LinkTimes {
  Millis ping = 20'000;   ///< a ping each
  Millis lost = 40'000;   ///< without any message: the link is lost
  Millis hello = 10'000;  ///< for link.begin and hello together
};

class Link final : public LinkedBrowser {
 public:
  /// `own_user`: whether the socket is the daemon's own user's.
  Link(LinkHost& host, std::unique_ptr<net::WebSocket> socket, boost::asio::any_io_executor executor,
       LinkTimes times = {}, bool own_user = true);
  ~Link() override;

  /// Until the link has ended.
  Async<void> serve();

  void start(task::SendStart const& start) override;
  void cancel(task::SendCancel const& cancel) override;
  void forget(task::SendForget const& forget) override;
  void acknowledge(std::uint64_t token) override;
  void request(std::string_view method, std::string_view params, std::optional<Millis> timeout, Answered done) override;
  void drop(std::string_view why) override;
  std::string const& instance() const override { return hello_.instance; }

 private:
  Async<void> take(wire::Envelope const& message);
  /// A bug of ours ends one message, and whoever waits for its answer is told.
  void failed(wire::Envelope const& message, std::exception_ptr const& thrown);
  void begin(wire::Envelope const& message);
  Async<void> hello(wire::Envelope const& message);
  void take_linked(wire::Envelope const& message);
  void finish(wire::Envelope const& message);
  void event(Fields const& params);
  void started(Fields const& params);
  void update(Fields const& params);
  void lines(wire::Envelope const& message, Fields const& params);

  void reply(std::string_view id, std::string_view result);
  void reply_error(std::string_view id, Error const& error, int code = 0);
  /// Answers the error (where the message has an id) and ends the link after it.
  void refuse(wire::Envelope const& message, Error const& error);
  /// The peer broke the protocol: says so in the log and ends the link.
  void violated(std::string const& what);
  void close(std::uint16_t code, std::string_view why);
  void end(std::string const& why);
  std::string_view name() const;
  void arm();
  void on_timer(Millis planned);

  LinkHost& host_;
  std::unique_ptr<net::WebSocket> socket_;
  LinkTimes times_;
  bool own_user_;
  boost::asio::any_io_executor executor_;
  async::Timer timer_;
  Pending pending_;
  std::unordered_map<std::uint64_t, std::string> unacknowledged_;  // finish: token to the id of its request
  std::optional<Handshake> handshake_;
  Hello hello_;
  std::string browser_;  // set once linked
  std::string why_ = "the browser closed it";
  bool linked_ = false, closing_ = false, ended_ = false;
  Millis born_, heard_, pinged_, armed_ = 0;
};

}  // namespace any::browser
