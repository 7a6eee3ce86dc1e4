#pragma once
// Time, injected: the core never asks the system itself.

#include <cstdint>
#include <string>

namespace any {

using Millis = std::int64_t;

/// One instant on both clocks: deadlines use `mono` (steady, unaffected by a clock set back),
/// the journal and people see `wall` (milliseconds since 1970, UTC).
struct Instant {
  Millis mono = 0;
  Millis wall = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

/// "2026-01-31T09:00:00.000Z"
std::string iso_time(Millis wall);

}  // namespace any
