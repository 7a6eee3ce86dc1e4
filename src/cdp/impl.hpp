#pragma once
// The gateway's state and its functions; each lies in the room of its subject (the README.md there says which):
//   gateway.cpp         the entries, and the link's coming
//   endings.cpp         what is reset when an attachment, a target, a session, a client, the link or the browser ends
//   commands.cpp        a client's command on its way to Chrome
//   events.cpp          Chrome's events on their way to the clients
//   target_methods.cpp  Target.*

#include <memory>
#include <unordered_map>

#include "cdp/browser/browser_contexts.hpp"
#include "cdp/browser/cookies.hpp"
#include "cdp/browser/downloads.hpp"
#include "cdp/browser/permissions.hpp"
#include "cdp/gateway.hpp"
#include "cdp/link_state.hpp"
#include "cdp/model/inquiry.hpp"
#include "cdp/model/new_tabs.hpp"
#include "cdp/model/tabs.hpp"
#include "cdp/model/targets.hpp"
#include "cdp/protocol/methods.hpp"
#include "cdp/protocol/timers.hpp"
#include "cdp/session/clients.hpp"
#include "cdp/session/settling.hpp"
#include "cdp/synthetic/extensions.hpp"
#include "cdp/synthetic/made_targets.hpp"
#include "cdp/synthetic/plans.hpp"

namespace any::cdp {

struct Gateway::Impl {
  Impl(Transport& to, Sockets& clients_sockets, Files& with_files, Clock const& with_clock, Limits within);

  // gateway.cpp
  void link_up(Facts said);
  void link_down(std::string_view why);
  void ready();
  void say_missed(Target& target);  ///< in attach.cpp
  void open(ClientId id, Entry entry, Receiver* receiver = nullptr);
  void begin(Client& client);
  void receive(ClientId id, std::string_view text);
  void receive(Command command, std::size_t size);
  void close(ClientId id, std::uint16_t code, std::string_view reason);  ///< from our side; gone() follows
  void gone(ClientId id);
  void subscribe_while_needed();
  void wait_for_link();  ///< whoever waits for it is told after a while that it has not come
  void give_up_on_link(std::uint64_t outage);
  void forget_browser();  ///< the grace has ended: what comes next may be another start of it
  /// Now, or once the browser has told its tabs; or when that is given up (unseen).
  void once_known(std::function<void()> call);
  std::optional<Failure> unseen() const;  ///< why its tabs are not known

  // model/tabs.cpp
  void look();  ///< asks for all tabs and targets; ready() follows
  void look_failed(Failure const& why);
  void give_up_looking(Failure const& why);
  void finding_failed();
  void read_tabs(boost::json::value const& tabs);
  void read_targets(boost::json::value const& targets);
  void tab_event(std::string_view path, boost::json::array const& args);
  void navigation_event(std::string_view path, boost::json::object const& details);
  void tab_created(boost::json::object const& tab);
  void tab_updated(TabId id, boost::json::object const& change, boost::json::object const& tab);
  void tab_removed(TabId id);
  void tab_replaced(TabId added, TabId removed);
  void find_targets_of_new_tabs();
  void keep_profile_of(TabId closing, std::function<void()> then);
  void followed(boost::json::object const& said);
  void opener_known(TabId id);
  void decide_late(TabId id);
  Target& appear(TargetInfo info, Debuggee debuggee);  ///< known from now on, told to whom it concerns
  void changed(Target& target);
  void vanish(std::string id);
  /// Of a page its tab's place, of all else one behind them.
  std::uint64_t place_of(Target const& target) const;
  std::string context_of(Tab const& tab) const;
  Tab const* tab_of(Target const& target) const { return tabs.find(target.debuggee.tab); }
  Target* target_of(TabId tab);
  Target* target(std::string_view id) const { return targets.find(id); }
  bool ordinary(Target const& target) const;  ///< the page in a tab
  static std::string tab_target_id(std::string_view page);
  TargetInfo tab_info(Target const& page) const;

  // session/sessions.cpp
  Client* client(ClientId id) { return clients.find(id); }
  Session* session(ClientId id, std::string_view session_id) { return clients.session(id, session_id); }
  Session* session(SessionKey const& key) { return clients.session(key); }
  /// Begins a session, and says Target.attachedToTarget on `parent`.
  Session& announce(Session& parent, Session::Kind kind, Target& on, bool automatic);
  /// To a session that comes to a worker whose script has run: Chrome says it to each once.
  void tell_script_loaded(Session const& to, Target const& on);
  /// Undoes what the session alone had switched on, and ends its child sessions. `say`: Target.detachedFromTarget.
  void end_session(ClientId owner, std::string const& id, bool say);
  void take_back(Session& of, Target& on);
  void auto_attach(Session& session);               ///< announces what is there already
  void announce_where_wanted(Target& on);           ///< to every session that attaches automatically
  void announce_once(Session& parent, Target& on);  ///< unless it has come by the parent's own wish already
  bool wants(Session const& parent, Target const& on, Session::Kind kind) const;
  void update_auto_attach(Target& on);  ///< tells Chrome what the sessions together want
  void tell_discovered(Session& session, Target& of);
  void resume_if_free(Target& on);

  // What a client gets. Each ticket is answered once.
  void reply(Ticket const& ticket, std::string_view result);
  void fail(Ticket const& ticket, Failure const& failure);
  void event(Session const& to, std::string_view method, std::string_view params);

  // model/shared_workers.cpp
  bool workers_wanted() const;  ///< by a client that uses a page
  void watch_workers();         ///< looks for them each second as long as they are wanted
  void look_for_workers();
  void read_workers(boost::json::array const& list);
  std::string context_of_site(std::string_view url) const;

  // attach/attach.cpp
  void wake(Target& target);       ///< attaches where it is loose
  void wake_soon(Target& target);  ///< where Chrome has let go of a page that is still wanted
  void attach_now(Target& target);
  void attached(std::string const& id, std::uint64_t attachment, Answer const& answer);
  void attach_refused(Target& target, Failure const& why);  ///< by Chrome
  void restore(Target& target);
  void restored(Target& target);
  void frames_restored(Target& target, std::string_view tree);  ///< in frames.cpp
  void restoring_asked(Target& target, std::string_view method, std::string_view params, Answered then);
  static bool goes_without_attaching(std::string_view method);  ///< chrome.tabs can do it
  /// What chrome.tabs can do of a page that cannot be attached to; false: nothing.
  bool go_without_attaching(Target& target, Command const& command);
  /// Answers it when the target's next page has come, or after a while with an error; its number among those.
  std::uint64_t await_page(Target& target, Ticket const& ticket);
  void give_up_on_page(std::string const& target, std::uint64_t number, Failure const& why);
  void answer_navigating(Target& target);  ///< its page has come
  void lost(
      Target& target, Failure const& why,
      Attachment::Event event = Attachment::Event::ended);  ///< the attachment is gone; commands in flight are answered
  void detached(Target& target, std::string_view reason);
  void let_go(Target& target);
  void let_go_when_idle(Target& target);
  bool needed(Target const& target) const;
  void crashed(Target& target);
  void flush(Target& target);

  // synthetic/popups.cpp
  /// Follows what the page opens while a client that attaches automatically uses it.
  void update_follow(Target& target);
  std::vector<Foreseen> foresee(Client const& by, std::string_view context);
  void plans_changed();  ///< a client has said what it may say to a popup too
  void begin_foreseen(Target& popup, std::int64_t mark);
  /// The client says what was foreseen of it: false: it was not, or Chrome has refused it.
  bool take_foreseen(Session& by, Target& popup, SessionState::Entry& entry, std::string_view key);
  void foreseen_told(boost::json::object const& said);
  void foreseen_answered(Target& popup, boost::json::array const& answers);
  void say_again(Target& popup, Foreseen const& row);
  void forget_foreseen(Target& popup);
  void begin_settling(Session const& on_popup);
  bool kept_while_settling(Session const& to, std::string_view method, std::string_view params);
  void settle(SessionKey const& session);

  // commands.cpp
  void run(Command command);
  void run_on_target(Session& by, Target& on, Command command);
  void carry_out(Session& by, Target& on, Command command);  ///< the target is attached
  /// Sees the answer before the client does; a string that it returns is what the client gets.
  using Seen = std::function<std::optional<std::string>(Answer const&)>;
  void pass(Target& on, Ticket const& ticket, std::string_view method, std::string_view params, Seen seen = nullptr);
  void pass_again(Target& on, std::uint64_t flight, Command const& command);  ///< Chrome has not begun with it
  /// Chrome refuses it, because of what its page shows by now: by chrome.tabs.
  void go_instead(Target& on, std::uint64_t flight, Command const& command, Failure const& why);
  bool still_owed(Target& on, std::uint64_t flight, Command const& command);  ///< once: nobody has answered it yet
  std::deque<Command> take_waiting(Target& on);
  void waits_no_more(Command const& command);
  void wait_for(Target& on, Command command);           ///< until it is attached, or the link is back
  void note_frames(Target& on, std::string_view tree);  ///< in frames.cpp
  void get_frame_tree(Session& by, Target& on, Command const& command);
  void create_world(Session& by, Target& on, Command const& command);
  void enable(Session& by, Target& on, Command const& command);
  void disable(Session& by, Target& on, Command const& command);
  void set(Session& by, Target& on, Command const& command, Rule const& rule);
  void unset(Session& by, Target& on, Command const& command, Rule const& rule);
  void add_script(Session& by, Target& on, Command const& command);
  void remove_script(Session& by, Target& on, Command const& command);
  void add_binding(Session& by, Target& on, Command const& command);
  void remove_binding(Session& by, Target& on, Command const& command);
  void run_if_waiting(Session& by, Target& on, Command const& command);
  bool enabled(Target const& on, std::string_view domain, Session const* except = nullptr) const;
  void tell(Target& on, std::string_view method, std::string_view params);  ///< no client asked for it

  // attach/unattached.cpp
  /// Answers what can be answered; false: the target must be attached.
  bool answer_unattached(Session& by, Target& on, Command const& command);
  /// The same of a page that Chrome refuses, for whichever session; false: it must be told so.
  bool answer_refused(Target& on, Command const& command);
  /// `handshake`: whatever a client sets up in a tab before it wants anything of it.
  bool answer_as_known(Session& by, Target& on, Command const& command, bool handshake);
  bool in_handshake(Session const& by, Command const& command);  ///< which clients make with every tab
  void invent_loader(Target& on) const;                          ///< where the page's own is not known
  std::string frame_tree(Target const& on) const;
  /// `begins`: of a document that comes now.
  void tell_lifecycle(Session const& to, Target const& on, bool begins = false);
  void navigated_unattached(Target& on, std::string_view url);
  void loaded_unattached(Target& on, std::string_view what);
  void make_contexts(Target& on);  ///< one for each world that the clients know of

  // attach/silent.cpp
  void watch_handshake(Session& by, Target& on);  ///< what the page has not answered in a moment is answered for it
  void answer_in_stead(Session& by, Target& on);
  void keep_for_later(Command const& command);  ///< it has been answered, and the page could not be attached to

  // events.cpp
  void debugger_event(Debuggee const& debuggee, std::string_view upstream, std::string_view method,
                      std::string_view params);
  Target* target_at(Debuggee const& debuggee, std::string_view upstream) { return targets.find_at(debuggee, upstream); }
  void target_event(Target& on, std::string_view method, std::string_view params);
  void send_contexts(Session const& to, Target const& on);
  void contexts_cleared(Target& on);
  void spread(Target& on, std::string_view method, std::string_view params);
  bool hears(Session const& session, std::string_view domain, std::string_view method, std::string_view params) const;
  void child_attached(Target& on, std::string_view params);
  void child_detached(Target& on, std::string_view params);
  void child_changed(std::string_view params);
  /// The way to a child by this page is no more: a service worker goes on by another of its pages, all else vanishes.
  void part_with(std::string const& child, Debuggee const& page);
  void part_with_children(Target const& page);
  void frame_event(Target& on, std::string_view method, std::string_view params);

  // intercepting.cpp: what the interceptions of a target need of it (intercept/)
  void intercept(Session& by, Target& on, Command const& command);
  void paused(Target& on, std::string_view method, std::string_view params);
  void update_patterns(Target& on);
  void stop_intercepting(Session& by, Target& on);

  // target_methods.cpp; browser/: false where the method is not theirs
  bool target_method(Session& by, Command const& command);
  bool browser_method(Session& by, Command const& command);
  void tab_opened_for(ClientId client, TabId tab, std::string context);
  void create_target(Session& by, Command const& command, boost::json::object const& params);
  void close_target(std::string id, Answered done);
  void activate_target(std::string id, Answered done);
  void create_context(Session& by, Command const& command, boost::json::object const& params);
  void dispose_context(std::string id, Answered done);
  void download_event(Target& on, std::string_view method, std::string_view params);
  void chrome_download(std::string_view path, boost::json::array const& args);

  // browser/
  /// Carries the command out again once the browser has told its tabs; false: it has.
  bool put_off(Command const& command);
  /// The context that a command means: the one it names, else its page's, else the profile. -32602 where there is none.
  boost::system::result<std::string, Failure> context_meant(Session const& by, Params& params);
  BrowserContext* context(std::string_view id) { return contexts.find(id); }
  bool incognito_context(std::string_view id) const;
  bool window_method(Session& by, Command const& command);
  bool cookie_method(Session& by, Command const& command);
  void set_cookies(Ticket const& ticket, std::string context, std::vector<boost::json::object> cookies);
  void set_cookies_by_page(Session const& by, Target& on, Command const& command);  ///< Network.setCookie(s)
  void clear_cookies(Ticket const& ticket, std::string const& context);
  bool permission_method(Session& by, Command const& command);
  /// Sets a site's permission for as long as the client stays.
  void grant(Grant wish, Answered done);
  void take_back_grants(ClientId client, std::string_view context, Answered done);  ///< context empty: all
  bool download_method(Session& by, Command const& command);
  bool extension_method(Session& by, Command const& command);
  /// Pages tell of their downloads only while their Page domain is enabled: by a client, or by us for those that want
  /// to hear of downloads.
  void hear_downloads(Target& on);
  void hear_downloads();
  void name_downloads();  ///< tells the browser in which windows clients want downloads saved
  void join(Download& download);
  /// Where it waits for the person, or was given up for want of an answer: its page's clients are told, and what to do.
  void tell_what_holds(Download const& download);
  void warn_page(Download const& download, std::string_view text);  ///< a line in the log of the page that it is from
  void finish(Download& download);
  void deliver(std::string const& guid, std::string const& file);
  void tell_download(Download const& download, std::string_view state, std::map<ClientId, std::string> const& paths);
  void drop_download(std::string const& guid);
  void look_for_downloads();  ///< what has become of them while the link was down
  /// Makes a tab as Target.createTarget has it; the answer is chrome.tabs' Tab.
  void make_tab(std::string context, boost::json::object wish, Answered done);
  void create_tab(std::string url, std::function<void(boost::system::result<Listed, Failure> const&)> done);
  void make_tab_in(std::string context, std::int64_t window, boost::json::object wish, Answered done);
  void make_window(std::string context, boost::json::object wish, Answered done);
  void need_incognito_window(std::string context, Answered done);
  void tab_made(std::string const& context, boost::json::object const& tab);
  void inherit_context(TabId tab, TabId opener);  ///< what a page of a tab group opens belongs to it
  void tab_never_told(TabId tab);                 ///< it went before its target was known
  void go_to_pending_url(Target& on);
  std::set<TabId> tabs_of(BrowserContext const& of) const;

  // synthetic/extensions.cpp
  void load_extension(Command const& command);
  void read_manifest(LoadedExtension& loading, std::string_view text);
  void read_next(std::uint64_t sandbox);  ///< of the files it needs; then the sandbox is opened
  void open_sandbox(LoadedExtension& loading);
  void loaded(std::uint64_t sandbox, Answer const& answer);
  void end_extension(std::uint64_t sandbox, Failure const& why);
  void extensions_of_gone(ClientId client);
  void sandboxes_lost();  ///< with the link
  void sandbox_event(std::string_view path, boost::json::object const& said);

  // synthetic/made_targets.cpp
  std::string make_target_id();
  MadeTarget const& make_target(MadeTarget made);
  void unmake_target(std::string const& id);
  std::string made_json(MadeTarget const& made) const;
  void tell_made(Session& session, MadeTarget const& made);
  void made_changed(std::string const& id);
  void attach_made(Session& by, MadeTarget const& made, Ticket const& ticket);
  void create_hidden(Session const& by, Ticket const& ticket, std::string url, std::string context);
  void run_on_made(Session& by, Command const& command);
  void run_in_worker(Session& by, MadeTarget const& worker, Command const& command);
  void binding_called(LoadedExtension const& extension, std::string_view name, std::string_view payload);

  // synthetic/worker_sockets.cpp
  void worker_dials(LoadedExtension const& extension, std::int64_t number, std::string_view url);
  void worker_hangs_up(ClientId socket);
  void close_worker_sockets(std::uint64_t sandbox);

  Transport& transport;
  WorkerSockets worker_sockets;
  Sockets& sockets;
  Files& files;
  Clock const& clock;
  Limits limits;
  Timers timers{clock};
  Facts facts;
  LinkState link;
  Inquiry looking;               ///< all tabs and targets
  Inquiry finding;               ///< the targets of new tabs
  bool find_again = false;       ///< once that is answered
  std::optional<Failure> blind;  ///< while those who wait are told that the browser does not tell its tabs
  Clients clients;
  Tabs tabs;
  Targets targets;
  NewTabs new_tabs;
  Plans plans;
  bool planning = false;
  Settling settling;
  BrowserContexts contexts;
  std::vector<std::function<void()>> when_known;  ///< who waits for the browser's tabs
  Downloads downloads;
  ClientsCookies clients_cookies;
  Grants grants;
  LoadedExtensions extensions;
  MadeTargets made_targets;
  bool watching_workers = false;  ///< the next look is set
  /// A page that no client has asked anything of for so long is not watched.
  static constexpr Millis worth_watching = 30'000;
  std::string default_context;
  std::uint64_t last_flight = 0;
};

}  // namespace any::cdp
