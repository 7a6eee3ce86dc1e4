#include <gtest/gtest.h>

#include "base/error.hpp"

namespace {
using any::Error;
using any::ErrorName;

TEST(Errors, EveryNameReadsBackAsItself) {
  for (int i = 0; i <= static_cast<int>(ErrorName::ProtocolError); ++i) {
    auto const name = static_cast<ErrorName>(i);
    auto const text = any::to_string(name);
    EXPECT_TRUE(text.ends_with("Error")) << text;
    EXPECT_EQ(any::error_name(text), name) << text;
  }
}

TEST(Errors, ATextOutsideTheListIsNoName) {
  EXPECT_FALSE(any::error_name("TypeError"));
  EXPECT_FALSE(any::error_name(""));
  EXPECT_FALSE(any::error_name("timeouterror"));
}

TEST(Errors, NamesOfTheDoorHaveTheStatusOfTheProtocol) {
  EXPECT_EQ(any::http_status(ErrorName::BadRequestError), 400);
  EXPECT_EQ(any::http_status(ErrorName::UnauthorizedError), 401);
  EXPECT_EQ(any::http_status(ErrorName::ForbiddenError), 403);
  EXPECT_EQ(any::http_status(ErrorName::NotFoundError), 404);
  EXPECT_EQ(any::http_status(ErrorName::MethodNotAllowedError), 405);
  EXPECT_EQ(any::http_status(ErrorName::RequestTimeoutError), 408);
  EXPECT_EQ(any::http_status(ErrorName::ConflictError), 409);
  EXPECT_EQ(any::http_status(ErrorName::TooLargeError), 413);
  EXPECT_EQ(any::http_status(ErrorName::QueueFullError), 429);
  EXPECT_EQ(any::http_status(ErrorName::InternalError), 500);
  EXPECT_EQ(any::http_status(ErrorName::UnavailableError), 503);
  EXPECT_EQ(any::http_status(ErrorName::NoBrowserError), 503);
  EXPECT_EQ(any::http_status(ErrorName::PausedError), 503);
  EXPECT_EQ(any::http_status(ErrorName::DiskFullError), 507);
  EXPECT_EQ(any::http_status(ErrorName::NavigatedError), 500);
}

TEST(Errors, TheJsonFormHasNameAndMessageFirstAndReadsBack) {
  Error error{ErrorName::ScriptError, "it threw"};
  error.extra["line"] = 3;
  error.extra["stack"] = "at script.js:3";
  auto const json = any::to_json(error);
  EXPECT_EQ(json.begin()->key(), "name");
  EXPECT_EQ((json.begin() + 1)->key(), "message");
  auto const back = any::error_from_json(json);
  EXPECT_EQ(back.name, error.name);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.extra, error.extra);
}

TEST(Errors, ExtraMembersCannotReplaceTheNameOrTheMessage) {
  Error error{ErrorName::TimeoutError, "too late"};
  error.extra["name"] = "Forged";
  auto const json = any::to_json(error);
  EXPECT_EQ(json.at("name"), "TimeoutError");
}

TEST(Errors, AnUnknownNameIsKeptInTheMessageOfAnInternalError) {
  auto const error = any::error_from_json({{"name", "StrangeError"}, {"message", "what"}, {"n", 1}});
  EXPECT_EQ(error.name, ErrorName::InternalError);
  EXPECT_EQ(error.message, "StrangeError: what");
  EXPECT_EQ(error.extra.at("n"), 1);
}

TEST(Errors, AnErrorOfTheWrongShapeIsStillAnError) {
  auto const error = any::error_from_json({{"name", 7}, {"message", nullptr}});
  EXPECT_EQ(error.name, ErrorName::InternalError);
  EXPECT_FALSE(error.message.empty());
}

TEST(Errors, UsingAResultThatIsAnErrorThrowsAndSaysWhich) {
  any::Result<int> const result{Error{ErrorName::NotFoundError, "no such task"}};
  ASSERT_TRUE(result.has_error());
  try {
    (void)result.value();
    FAIL() << "no exception";
  } catch (any::BadResult const& e) {
    EXPECT_NE(std::string{e.what()}.find("NotFoundError: no such task"), std::string::npos);
  }
}

}  // namespace
