#pragma once
// The one way to start a coroutine that nobody awaits: its exception has a name, and it can be told that its caller has
// gone.

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "async/async.hpp"

namespace any::async {

/// Tells a coroutine that nobody waits for its answer any more. What it waits for on behalf of its caller (the wait()
/// of OneShot and Waiters) ends at once; everything else is carried through. On the io thread.
class Cancellation {
 public:
  Cancellation();
  void cancel() const;

 private:
  friend void spawn(boost::asio::any_io_executor const&, std::string, Async<void>, Cancellation const&,
                    std::function<void()>);
  struct State;
  std::shared_ptr<State> state_;
};

/// Starts `work`, called `what` in the log where it throws. `ended` is called after it, however it has ended.
void spawn(boost::asio::any_io_executor const& executor, std::string what, Async<void> work,
           std::function<void()> ended = nullptr);
void spawn(boost::asio::any_io_executor const& executor, std::string what, Async<void> work,
           Cancellation const& cancellation, std::function<void()> ended = nullptr);

/// Whether the coroutine that asks was told so.
Async<bool> caller_gone();

}  // namespace any::async
