#pragma once
// A browser for load tests: it links as the extension does and ends each task at once with `1`. No page, no script.

#include <atomic>
#include <string>

#include "net/http_client.hpp"

namespace any::bench {

struct SimulatedBrowser {
  std::string daemon;  ///< http://127.0.0.1:PORT
  std::atomic<bool> linked{false};
  std::atomic<std::uint64_t> finished{0};

  /// Until the link ends. `origin` must be the pinned extension's.
  Async<Result<void>> run(std::string origin);
};

}  // namespace any::bench
