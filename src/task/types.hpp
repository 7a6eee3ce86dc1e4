#pragma once
// The words of a task: what was asked, what has become of it. Fields and defaults: docs/protocol.md.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace any::task {

enum class State : unsigned char { queued, dispatched, running, completed, failed, cancelled };
enum class World : unsigned char { main, isolated, user };
enum class Injection : unsigned char { none, scripting, user_scripts, debugger };
enum class Door : unsigned char { v1, prototype };

std::string_view to_string(State state) noexcept;
std::string_view to_string(World world) noexcept;
std::string_view to_string(Injection injection) noexcept;  ///< "scripting", "userScripts", "debugger", "" for none
std::optional<State> state_from(std::string_view text) noexcept;
std::optional<World> world_from(std::string_view text) noexcept;
std::optional<Injection> injection_from(std::string_view text) noexcept;
constexpr bool is_final(State state) noexcept {
  return state >= State::completed;
}

struct TabSpec {
  enum class Kind : unsigned char { active, id, url, open };
  Kind kind = Kind::active;
  std::int64_t id = 0;     ///< Kind::id
  std::string url{};       ///< Kind::url: a match pattern; Kind::open: the address
  bool background = true;  ///< Kind::open
  bool keep = false;       ///< Kind::open: the tab stays after the task's end
};

struct FrameSpec {
  enum class Kind : unsigned char { main, all, id, url };
  Kind kind = Kind::main;
  std::int64_t id = 0;
  std::string url{};
};

struct Request {
  std::string id;
  std::string script;
  std::string args = "null";  ///< JSON text
  std::string file = "script.js";
  std::optional<std::string> browser{};  ///< id or label
  TabSpec tab{};
  FrameSpec frame{};
  World world = World::main;
  std::optional<Millis> timeout = 30'000;        ///< per hop; nothing: none
  std::optional<Millis> queue_timeout = 60'000;  ///< nothing: for ever; 0: fail at once
  int retries = 0;
  int priority = 0;
  std::map<std::string, std::string> labels{};
  Door door = Door::v1;
};

/// The label of a task whose id the journal cannot take as it is (ids name files): its id as the prototype's client
/// gave it.
inline constexpr std::string_view client_id_label = "client_id";
/// The id by which whoever submitted the task knows it.
std::string const& client_id(Request const& request);

struct TabInfo {
  std::int64_t id = 0;
  std::string url{};
  std::string title{};
};

struct Attempt {
  int number = 1;
  std::string browser{};
  Millis dispatched = 0;  ///< wall
  std::optional<Millis> started{}, ended{};
  std::optional<Error> error{};
  std::string instance{};  ///< of the browser's extension when the newest start was sent
  bool requeued = false;   ///< proven not to have run: uses no retry
};

struct ConsoleLine {
  Millis time = 0;
  std::string level, text;
  int line = 0, column = 0;  ///< 0: not known
};

/// All that is known of a task but its result and screenshot, which the store keeps.
struct Record {
  Request request;
  State state = State::queued;
  std::optional<Error> error{};
  std::string result_type{};  ///< "", "json", "undefined"
  Injection injection = Injection::none;
  std::string browser{};  ///< of the newest attempt
  std::optional<TabInfo> tab{};
  std::vector<Attempt> attempts{};
  int hop = 0;
  std::string hop_url{};           ///< where the hop that runs or is due goes; empty on the first page
  std::string hop_state = "null";  ///< JSON text; `any.state`
  bool opened_tab = false;         ///< the tab was opened for this task
  bool hop_due = false;            ///< the hop is journaled and its start has not been sent
  bool cancelling = false;         ///< a program has cancelled it; the browser has not said yet how it ended
  std::vector<ConsoleLine> console{};
  std::string progress{};     ///< JSON text of the last any.progress; empty: none yet
  std::string waiting_for{};  ///< "", "browser", "tab"
  Millis created = 0;         ///< wall
  std::optional<Millis> started{}, ended{};
  bool has_screenshot = false;
  std::uint64_t last_seq = 0;  ///< of its events
};

/// One entry of a task's history, as watchers and the journal see it.
struct Event {
  std::uint64_t seq = 0;  ///< rises by one; what is not journaled carries the number of the event before it
  Millis time = 0;
  std::string kind;  ///< docs/protocol.md, "An event of a task"
  std::string data;  ///< the further members as JSON text, an object
  bool journaled = true;
};

/// Which run of a script a message speaks of.
struct RunKey {
  std::string task;
  int attempt = 1;
  int hop = 0;
  friend bool operator==(RunKey const&, RunKey const&) = default;
};

}  // namespace any::task
