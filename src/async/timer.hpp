#pragma once
// A function called later. The one way to wait for a time without a coroutine.

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace any::async {

/// What the function throws is logged under the timer's name, and it is called again a second later: what a timer looks
/// after goes on. After cancel(), and after the timer's own end, nothing is called any more. On the io thread.
class Timer {
 public:
  Timer(boost::asio::any_io_executor executor, std::string name);
  Timer(Timer const&) = delete;
  Timer& operator=(Timer const&) = delete;
  ~Timer();

  /// Calls it once; what was set before is not called.
  void after(std::chrono::milliseconds wait, std::function<void()> call);
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace any::async
