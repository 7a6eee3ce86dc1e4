#pragma once
// The CDP gateway of one browser: to its clients a Chrome with a debugging port. No I/O, no clock of its own.
// Everything runs on one thread; each entry returns at once. Protocol:
// https://chromedevtools.github.io/devtools-protocol/

#include <memory>
#include <optional>
#include <vector>

#include "cdp/protocol/command.hpp"
#include "cdp/protocol/facts.hpp"
#include "cdp/protocol/transport.hpp"

namespace any::cdp {

class Gateway {
 public:
  struct Impl;  ///< cdp/impl.hpp; for the gateway's own files

  Gateway(Transport& transport, Sockets& sockets, Files& files, Clock const& clock, Limits limits = {});
  ~Gateway();
  Gateway(Gateway const&) = delete;
  Gateway& operator=(Gateway const&) = delete;

  // The link.
  void link_up(Facts facts);
  void link_down(std::string_view why);
  void facts_changed(Facts facts);
  /// `session` empty: of the debuggee's own session. "Inspector.detached" with {"reason"} says that the attachment
  /// ended.
  void debugger_event(Debuggee const& debuggee, std::string_view session, std::string_view method,
                      std::string_view params);
  /// `args`: the raw JSON array that the listener got.
  void chrome_event(std::string_view path, std::string_view args);

  // The clients. What is said to a client that has not been opened, or has gone, is dropped.
  /// Opens at once, answers once the browser has told its tabs. Of a target that is not there the socket is closed.
  void open(ClientId client, Entry entry);
  void receive(ClientId client, std::string text);
  /// The same for a client inside the daemon, which is there until gone().
  void open(ClientId client, Entry entry, Receiver& receiver);
  void receive(Command command);
  void gone(ClientId client);

  // The HTTP doors. The answers are raw JSON; failures carry Chrome's words.
  void list(std::function<void(boost::system::result<std::vector<Listed>, Failure> const&)> done);
  void create(std::string url, std::function<void(boost::system::result<Listed, Failure> const&)> done);
  void activate(std::string target, Answered done);
  void close(std::string target, Answered done);
  /// The id of the page in that tab.
  void find(TabId tab, Answered done);
  /// Whether it holds nothing and may be dropped: no clients, nothing attached, nothing asked.
  bool idle() const;
  Counts counts() const;

  // Time: when the owner must call tick() at the latest; to be asked after each entry.
  std::optional<Millis> deadline() const;  ///< on the steady clock
  void tick();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace any::cdp
