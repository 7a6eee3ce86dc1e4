#include <gtest/gtest.h>

#include "cli/outcome.hpp"

namespace any::cli {
namespace {

TEST(Outcome, TheEndIsReadFromTheRecordItselfNotFromWhatAScriptSaid) {
  EXPECT_FALSE(has_ended(R"({"id":"a","state":"running","ended":null})"));
  EXPECT_TRUE(has_ended(R"({"id":"a","state":"completed","ended":"2026-01-01T00:00:00.000Z","result":1})"));
  EXPECT_TRUE(has_ended(R"({"state":"completed","ended":"2026-01-01T00:00:00.000Z","result":{"ended":null}})"));
  EXPECT_FALSE(has_ended(R"({"state":"running","progress":{"ended":"2026-01-01T00:00:00.000Z"},"ended":null})"));
}

TEST(Outcome, NothingIsWaitedForWhereTheRecordCannotBeRead) {
  EXPECT_TRUE(has_ended("no record"));
}

}  // namespace
}  // namespace any::cli
