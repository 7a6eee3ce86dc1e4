#pragma once
// The core's inside. One file a subject: choice (which browser), dispatch (what is sent next), tabs (who waits for
// which), runs (what browsers say of a run), ends (how a run ends), links (browsers come and go), steps (what is
// written).

#include "task/live.hpp"

namespace any::task {

struct Core::Impl {
  explicit Impl(Limits l) : limits{l} {}

  Limits const limits;
  Instant now{};
  std::unordered_map<std::string, std::unique_ptr<Task>> tasks;
  std::unordered_map<std::string, std::unique_ptr<Browser>> browsers;
  std::unordered_map<std::string, std::unique_ptr<Bucket>> buckets;
  std::vector<Browser*> by_use;  ///< linked ones, the most recently used first
  Deadlines deadlines;
  Counts counts;
  std::size_t bytes = 0;
  std::uint64_t next_age = 1, next_link = 1;

  // steps.cpp: one Step is built between begin() and end().
  Step step;
  std::vector<Task*> unwritten;  ///< in this step
  std::vector<Browser*> dirty;
  std::vector<std::string> idle_buckets;  ///< to be dropped at the step's end, if they are empty still
  void begin(Instant at);
  Step end();
  void touch(Task& task, Task::Unwritten how = Task::Unwritten::update);
  void event(Task& task, std::string_view kind, std::string data);
  void tell_progress(Task& task);
  void tell_waiting(Task& task, bool for_tab, std::string message);
  void set_state(Task& task, State to);
  void forget(Task& task);
  Task& adopt(Record record);
  void flush_writes();
  void sweep();

  // choice.cpp
  static bool fits(Browser const& browser, Bucket const& bucket, bool even_paused = false);
  Browser* serving(Bucket const& bucket) const;
  Browser* choose(Bucket const& bucket) const;
  Error why_none(Task const& task, Bucket const& bucket) const;
  Bucket& bucket_of(Task const& task);
  Bucket* find_bucket(std::string const& key) const;
  static std::vector<std::string> keys_of(BrowserState const& state);
  void sort_by_use();
  void choice_changed(std::vector<std::string> const& keys);
  void wake(Browser& browser);

  // dispatch.cpp
  void enqueue(Task& task);
  void to_bucket(Task& task);
  void to_ready(Browser& browser, Task& task);
  void leave_wait(Task& task);
  void queue_expired(Task& task);
  static bool takes_more(Browser const& browser, Limits const& limits);
  static bool opens_enough(Browser const& browser, Limits const& limits);
  void uncount(Task& task);
  void opened(Task& task);
  void pump(Browser& browser);
  void offer(Browser& browser, Task& task);
  void send(Browser& browser, Task& task);
  std::vector<std::int64_t> to_avoid(Browser const& browser, Task const& task) const;
  void arm_hop(Task& task, Millis least = 0);

  // tabs.cpp
  void hold(Browser& browser, Task& task, std::int64_t tab);
  void release(Task& task);
  void park(Browser& browser, Task& task, std::int64_t tab);
  void settle(Browser& browser, std::int64_t tab);
  void wake_orphans(Browser& browser);
  void block(Browser& browser, Task& task);
  static bool group_allows(Browser& browser, Task& task);
  void enter_probe(Task& task);
  void leave_probe(Task& task);
  void unblock(Browser& browser, std::string const& spec);

  // runs.cpp
  Task* current(std::string_view browser, RunKey const& run);
  void answered(Task& task);
  void note_started(Task& task, std::optional<TabInfo> tab, Injection injection);
  void limit_passed(Task& task);
  void add_line(Task& task, ConsoleLine line);
  void ended(Task& task, Outcome outcome);

  // ends.cpp
  void detach(Task& task);
  void finish(Task& task, State state, std::optional<Error> error, std::optional<std::string> result = {},
              std::string screenshot = {});
  void next_hop(Task& task, std::string url, std::string state);
  void requeue(Task& task, Error reason);
  void fail(Task& task, Error error, bool infrastructure, Outcome::Started started, std::string screenshot = {});
  void close_attempt(Task& task, std::optional<Error> error, bool requeued);
  void end_cancelled(Task& task, std::optional<Error> error);

  // links.cpp
  Browser& browser_at(std::string const& id);
  void unbind_waiting(Browser& browser);
  void drop_link(Browser& browser);
  void reconcile(Browser& browser, std::vector<Hold> const& holds);
  void link_lost(Browser& browser);
  void change_state(Browser& browser, BrowserState state);
};

/// Infrastructure failures: errors that are not the script's own.
bool is_infrastructure_failure(ErrorName name) noexcept;

}  // namespace any::task
