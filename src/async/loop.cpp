#include "async/loop.hpp"

#include "base/guard.hpp"

namespace any::async {

void Loop::run_guarded() {
  while (!guarded("a handler on the io thread", [this] { run(); })) {
  }
}

}  // namespace any::async
