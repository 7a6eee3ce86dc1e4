#pragma once
// any::Client: run scripts in the browser you already use, from C++.
//
//   any::Client client;                                        // the daemon of this user (any serve)
//   std::optional<std::string> title = client.run("return document.title");   // JSON text
//
// JSON goes in and comes out as text: use whatever library you like with it. Every failure is an any::Failure.
// A Client is used by one thread at a time; only interrupt() may be called by others, and by signal handlers.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace any {

using Milliseconds = std::chrono::milliseconds;

/// What went wrong; what() is the sentence that says what to do.
class Failure : public std::runtime_error {
 public:
  Failure(std::string name, std::string const& message, std::string json);
  /// One of the names of docs/protocol.md ("ScriptError", "NoBrowserError", "UnavailableError" …), or "Interrupted".
  std::string const& name() const noexcept { return name_; }
  /// The whole error as a JSON object: message, stack, file, line, column, path, tabs …
  std::string const& json() const noexcept { return json_; }

 private:
  std::string name_, json_;
};

struct ClientOptions {
  std::string daemon{};     ///< http://127.0.0.1:8766; empty: ANY_DAEMON, else the configuration's
  std::string token{};      ///< empty: ANY_TOKEN, else read from the state folder
  std::string state_dir{};  ///< empty: the configuration's
};

/// Which tab a script runs in.
class Tab {
 public:
  /// The tab that was used last.
  static Tab active();
  static Tab id(std::int64_t id);
  /// A match pattern, e.g. "https://*.example/*".
  static Tab matching(std::string_view pattern);
  /// A new one; `keep`: it stays open after the task's end.
  static Tab open(std::string_view url, bool background = true, bool keep = false);
  std::string const& json() const noexcept { return json_; }

 private:
  explicit Tab(std::string json) : json_{std::move(json)} {}
  std::string json_;
};

/// All but the script; the defaults are those of docs/protocol.md.
struct TaskOptions {
  std::string args = "null";  ///< JSON text; the script sees it as `args`
  std::string id{};           ///< the same id twice is the same task; empty: one is made up
  std::string file{};         ///< name that positions in errors carry
  std::string browser{};      ///< id or label; empty: any
  Tab tab = Tab::active();
  std::string frame = "\"main\"";                              ///< JSON text: "main", "all", a number or {"url": …}
  std::string world = "main";                                  ///< main, isolated, user
  std::optional<Milliseconds> timeout = Milliseconds{30'000};  ///< a page; nothing: none
  std::optional<Milliseconds> queue_timeout = Milliseconds{60'000};  ///< nothing: for ever; 0: fail at once
  int retries = 0;
  int priority = 0;
  std::map<std::string, std::string> labels{};
};

struct Event {
  std::string task;
  std::uint64_t seq = 0;
  std::string kind;  ///< queued, dispatched, started, progress, console, hop, requeued, retry, waiting, end
  std::string json;  ///< the whole event as a JSON object
};
using EventHandler = std::function<void(Event const&)>;
/// `params` is a JSON object.
using NotificationHandler = std::function<void(std::string_view method, std::string_view params)>;

class Client;

/// One task of the daemon. The Client must outlive it, and stay where it is.
class TaskHandle {
 public:
  std::string const& id() const noexcept { return id_; }
  /// Waits for the end: what the script returned, as JSON text; nothing where it returned undefined. A restart of the
  /// daemon meanwhile is waited out. Throws the task's own failure; "TimeoutError" with a "state"
  /// in its JSON where `timeout` has passed first: the task goes on.
  std::optional<std::string> result(std::optional<Milliseconds> timeout = std::nullopt);
  /// Calls `handler` with each event from the first on, from inside any waiting call of the client.
  void on_event(EventHandler handler);
  /// The record as a JSON object, now.
  std::string record();
  void cancel();

 private:
  friend class Client;
  TaskHandle(Client& client, std::string id) : client_{&client}, id_{std::move(id)} {}
  Client* client_;
  std::string id_;
};

class Client {
 public:
  /// Connects. Throws "UnavailableError", "UnauthorizedError", "BadRequestError" (of the configuration).
  explicit Client(ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  TaskHandle submit(std::string_view script, TaskOptions const& options = {}, EventHandler on_event = {});
  /// submit() and result().
  std::optional<std::string> run(std::string_view script, TaskOptions const& options = {}, EventHandler on_event = {});
  /// A task that is known by its id.
  TaskHandle task(std::string id);

  // Each answers the JSON object of docs/protocol.md.
  std::string tasks(
      std::string_view filter = "{}");  ///< {"tasks": […], "next": …}; filter: state, label, browser, limit, before
  std::string browsers();               ///< {"browsers": […]}
  std::string tabs(std::string_view browser = {});  ///< {"tabs": […]}
  std::string health();
  std::string logs(int limit = 200);  ///< {"lines": […]}
  /// The first browser that is linked, waited for. Throws "NoBrowserError".
  std::string wait_for_browser(Milliseconds timeout);
  /// Calls `handler` with each log line (a JSON object) until interrupt() or until it answers false.
  void follow_logs(std::function<bool(std::string_view line)> const& handler);

  /// Any method of the RPC socket; the raw JSON text of its result. Throws "TimeoutError" after `timeout`,
  /// "Interrupted", "UnavailableError" where the daemon has gone (connect() tries again), or the daemon's own error.
  std::string call(std::string_view method, std::string_view params = "{}",
                   std::optional<Milliseconds> timeout = Milliseconds{60'000});
  /// For notifications nobody else takes; called from inside any waiting call.
  void on_notification(NotificationHandler handler);
  /// Takes notifications until `done` says so: true; false where `timeout` has passed first.
  bool wait(std::function<bool()> const& done, std::optional<Milliseconds> timeout = std::nullopt);
  /// Ends the call that waits now, or else the next one, by "Interrupted". Safe in a signal handler.
  void interrupt() noexcept;

  bool connected() const noexcept;
  /// Anew where the connection was lost; events that are followed go on where they stood.
  void connect();
  std::string const& daemon() const noexcept;

 private:
  friend class TaskHandle;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace any
