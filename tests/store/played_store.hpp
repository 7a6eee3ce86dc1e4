#pragma once
// A store in memory whose disk is played by the test, with the contract of one whose disk fills up (test_full.cpp holds
// it to it).

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "store/memory_store.hpp"
#include "store/wrapped_store.hpp"

namespace any::store_test {

/// What the test and the store on the journal's thread share.
struct PlayedDisk {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;                    // closed: apply() waits
  int waiting = 0;                     // in apply() at the gate
  bool full = false;                   // nothing can be written
  bool broken = false;                 // every apply() throws
  std::size_t too_large = 0;           // scripts from this size on do not fit; 0: all do
  std::vector<std::size_t> batches{};  // sizes of those applied
  std::vector<bool> synced{};          // of each of them
  bool closed = false;

  void let(bool pass) {
    std::lock_guard const lock{mutex};
    open = pass;
    changed.notify_all();
  }
  void wait_until_one_waits() {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return waiting > 0; });
  }
  template <class T>
  T get(T PlayedDisk::*what) {
    std::lock_guard const lock{mutex};
    return this->*what;
  }
  template <class T>
  void set(T PlayedDisk::*what, T value) {
    std::lock_guard const lock{mutex};
    this->*what = value;
  }
};

class PlayedStore final : public WrappedStore {
 public:
  explicit PlayedStore(PlayedDisk& disk) : WrappedStore{std::make_unique<store::MemoryStore>()}, disk_{disk} {}
  ~PlayedStore() override { disk_.set(&PlayedDisk::closed, true); }

  Result<void> apply(std::vector<task::Write> const& writes, bool sync) override {
    {
      std::unique_lock lock{disk_.mutex};
      ++disk_.waiting;
      disk_.changed.notify_all();
      disk_.changed.wait(lock, [&] { return disk_.open; });
      --disk_.waiting;
      auto const fits = [&](task::Write const& write) {
        auto const* insert = std::get_if<task::InsertTask>(&write);
        return !insert || disk_.too_large == 0 || insert->record.request.script.size() < disk_.too_large;
      };
      if (disk_.broken) throw std::runtime_error("it broke");
      if (disk_.full || !std::all_of(writes.begin(), writes.end(), fits)) return no_room();
      disk_.batches.push_back(writes.size());
      disk_.synced.push_back(sync);
    }
    return WrappedStore::apply(writes, sync);
  }
  Result<void> put_browser(store::BrowserRow const& row) override {
    return full() ? Result<void>{no_room()} : WrappedStore::put_browser(row);
  }
  Result<void> forget_browser(std::string_view id) override {
    return full() ? Result<void>{no_room()} : WrappedStore::forget_browser(id);
  }
  Result<void> put_meta(std::string_view name, std::string_view value) override {
    return full() ? Result<void>{no_room()} : WrappedStore::put_meta(name, value);
  }
  Result<bool> prune(Millis wall, std::uint64_t bytes) override {
    return full() ? Result<bool>{no_room()} : WrappedStore::prune(wall, bytes);
  }

 private:
  static Error no_room() { return {ErrorName::DiskFullError, "The disk is full."}; }
  bool full() { return disk_.get(&PlayedDisk::full); }

  PlayedDisk& disk_;
};

}  // namespace any::store_test
