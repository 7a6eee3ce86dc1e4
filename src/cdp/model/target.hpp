#pragma once
// What can be driven: a page, a frame of another site, a worker, a tab around a page, the browser.

#include <boost/json/value.hpp>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "base/clock.hpp"
#include "cdp/attach/attachment.hpp"
#include "cdp/intercept/interceptions.hpp"
#include "cdp/model/execution_contexts.hpp"
#include "cdp/model/replay.hpp"
#include "cdp/protocol/command.hpp"

namespace any::cdp {

struct Session;
class Clients;

/// How the ids begin that stand for a document's loader while its tab is not attached.
inline constexpr std::string_view our_loader = "A11E";

struct TargetInfo {
  std::string id, type, title{}, url{};
  std::string opener{}, opener_frame{}, parent_frame{}, context{}, subtype{};
};

/// `attached`: as a client sees it.
std::string info_json(TargetInfo const& info, bool attached);

/// Which targets a client wants to hear of, in CDP's own form: the first entry that fits decides.
class TargetFilter {
 public:
  /// What Chrome takes where a client gives none: everything but `tab` and `browser`.
  TargetFilter();
  static boost::system::result<TargetFilter, Failure> read(boost::json::value const& filter);
  bool lets(std::string_view type) const;

 private:
  struct Row {
    std::string type;  ///< empty: any
    bool exclude = false;
  };
  std::vector<Row> rows_;
};

struct Frame {
  std::string parent, loader, url;
  std::string navigated;  ///< raw params of the last Page.frameNavigated
};

/// A command on its way through Chrome, so that it can be answered if Chrome never does.
struct InFlight {
  Ticket ticket;
  std::string goes_to{};  ///< Page.navigate: its address, where Chrome's debugger perhaps cannot follow
  bool input = false;     ///< Input.dispatch…: what it does may close the page, which is no failure of it
  bool uploads = false;   ///< DOM.setFileInputFiles, which needs a switch of the extension's
  std::optional<Command> handshake{};  ///< what can be said in the page's stead (silent.cpp)
  int script = 0;                      ///< and, of a script, as what the client knows it
};

/// A command that a popup is sent at its creation, because a client is expected to say it (popups.cpp).
struct Foreseen {
  enum class State : unsigned char { asked, done, refused };

  ClientId client = 0;  ///< 0: our own
  std::string method, params;
  std::string given{};           ///< script: Chrome's identifier
  std::string session{}, key{};  ///< whose state has it now, under which key
  bool taken = false;            ///< the client has said it
  State state = State::asked;

  bool operator==(Foreseen const&) const = default;
};

/// Who tells of a document's Page.loadEventFired. Chrome tells it once: of a document that came while its page was not
/// attached it may have passed before Chrome knew that somebody listens.
enum class LoadEvent : unsigned char {
  chromes,  ///< Chrome
  either,   ///< Chrome or webNavigation, whoever is first
  told,     ///< webNavigation has: Chrome's own, if it still comes, is the second
};

/// A Page.navigate that is answered when the page has come, which tabs and webNavigation tell.
struct AwaitedPage {
  std::uint64_t number = 0;
  Ticket ticket;
};

/// The clients' sessions on a target, the oldest first. Clients alone (session/clients.hpp) adds and removes.
class SessionsOn {
 public:
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  std::vector<Session*>::const_iterator begin() const { return rows_.begin(); }
  std::vector<Session*>::const_iterator end() const { return rows_.end(); }

 private:
  friend class Clients;
  std::vector<Session*> rows_;
};

struct Target {
  Target(std::uint64_t& attachments, std::int64_t& context_ids) : attachment(attachments), contexts(context_ids) {}

  TargetInfo info;
  Debuggee debuggee;
  std::string upstream;  ///< Chrome's session id below the debuggee; empty: its own
  std::string parent;    ///< id of the target whose session announced it; empty: none
  std::vector<std::pair<Debuggee, std::string>> other_ways{};  ///< to a service worker that other pages have too
  Attachment attachment;
  bool held = false;                      ///< Chrome has stopped it until Runtime.runIfWaitingForDebugger
  std::vector<AwaitedPage> navigating{};  ///< by the time they began
  bool follows = false;                   ///< the tabs that it opens are attached at once
  std::int64_t popups_get = 0;            ///< the plan by which they are (popups.cpp)
  std::vector<Foreseen> foreseen{};       ///< a popup: what it was sent, as long as it matters
  bool requests_held = false;             ///< a popup: its requests wait until the clients have set it up
  std::vector<std::pair<std::string, std::string>> held_requests{};  ///< Fetch events meanwhile: method and params
  bool crashed = false;
  bool silent = false;                    ///< has not answered a handshake, nor anything else since
  std::set<std::uint64_t> said_in_stead;  ///< commands in Chrome's hands that have been answered (silent.cpp)
  bool frames_guessed = false;            ///< a client was told the frames as they were known, not as Chrome tells them
  bool script_loaded = false;             ///< a worker: Inspector.workerScriptLoaded has come
  bool discarded = false;
  std::string committed{};   ///< address of the last page that webNavigation told while attached, or attaching
  bool fresh = false;        ///< a new tab whose first page has not come yet
  bool unannounced = false;  ///< appeared while the browser's tabs were not known
  bool closing = false;      ///< a client closes it: no dialog of its page shall keep it
  LoadEvent load_event = LoadEvent::chromes;
  bool complete = true;            ///< the page has loaded, for all that is known without being attached
  bool objects_lost = false;       ///< the attachment went in which clients had made objects
  bool scripted = true;            ///< its document came while the sessions' scripts were in force
  Millis missed_since = 0;         ///< since when nobody has seen its events, the link being lost; 0: they are seen
  Millis used = 0;                 ///< when a client last asked something of it
  std::string pending_url;         ///< where it goes when no session holds it any more; empty: it is there
  std::set<std::string> set_once;  ///< what Chrome takes once, in the present attachment
  std::string auto_attach;         ///< params of the Target.setAutoAttach that is in force in Chrome

  SessionsOn sessions;
  std::map<std::string, int> enabled;  ///< domains on in Chrome
  Replay replay;
  Interceptions interceptions;
  ExecutionContexts contexts;
  std::map<std::string, Frame> frames;
  double last_told = 0;         ///< time of the newest console line told, ms since 1970
  std::string main_loader;      ///< of the document, ours while not attached
  std::deque<Command> waiting;  ///< for the attachment
  std::map<std::uint64_t, InFlight> in_flight;
};

}  // namespace any::cdp
