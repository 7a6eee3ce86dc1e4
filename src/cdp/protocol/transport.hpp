#pragma once
// What the gateway needs of a browser, whichever way it is reached, and what it needs of its clients' sockets.

#include <boost/system/result.hpp>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace any::cdp {

using TabId = std::int64_t;
using ClientId = std::uint64_t;

/// An error as CDP says it.
struct Failure {
  int code = -32000;
  std::string message;
  std::string data{};  ///< text; left out where empty
};
[[noreturn]] void throw_exception_from_error(Failure const& failure, boost::source_location const& where);

/// The raw JSON text of a result, valid during the call.
using Answer = boost::system::result<std::string_view, Failure>;
using Answered = std::function<void(Answer const&)>;

/// What can be attached to: a tab, or a target that has none (a service worker, a shared worker).
struct Debuggee {
  TabId tab = -1;
  std::string target{};  ///< Chrome's target id; only where tab is -1
  friend auto operator<=>(Debuggee const&, Debuggee const&) = default;
};

/// The way to one browser. No call answers before it has returned. At a loss Gateway::link_down comes first, then every
/// call under way fails with code link_lost; while the link is down every call fails so at once (after the return).
/// tests/contracts holds each implementation to it.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Attaches anew: what an earlier attachment of ours had left there is gone.
  virtual void attach(Debuggee const& debuggee, Answered done) = 0;
  virtual void detach(Debuggee const& debuggee) = 0;
  /// A CDP command to the debuggee's own session (`session` empty) or to a child session of it. No time limit.
  virtual void send(Debuggee const& debuggee, std::string_view session, std::string_view method,
                    std::string_view params, Answered done) = 0;
  /// While on: a tab that this one opens is attached at once and sent `commands` ([{"method", "params"}]); then come
  /// the chrome events "debugger.followed" with [{opener, frame, tab, url, mark, error?}], `mark` being that of the
  /// commands which were sent, and "debugger.followedAnswers" with [{tab, answers: [{value} | {error}]}].
  virtual void follow(TabId tab, bool on, std::string_view commands, std::int64_t mark) = 0;
  /// While on: downloads of attached pages (in which windows) get a plain name, under which Chrome saves each without
  /// asking. Ends with the link.
  virtual void name_downloads(bool regular, bool incognito) = 0;
  /// Calls a function of chrome.*, e.g. "tabs.query" with R"([{"active":true}])". An error's message is Chrome's own.
  virtual void chrome(std::string_view path, std::string_view args, Answered done) = 0;
  /// Hears an event of chrome.* from now on (Gateway::chrome_event), until unsubscribe or the link's end.
  virtual void subscribe(std::string_view path) = 0;
  virtual void unsubscribe(std::string_view path) = 0;
  /// "sandbox.open" and its like (docs/protocol.md): a sandbox is a sandboxed page of our extension, in which a program
  /// runs that a client has brought. It ends with the link.
  virtual void sandbox(std::string_view method, std::string_view params, Answered done) = 0;
};

/// Failure::code of a call that the link did not survive, or that came while it was down.
inline constexpr int link_lost = -32099;

/// The sockets of the clients. Nothing here calls back into the gateway before it has returned.
class Sockets {
 public:
  virtual ~Sockets() = default;
  virtual void send(ClientId client, std::string text) = 0;
  /// After what is queued; Gateway::gone need not follow.
  virtual void close(ClientId client, std::uint16_t code, std::string_view reason) = 0;
};

/// A client inside the daemon, which has no socket: it gets what it would have been sent there, as it is. Nothing here
/// calls back into the gateway before it has returned.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// `id`: raw, as the command had it.
  virtual void answered(std::string_view id, Answer const& answer) = 0;
  /// `params`: a raw object.
  virtual void event(std::string_view session, std::string_view method, std::string_view params) = 0;
  /// The gateway has let go of it.
  virtual void closed(std::string_view reason) = 0;
};

/// Failure::code of Files::read_text where the folder itself is not there.
inline constexpr int no_folder = -32098;

/// What only the daemon can do with files.
class Files {
 public:
  virtual ~Files() = default;
  /// Moves a finished download; makes the folder. The answer is `{}`.
  virtual void move(std::string from, std::string to, Answered done) = 0;
  /// The same, and the file stays where it was too.
  virtual void copy(std::string from, std::string to, Answered done) = 0;
  /// A text file in that folder: an absolute path, which no link may lead out of. The answer is its text (up to 16
  /// MiB), the failure's data why there is none.
  virtual void read_text(std::string folder, std::string name, Answered done) = 0;
};

}  // namespace any::cdp
