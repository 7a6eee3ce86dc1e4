#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "sim/world.hpp"

namespace any::task::sim {
namespace {

std::uint64_t number(char const* name, std::uint64_t otherwise) {
  auto const* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// ANY_SIM_SEEDS=N runs N schedules (from seed ANY_SIM_FIRST=1 on), ANY_SIM_SEED=N the one of that seed with a trace of
// what happens.
TEST(Simulation, EveryTaskEndsOnceAndNoScriptStartsTwiceWhateverIsCutKilledOrLost) {
  if (std::getenv("ANY_SIM_SEED")) {
    World world{number("ANY_SIM_SEED", 1), true};
    EXPECT_NO_THROW(world.run());
    return;
  }
  auto const seeds = number("ANY_SIM_SEEDS", 3'000);
  std::size_t ended = 0, starts = 0;
  auto const first = number("ANY_SIM_FIRST", 1);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    World world{seed, false};
    try {
      world.run();
    } catch (std::exception const& e) {
      FAIL() << e.what() << "\nreplay: ANY_SIM_SEED=" << seed;
    }
    ended += world.ended();
    starts += world.starts();
  }
  EXPECT_GT(ended, seeds * 10);
  EXPECT_GT(starts, seeds * 5);
  std::printf("%llu schedules, %zu tasks ended, %zu starts\n", static_cast<unsigned long long>(seeds), ended, starts);
}

}  // namespace
}  // namespace any::task::sim
