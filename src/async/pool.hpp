#pragma once
// A thread for work that would hold up the io thread.

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/guard.hpp"

namespace any::async {

class Pool {
 public:
  explicit Pool(boost::asio::any_io_executor io);
  ~Pool();
  /// Waits for the work that is under way; the rest is not done, and nothing more is taken.
  void stop();
  Pool(Pool const&) = delete;
  Pool& operator=(Pool const&) = delete;

  /// Runs `work` on the thread and `done` with its result on the io thread, never before this has returned.
  /// InternalError where it throws.
  template <class T>
  void run(std::string what, std::function<T()> work, std::function<void(Result<T>)> done) {
    auto job = [what, work = std::move(work), done = std::move(done)]() -> std::function<void()> {
      Result<T> result = internal_error(what);
      guarded(what, [&] { result = Result<T>(boost::system::in_place_value, work()); });
      return [done, result = std::move(result)]() mutable { done(std::move(result)); };
    };
    start(std::move(what), std::move(job));
  }

 private:
  /// What the job gives runs on the io thread.
  using Job = std::function<std::function<void()>()>;
  void start(std::string what, Job job);

  struct Impl;
  boost::asio::any_io_executor io_;
  std::unique_ptr<Impl> impl_;  // made when first needed
  bool stopped_ = false;
};

}  // namespace any::async
