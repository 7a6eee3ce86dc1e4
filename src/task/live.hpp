#pragma once
// What the core keeps in memory of each task that has not ended and of each browser that is linked or awaited.

#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "task/core.hpp"
#include "task/deadlines.hpp"

namespace any::task {

struct Bucket;

/// Where a task that has not ended stands; finer than its State.
enum class Phase : unsigned char {
  bucket,    ///< waits for a browser that fits
  blocked,   ///< waits behind others of the same tab spec, in one browser
  parked,    ///< waits for a tab, in one browser
  ready,     ///< to be sent to one browser as soon as it takes more
  sent,      ///< its start is under way and not answered
  accepted,  ///< the browser has it
  running    ///< the page has said that it runs
};
constexpr bool with_browser(Phase phase) noexcept {
  return phase >= Phase::sent;
}

struct Task {
  Record record;
  std::uint64_t age = 0;
  Phase phase = Phase::bucket;
  Bucket* bucket = nullptr;             ///< Phase::bucket
  Browser* browser = nullptr;           ///< every other phase
  std::optional<std::int64_t> wants{};  ///< the tab it is to run in, where that is known before it is sent
  std::optional<std::int64_t> held{};   ///< the tab of `browser` that is its own
  std::string spec{};                   ///< of a tab that only the browser can resolve ("active", a pattern); or empty
  bool promoted = false;                ///< Phase::ready because `wants` became free
  bool probing = false;                 ///< counted in its Group
  bool counted = false;                 ///< counted in Browser::in_flight
  bool opens = false;                   ///< counted in Browser::opening
  bool lapsed = false;                  ///< its queue_timeout has passed while a browser fitted
  bool taken = false;                   ///< accepted or started was seen for this run
  bool told_browser = false, told_tab = false;
  std::uint64_t confirmed = 0;  ///< the link_up that named it last
  std::optional<Error> cancelling{};
  int retries_used = 0, requeues = 0;
  bool console_full = false;
  std::size_t console_bytes = 0;
  std::size_t progress_events = 0, progress_bytes = 0;
  Millis progress_written = 0;             ///< mono: when one that is no event was written
  Timer opening{};                         ///< armed while `opens`
  Timer news{};                            ///< armed: the newest progress has not been told
  std::optional<Millis> queue_deadline{};  ///< mono
  Timer limit{};
  enum class Unwritten : unsigned char { no, update, insert } unwritten = Unwritten::no;
};

/// Higher priority first, then the older one.
inline bool precedes(Task const& a, Task const& b) noexcept {
  auto const left = a.record.request.priority, right = b.record.request.priority;
  return left != right ? left > right : a.age < b.age;
}
struct Precedes {
  bool operator()(Task const* a, Task const* b) const noexcept { return precedes(*a, *b); }
};
using TaskSet = std::set<Task*, Precedes>;

/// Tasks that ask the same of a browser: its name (or any), more than the main world or not, a page to be opened or
/// not, which door.
struct Bucket {
  std::string key, name;
  bool special = false, opens = false, prototype = false;
  TaskSet tasks;
  std::unordered_set<Task*> lapsed;
  bool served = false;                     ///< some linked browser fits
  std::optional<Millis> unserved_since{};  ///< mono: when the last one that fitted went
};

struct TabSlot {
  std::vector<Task*> holders;  ///< one, but for a browser that let two in
  TaskSet waiters;
  Task* promoted = nullptr;
  Timer again{};  ///< asks once more where the tab is busy with something the core knows nothing of
  Millis backoff = 0;
};

/// Tasks in one browser whose tab spec is the same and is resolved by the browser.
struct Group {
  TaskSet parked, blocked;
  std::size_t probing = 0;
};

struct Browser {
  BrowserState state;
  std::string instance;
  bool linked = false;
  std::uint64_t linked_at = 0;
  std::size_t in_flight = 0, opening = 0;
  std::unordered_set<Task*> runs;  ///< sent, accepted, running, and due hops
  TaskSet ready;
  std::map<std::int64_t, TabSlot> tabs;
  std::map<std::string, Group> groups;
  std::set<std::int64_t> contested;  ///< tabs that somebody waits for or is about to go on in
  std::set<std::int64_t> orphans;    ///< tabs with waiters and a timer instead of a holder
  std::vector<std::string> keys;     ///< of the buckets it can serve
  bool dirty = false;
  Timer lost{};
};

}  // namespace any::task
