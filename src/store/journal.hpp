#pragma once
// The store's own thread. Whoever waits for the disk at the same time shares one transaction and one sync.
// The functions may be called from any thread. Every `done` runs where `post` puts it and may be empty. Those of writes
// run in the order of the calls; a read's runs after those of all the writes that it has seen.

#include <chrono>
#include <functional>
#include <memory>

#include "store/store.hpp"

namespace any::store {

struct JournalOptions {
  std::chrono::milliseconds lazy{50};     ///< how long a write that is not durable waits for company
  std::chrono::milliseconds retry{1000};  ///< between tries of writes that are not durable while the disk is full
  std::size_t max_batch = 1024;           ///< writes in one transaction, but for a single larger append
  std::size_t max_kept = 100'000;         ///< writes kept while the disk is full; beyond it the oldest fail
};

template <class T>
using Done = std::function<void(Result<T>)>;

class Journal {
 public:
  /// Runs a function on the thread that owns the callers; keeps the order of its calls. Must outlive the Journal.
  using Post = std::function<void(std::function<void()>)>;

  Journal(std::unique_ptr<Store> store, Post post, JournalOptions options = {});
  /// Commits what waits, then closes the store.
  ~Journal();
  Journal(Journal const&) = delete;
  Journal& operator=(Journal const&) = delete;

  /// All of `writes` or nothing, after everything appended before. Durable: `done` comes once they are on disk
  /// (synced), or with DiskFullError and nothing written. Otherwise they are committed with the next durable ones,
  /// after 50 ms at most, and while the disk is full kept and tried again; `done` comes once they are committed.
  void append(std::vector<task::Write> writes, bool durable, Done<void> done);

  // Reads see every write that was queued before them, and maybe some that were queued after.
  void load_live(Done<std::vector<task::Record>> done);
  void get(std::string id, Done<Stored> done);
  void list(ListQuery query, Done<std::vector<task::Record>> done);
  void events(std::string id, std::uint64_t after, Done<std::vector<task::Event>> done);
  void screenshot(std::string id, Done<std::string> done);
  void totals(Done<Totals> done);
  void browsers(Done<std::vector<BrowserRow>> done);
  void meta(std::string name, Done<std::string> done);

  /// Durable: on disk (synced) when `done` comes. Otherwise some time soon.
  void put_browser(BrowserRow row, bool durable, Done<void> done);
  void forget_browser(std::string id, Done<void> done);
  void put_meta(std::string name, std::string value, Done<void> done);
  /// One bounded step; true while there is more to do.
  void prune(Millis wall, std::uint64_t bytes, Done<bool> done);

  /// Commits what waits, closes the store and joins; every `done` has been posted at return. Later calls fail with
  /// UnavailableError.
  void close();

  struct Stats {
    std::uint64_t commits = 0;   ///< transactions of appends
    std::uint64_t appends = 0;   ///< appends committed
    std::uint64_t failures = 0;  ///< transactions of appends that failed
  };
  Stats stats() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace any::store
