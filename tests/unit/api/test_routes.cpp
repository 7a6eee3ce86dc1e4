// Paths to routes, parameters to values, and the description that follows from the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <set>

#include "api/fields.hpp"
#include "api/openapi.hpp"
#include "api/routes.hpp"

namespace any::api {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

TEST(Match, APatternTakesOneSegmentPerParameter) {
  auto const found = match("/v1/tasks/{id}/result", "/v1/tasks/a.b:c/result");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().first, "id");
  EXPECT_EQ(found->front().second, "a.b:c");
}

TEST(Match, NothingIsTakenThatDoesNotFitWhole) {
  EXPECT_FALSE(match("/v1/tasks/{id}", "/v1/tasks"));
  EXPECT_FALSE(match("/v1/tasks/{id}", "/v1/tasks/"));
  EXPECT_FALSE(match("/v1/tasks/{id}", "/v1/tasks/a/b"));
  EXPECT_FALSE(match("/v1/tasks/{id}", "/v1/tasksx/a"));
  EXPECT_FALSE(match("/v1/tasks/{id}/result", "/v1/tasks/a"));
  EXPECT_FALSE(match("/v1/tasks", "/v1/tasks/"));
  EXPECT_FALSE(match("/health", "/"));
  EXPECT_FALSE(match("/health", ""));
}

TEST(FindRoute, HeadFindsWhatGetFinds) {
  auto const found = find_route(main_routes(), "HEAD", "/v1/tasks/a");
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.route->name, "tasks.get");
}

TEST(FindRoute, AWrongMethodIsToldTheRightOnes) {
  auto const found = find_route(main_routes(), "DELETE", "/v1/tasks");
  EXPECT_EQ(found.route, nullptr);
  EXPECT_EQ(found.allow, "POST, GET, HEAD");
  EXPECT_TRUE(find_route(main_routes(), "GET", "/nowhere").allow.empty());
}

TEST(Fields, ANumberMayComeAsTextFromAQueryOnly) {
  Fields query;
  query.put_text("limit", "7");
  EXPECT_EQ(query.integer("limit", 1, 10), 7);
  EXPECT_TRUE(query.finish().has_value());

  Fields body(json::object{{"limit", "7"}});
  EXPECT_FALSE(body.integer("limit", 1, 10));
  ASSERT_TRUE(body.finish().has_error());
  EXPECT_EQ(body.finish().error().extra.at("path"), "limit");
}

TEST(Fields, WhatIsNotAWholeNumberInTheRangeIsRefused) {
  for (auto const* text : {"", " 7", "7 ", "7.5", "0", "11", "0x7", "99999999999999999999", "seven"}) {
    Fields query;
    query.put_text("limit", text);
    EXPECT_FALSE(query.integer("limit", 1, 10)) << text;
    EXPECT_TRUE(query.finish().has_error()) << text;
  }
}

TEST(Fields, SecondsBecomeMillisecondsAndHaveATop) {
  Fields in(json::object{{"a", 1.5}, {"b", 1e300}, {"c", 0}});
  EXPECT_EQ(in.seconds("a", 300'000), 1500);
  EXPECT_EQ(in.seconds("b", 300'000), 300'000);
  EXPECT_EQ(in.seconds("c", 300'000), 0);
  EXPECT_TRUE(in.finish().has_value());
  for (auto const* text : {"-1", "nan", "inf", "", "1s"}) {
    Fields query;
    query.put_text("wait", text);
    EXPECT_FALSE(query.seconds("wait", 300'000)) << text;
    EXPECT_TRUE(query.finish().has_error()) << text;
  }
}

TEST(Fields, AFieldThatNobodyAskedForIsNamed) {
  Fields in(json::object{{"id", "a"}, {"colour", "red"}});
  EXPECT_EQ(in.text("id"), "a");
  auto const read = in.finish();
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().name, ErrorName::BadRequestError);
  EXPECT_THAT(read.error().message, HasSubstr("colour"));
  EXPECT_EQ(read.error().extra.at("path"), "colour");
}

TEST(Fields, NullCountsAsAbsent) {
  Fields in(json::object{{"wait", nullptr}, {"id", nullptr}});
  EXPECT_FALSE(in.seconds("wait", 1));
  EXPECT_EQ(in.text("id"), "");
  EXPECT_TRUE(in.finish().has_error());
}

TEST(OpenApi, EveryRouteAndEverySchemaItNamesIsThere) {
  auto const document = json::parse(openapi_text());
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  auto const& paths = document.at("paths").as_object();
  for (auto const& route : main_routes()) {
    ASSERT_TRUE(paths.contains(route.pattern)) << route.pattern;
    std::string method(route.method);
    for (auto& c : method) c = static_cast<char>(std::tolower(c));
    EXPECT_TRUE(paths.at(route.pattern).as_object().contains(method)) << route.pattern;
  }
  auto const& schemas = document.at("components").at("schemas").as_object();
  auto const& text = openapi_text();
  constexpr std::string_view mark = "#/components/schemas/";
  auto escaped = std::string("#\\/components\\/schemas\\/");
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    auto const begin = at + mark.size();
    auto const name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_TRUE(schemas.contains(name)) << name;
  }
  EXPECT_EQ(text.find(escaped), std::string::npos);
  EXPECT_NE(text.find(mark), std::string::npos);
}

TEST(OpenApi, OperationsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (auto const& route : main_routes()) EXPECT_TRUE(names.insert(route.name).second) << route.name;
}

}  // namespace
}  // namespace any::api
