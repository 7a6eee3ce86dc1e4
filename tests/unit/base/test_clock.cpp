#include <gtest/gtest.h>

#include <ctime>

#include "base/clock.hpp"

namespace {

TEST(Clock, TimesAreWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(any::iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(any::iso_time(1'769'850'000'000), "2026-01-31T09:00:00.000Z");
  EXPECT_EQ(any::iso_time(1'709'251'199'999), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(any::iso_time(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, TheSystemsTimeIsTheWallsAndDoesNotGoBack) {
  any::SystemClock const clock;
  auto const first = clock.now();
  auto const second = clock.now();
  EXPECT_GE(second.mono, first.mono);
  EXPECT_NEAR(static_cast<double>(first.wall), static_cast<double>(std::time(nullptr)) * 1000.0, 5000.0);
}

}  // namespace
