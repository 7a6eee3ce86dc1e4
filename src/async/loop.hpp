#pragma once
// The io thread's loop.

#include <boost/asio/io_context.hpp>

namespace any::async {

class Loop : public boost::asio::io_context {
 public:
  Loop() : io_context{1} {}

  /// Runs until stop(). What no closer catch has named is logged, and the loop goes on.
  void run_guarded();
  /// After the running: lets go of every coroutine and handler that still waits. To be called while the objects that
  /// their frames speak of are still there; an io_context on its own does it in its destructor, after all of them.
  void abandon() { shutdown(); }
};

}  // namespace any::async
