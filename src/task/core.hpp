#pragma once
// The life of every task that has not ended: who gets what next, deadlines, retries, hops, cancels, lost links.
// No I/O and no clock of its own: an event goes in with its time, a Step comes out. The caller makes
// the Step's writes durable and only then lets its outputs go, in the order of the steps.

#include <memory>
#include <set>
#include <variant>

#include "task/types.hpp"

namespace any::task {

struct Limits {
  std::size_t max_waiting = 100'000;
  std::size_t max_waiting_bytes = std::size_t{512} << 20;  ///< scripts and args of tasks that have not ended
  Millis link_grace = 90'000;                              ///< how long a lost link is waited for
  std::size_t max_at_prototype = 1'000;  ///< tasks that one of the prototype's extensions may have at once
  Millis answer_grace = 10'000;          ///< past the hop's own deadline, before the daemon ends it itself
  std::size_t max_console = 1'000;       ///< lines of one task
  std::size_t max_console_bytes = std::size_t{4} << 20;
  std::size_t max_line_bytes = std::size_t{64} << 10;
  std::size_t max_progress = 1'000;  ///< values of any.progress that become events; further ones replace each other
  std::size_t max_progress_bytes = std::size_t{8} << 20;
  std::size_t max_value_bytes = std::size_t{1} << 20;  ///< of one value
  Millis progress_pause = 100;                         ///< between two of the further ones, to watchers
  Millis progress_kept = 5'000;                        ///< between two writes of the newest one
  int max_hops = 10'000;
  std::size_t max_state_bytes = std::size_t{16} << 20;  ///< url and state of any.next
  int max_in_flight = 256;                              ///< starts sent to one browser and not yet answered
  /// Of these, pages being opened: a browser told to open hundreds at once opens none in time. One that is slow (its
  /// server hangs, say) counts no more after `slow_page`, so that it does not hold up the others.
  int max_opening = 32;
  Millis slow_page = 10'000;
};

enum class BrowserKind : unsigned char { any, prototype };

/// What the core must know of a browser to choose it.
struct BrowserState {
  std::string id, label;
  BrowserKind kind = BrowserKind::any;
  bool paused = false;
  bool user_scripts = false, debugger = true;  ///< capabilities
  Millis used = 0;                             ///< wall: when the person last used it
};

struct Hold {
  enum class Phase : unsigned char { received, starting, running, finished };
  RunKey run;
  Phase phase = Phase::received;
};

/// How a run ended, in the browser's words.
struct Outcome {
  enum class Kind : unsigned char { value, next, error };
  enum class Started : unsigned char { yes, no, unknown };
  Kind kind = Kind::value;
  std::optional<std::string> value{};  ///< Kind::value: JSON text; nothing for undefined
  std::string url{}, state = "null";   ///< Kind::next
  Error error{};                       ///< Kind::error
  Started started = Started::yes;
  Injection injection = Injection::none;
  std::optional<TabInfo> tab{};
  std::string screenshot{};  ///< PNG bytes, or empty
};

// What must be written. Step::durable says whether the outputs wait for the disk.
// A record's console, progress and last_seq are those of the moment: lines and values that come later are journaled as
// events only, and fold() (task/json.hpp) adds those with seq > last_seq when the journal is read.
struct InsertTask {
  Record record;
};  ///< with script and args
struct UpdateTask {
  Record record;
};  ///< script and args are empty: they stay as they were written
struct FinishTask {
  Record record;
  std::optional<std::string> result;
  std::string screenshot;
};  ///< likewise
struct AppendEvent {
  std::string task;
  Event event;
};
using Write = std::variant<InsertTask, UpdateTask, FinishTask, AppendEvent>;

// What must be said, to whom. What is for a browser leaves only over the link that stood when the Step was made: where
// that link has gone meanwhile, it is dropped (the core has heard, or will hear, link_down and asks the browser what it
// holds).
struct SendStart {
  std::string browser;
  RunKey run;
  Request request;
  std::vector<std::int64_t> avoid;
  std::string hop_url, hop_state;
  std::optional<std::int64_t> hop_tab;
  bool opened_tab = false;
};
struct SendCancel {
  std::string browser;
  RunKey run;
  Error error;
};
struct SendForget {
  std::string browser;
  RunKey run;
};
struct AckFinish {
  std::string browser;
  std::uint64_t token = 0;
};  ///< the `token` of finished()
struct Publish {
  std::string task;
  Event event;
};  ///< to watchers; kind "end" is the last
using Output = std::variant<SendStart, SendCancel, SendForget, AckFinish, Publish>;

struct Step {
  std::vector<Write> writes;
  std::vector<Output> outputs;
  bool durable = false;  ///< outputs leave only when writes are on disk
};

class Core {
 public:
  explicit Core(Limits limits);
  ~Core();
  Core(Core&&) noexcept;
  Core& operator=(Core&&) noexcept;

  /// At start: the tasks of the journal that have not ended, oldest first, events folded in. Those that were dispatched
  /// or running wait for their browser.
  Step restore(std::vector<Record> records, Instant now);

  /// Takes a task whose id is not in the journal. Errors: QueueFullError; NoBrowserError is not an error here (the task
  /// then fails).
  Result<Step> submit(Request request, Instant now);
  /// A waiting task is cancelled at once. One that a browser has ends when the browser says so, 5 s later, when the
  /// link is lost or at the next restore(), whatever is first; the Step then holds no end yet, but the wish is written.
  /// Asking again changes nothing. Errors: NotFoundError where no such task is alive (ended or unknown: the store
  /// knows).
  Result<Step> cancel(std::string_view task, Instant now);
  /// For a submit whose writes could not be made durable (DiskFullError): the task is forgotten, as if never submitted.
  /// Only before any output of submit's Step has left.
  Step undo_submit(std::string_view task, Instant now);

  Step link_up(BrowserState browser, std::string_view instance, std::vector<Hold> const& holds, Instant now);
  Step link_down(std::string_view browser, Instant now);
  Step browser_changed(BrowserState browser, Instant now);

  // The three answers to SendStart.
  Step accepted(std::string_view browser, RunKey const& run, TabInfo tab, Instant now);
  Step busy(std::string_view browser, RunKey const& run, std::int64_t tab, Instant now);
  Step refused(std::string_view browser, RunKey const& run, Error error, Instant now);

  Step started(std::string_view browser, RunKey const& run, std::optional<TabInfo> tab, Injection injection,
               Instant now);
  Step progress(std::string_view browser, RunKey const& run, std::string value, Instant now);
  Step console(std::string_view browser, RunKey const& run, ConsoleLine line, Instant now);
  /// Always answered by an AckFinish with `token`, also where the end came too late to count.
  Step finished(std::string_view browser, RunKey const& run, Outcome outcome, std::uint64_t token, Instant now);

  /// Runs whatever deadline has passed.
  Step tick(Instant now);
  /// On the steady clock.
  std::optional<Millis> next_deadline() const;

  /// A task that has not ended, or null.
  Record const* find(std::string_view task) const;
  /// Ids of the tasks that a browser has now.
  std::vector<std::string> running_on(std::string_view browser) const;
  struct Counts {
    std::size_t queued = 0, dispatched = 0, running = 0;
  };
  Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace any::task
