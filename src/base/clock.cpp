#include "base/clock.hpp"

#include <time.h>

#include <array>
#include <chrono>
#include <cstdio>

namespace any {

Instant SystemClock::now() const {
  // CLOCK_BOOTTIME goes on while the machine sleeps: a deadline that passed meanwhile is seen at once.
  auto const millis = [](clockid_t id) {
    timespec ts{};
    ::clock_gettime(id, &ts);
    return Millis{ts.tv_sec} * 1000 + Millis{ts.tv_nsec} / 1'000'000;
  };
  return {.mono = millis(CLOCK_BOOTTIME), .wall = millis(CLOCK_REALTIME)};
}

std::string iso_time(Millis wall) {
  namespace ch = std::chrono;
  ch::sys_time<ch::milliseconds> const at{ch::milliseconds{wall}};
  auto const day = ch::floor<ch::days>(at);
  ch::year_month_day const date{day};
  ch::hh_mm_ss const time{at - day};
  std::array<char, 64> text{};
  auto const size =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace any
