#pragma once
// A small world around the core, driven by one seed: simulated browsers, links that are cut, a disk that syncs late, a
// daemon that is killed and comes back with what was on that disk. Each promise is checked where it could break.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "task/core.hpp"

namespace any::task::sim {

/// A promise was broken; the text says which.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a durable journal holds of a task.
struct Entry {
  Record record;
  std::vector<Event> events;
  int ends = 0;
};

/// A run as a simulated extension keeps it.
struct Run {
  RunKey key;
  Hold::Phase phase = Hold::Phase::received;
  std::int64_t tab = 0;
  bool opened = false;
  Outcome outcome{};
  std::uint64_t token = 0;
};

class World;
using Message = std::function<void(World&)>;

struct SimBrowser {
  std::string id;
  int instance = 1;
  std::uint64_t link = 0;  ///< 0: not linked
  bool paused = false;
  Millis used = 0;
  std::deque<Message> to_daemon, to_extension;
  std::vector<Run> runs;
  std::set<std::int64_t> tabs{1, 2, 3};
  std::int64_t active = 1, next_tab = 10;
};

class World {
 public:
  World(std::uint64_t seed, bool trace);
  /// Chaos first, then quiet until everything has ended. Throws Broken.
  void run();
  std::size_t ended() const { return ended_; }
  std::size_t starts() const { return total_starts_; }

 private:
  struct Waiting {
    Step step;
    std::string submitted{};
    std::map<std::string, std::uint64_t> links{};
  };

  std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(random_); }
  bool chance(int percent) { return pick(100) < static_cast<std::size_t>(percent); }
  void trace(std::string const& text) const;

  // disk.cpp
  void take(Step step, std::string submitted = {});
  void release(Waiting& waiting);
  void check_order(Step const& step);
  void forget_waits(std::string const& browser);
  void tell_changed(SimBrowser& at);
  void flush_released();
  void sync();
  void apply(std::vector<Write> const& writes);
  void crash();
  void check_acked(RunKey const& run) const;

  // extension.cpp
  SimBrowser* browser(std::string_view id);
  Run* find_run(SimBrowser& at, RunKey const& key);
  void drop_run(SimBrowser& at, RunKey const& key);
  bool occupied(SimBrowser const& at, std::int64_t tab, std::string const& by) const;
  void on_start(SimBrowser& at, SendStart const& start);
  void on_cancel(SimBrowser& at, SendCancel const& cancel);
  void begin_run(SimBrowser& at, Run& run);
  void end_run(SimBrowser& at, Run& run);
  void say_finish(SimBrowser& at, Run& run);
  void finish_with(SimBrowser& at, Run& run, Outcome outcome);
  void connect(SimBrowser& at);
  void cut(SimBrowser& at);
  void lose_instance(SimBrowser& at, bool whole_browser);
  void step_run(SimBrowser& at);
  BrowserState state_of(SimBrowser const& at) const;

  // world.cpp
  void act();
  void submit();
  void pass_time(Millis most);
  bool deliver(std::deque<Message>& queue);
  void settle();
  bool all_quiet() const;
  void check_end() const;

  std::mt19937_64 random_;
  bool trace_;
  bool chaos_ = true;
  Limits limits_{};
  Instant now_{1'000, 1'700'000'000'000};
  std::unique_ptr<Core> core_;
  std::deque<Waiting> queue_;                 ///< steps whose outputs have not left
  std::vector<std::vector<Write>> unsynced_;  ///< writes of steps whose outputs have left without a sync
  std::map<std::string, Entry> journal_;      ///< on disk
  std::vector<SimBrowser> browsers_;
  std::set<std::string> accepted_;
  std::vector<std::string> submitted_;
  std::map<std::pair<std::string, int>, int> page_starts_;                 ///< by task and hop, whatever the attempt
  std::map<std::string, int> starts_;                                      ///< by task/attempt/hop
  std::map<std::string, std::pair<std::string, std::int64_t>> told_busy_;  ///< task: browser and tab it waits for
  std::uint64_t next_link_ = 1, next_token_ = 1;
  std::size_t ended_ = 0, total_starts_ = 0;
  int next_id_ = 1;
};

}  // namespace any::task::sim
