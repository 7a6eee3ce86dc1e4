#pragma once
// The thread that the Journal posts to, in small.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace any::store_test {

class Loop {
 public:
  std::function<void(std::function<void()>)> post() {
    return [this](std::function<void()> call) {
      std::lock_guard const lock{mutex_};
      calls_.push_back(std::move(call));
      wake_.notify_one();
    };
  }
  /// Runs what is posted until `done()`; false if that takes more than half a minute.
  bool run_until(std::function<bool()> const& done) {
    auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!done()) {
      std::unique_lock lock{mutex_};
      if (!wake_.wait_until(lock, limit, [&] { return !calls_.empty(); })) return false;
      auto const call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
    }
    return true;
  }
  /// Runs what has been posted already.
  void run_posted() {
    for (;;) {
      std::unique_lock lock{mutex_};
      if (calls_.empty()) return;
      auto const call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> calls_;
};

}  // namespace any::store_test
