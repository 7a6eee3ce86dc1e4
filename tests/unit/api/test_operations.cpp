// The table of operations: paths to rows, input to values, and the descriptions that follow from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "api/openapi.hpp"
#include "api/ops/table.hpp"

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
  auto const found = find_route("HEAD", "/v1/tasks/a");
  ASSERT_NE(found.operation, nullptr);
  EXPECT_EQ(found.operation->name, "tasks.get");
}

TEST(FindRoute, AWrongMethodIsToldTheRightOnes) {
  auto const found = find_route("DELETE", "/v1/tasks");
  EXPECT_EQ(found.operation, nullptr);
  EXPECT_EQ(found.allow, "POST, GET, HEAD");
  EXPECT_TRUE(find_route("GET", "/nowhere").allow.empty());
}

Result<Input> read(char const* schema, char const* fields, Door door = Door::rpc) {
  return Input::read(json::parse(fields).as_object(), Schema(schema), door);
}

/// The message of what is wrong, or "".
std::string fault(char const* schema, char const* fields) {
  auto const input = read(schema, fields);
  if (input.has_value()) return "";
  EXPECT_EQ(input.error().name, ErrorName::BadRequestError);
  EXPECT_THAT(input.error().message, HasSubstr("\"" + std::string(input.error().extra.at("path").as_string()) + "\""));
  return input.error().message;
}

TEST(Schema, WhatDoesNotFitIsNamedWithWhatWouldFit) {
  constexpr auto schema = R"({
    "properties": {
      "limit": {"type": "integer", "minimum": 1, "maximum": 10},
      "wait": {"type": ["number", "null"], "minimum": 0},
      "state": {"enum": ["queued", "running", null]},
      "label": {"type": "string", "minLength": 1, "maxLength": 3},
      "deep": {"type": "object", "properties": {"on": {"type": "boolean"}}, "additionalProperties": false},
      "list": {"type": "array", "items": {"type": "string"}},
      "tab": {"anyOf": [{"const": "active"}, {"type": "integer"}, {"type": "object", "required": ["url"],
        "properties": {"url": {"type": "string"}}, "additionalProperties": false}]}
    },
    "additionalProperties": false
  })";
  EXPECT_EQ(fault(schema, R"({"limit": 11})"), R"("limit" must be a whole number from 1 to 10)");
  EXPECT_EQ(fault(schema, R"({"limit": "7"})"), R"("limit" must be a whole number from 1 to 10)");
  EXPECT_EQ(fault(schema, R"({"limit": 1.5})"), R"("limit" must be a whole number from 1 to 10)");
  EXPECT_EQ(fault(schema, R"({"limit": 18446744073709551615})"), R"("limit" must be a whole number from 1 to 10)");
  EXPECT_EQ(fault(schema, R"({"limit": null})"), R"("limit" must be a whole number from 1 to 10)");
  EXPECT_EQ(fault(schema, R"({"limit": 5.0, "wait": null, "state": null})"), "");
  EXPECT_EQ(fault(schema, R"({"wait": -1})"), R"("wait" must be a number, 0 or more or null)");
  EXPECT_EQ(fault(schema, R"({"state": "lost"})"), R"("state" must be "queued", "running" or null)");
  EXPECT_EQ(fault(schema, R"({"label": ""})"), R"("label" must not be empty)");
  EXPECT_EQ(fault(schema, R"({"label": "äöü"})"), "");
  EXPECT_EQ(fault(schema, R"({"label": "äöüß"})"), R"("label" must not be longer than 3 characters)");
  EXPECT_EQ(fault(schema, R"({"deep": {"on": 1}})"), R"("deep.on" must be true or false)");
  EXPECT_EQ(fault(schema, R"({"deep": {"off": 1}})"), R"("deep.off" is not known here; the fields are on)");
  EXPECT_EQ(fault(schema, R"({"list": ["a", 2]})"), R"("list[1]" must be a string)");
  EXPECT_EQ(fault(schema, R"({"tab": "other"})"), R"("tab" must be "active", a whole number or {"url": …})");
  EXPECT_EQ(fault(schema, R"({"tab": {"url": 5}})"), R"("tab.url" must be a string)");
  EXPECT_EQ(fault(schema, R"({"tab": {"url": "x", "keep": true}})"),
            R"("tab.keep" is not known here; the fields are url)");
  EXPECT_EQ(fault(schema, R"({"tab": {}})"), R"("tab" must be "active", a whole number or {"url": …})");
  EXPECT_THAT(fault(schema, R"({"colour": "red"})"), HasSubstr("is not known here; the fields are limit, wait, state"));
  EXPECT_EQ(fault(R"({"properties": {"id": {}}, "required": ["id"]})", "{}"), R"("id" is missing)");
  EXPECT_EQ(fault(R"({"additionalProperties": false})", R"({"a": 1})"),
            R"("a" is not known here; there are no fields)");
}

TEST(Schema, AKeywordThatNobodyChecksIsNotLetInSilently) {
  EXPECT_THROW(Schema(R"({"multipleOf": 2})"), std::logic_error);
  EXPECT_THROW(Schema(R"({"$ref": "#/components/schemas/Nothing"})"), std::logic_error);
}

TEST(Schema, ANumberMayComeAsTextFromAQuery) {
  Schema const whole(R"({"type": ["integer", "null"], "minimum": 1, "maximum": 10})");
  EXPECT_EQ(whole.read_text("7"), 7);
  EXPECT_TRUE(whole.check(whole.read_text("7"), "limit").has_value());
  for (auto const* text : {"", " 7", "7 ", "7.5", "0", "11", "0x7", "99999999999999999999", "seven", "1e0"})
    EXPECT_TRUE(whole.check(whole.read_text(text), "limit").has_error()) << text;
  Schema const seconds(R"({"type": "number", "minimum": 0})");
  EXPECT_TRUE(seconds.check(seconds.read_text("1.5"), "wait").has_value());
  for (auto const* text : {"-1", "nan", "inf", "", "1s"})
    EXPECT_TRUE(seconds.check(seconds.read_text(text), "wait").has_error()) << text;
  EXPECT_EQ(Schema(R"({"type": "string"})").read_text("7"), "7");
  EXPECT_EQ(Schema(R"({"enum": [0, 1]})").read_text("1"), 1);
}

TEST(Input, SecondsBecomeMillisecondsAndHaveATop) {
  auto const in = read("{}", R"({"a": 1.5, "b": 1e300, "c": 0, "d": null})").value();
  EXPECT_EQ(in.seconds("a", 300'000), 1500);
  EXPECT_EQ(in.seconds("b", 300'000), 300'000);
  EXPECT_EQ(in.seconds("c", 300'000), 0);
  EXPECT_FALSE(in.seconds("d", 300'000));
  EXPECT_FALSE(in.seconds("e", 300'000));
}

TEST(Input, ADefaultStandsWhereAFieldIsAbsentOrNull) {
  constexpr auto schema = R"({"properties": {"limit": {"type": ["integer", "null"], "default": 50}}})";
  EXPECT_EQ(read(schema, "{}").value().integer("limit"), 50);
  EXPECT_EQ(read(schema, R"({"limit": null})").value().integer("limit"), 50);
  EXPECT_EQ(read(schema, R"({"limit": 7})").value().integer("limit"), 7);
}

TEST(Input, AFieldOfOneDoorIsRefusedAtTheOther) {
  constexpr auto schema = R"({"properties": {"watch": {"type": "boolean", "x-door": "rpc"}}})";
  EXPECT_TRUE(read(schema, R"({"watch": true})", Door::rpc).value().flag("watch"));
  auto const refused = read(schema, R"({"watch": true})", Door::rest);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().message, R"("watch" is for the RPC socket alone (/v1/rpc))");
}

TEST(Table, EveryRowIsWhole) {
  std::set<std::string_view> names;
  for (auto const& operation : operations()) {
    SCOPED_TRACE(operation.name);
    EXPECT_TRUE(names.insert(operation.name).second);
    EXPECT_NE(operation.run, nullptr);
    EXPECT_TRUE(operation.about.ends_with("."));
    EXPECT_TRUE(operation.output.empty() || shared_shapes().contains(operation.output));
    for (auto const& reply : operation.replies)
      EXPECT_TRUE(reply.schema.empty() || shared_shapes().contains(reply.schema)) << reply.schema;
    auto const& route = operation.route;
    EXPECT_TRUE(operation.rpc || !route.method.empty()) << "no door leads there";
    EXPECT_EQ(find_operation(operation.name) != nullptr, operation.rpc);
    if (route.method.empty()) continue;
    EXPECT_EQ(route.method == "GET", operation.effect == Effect::reads) << "GET reads, and nothing else does";
    if (!route.resume.empty()) EXPECT_NE(operation.input.find_property(route.resume), nullptr);
    auto const parameters = match(route.pattern, route.pattern);
    ASSERT_TRUE(parameters);
    for (auto const& [name, _] : *parameters) EXPECT_TRUE(operation.input.requires_property(name)) << name;
  }
}

TEST(Table, IsToldWhole) {
  auto const rows = json::parse(operations_text()).at("operations").as_array();
  ASSERT_EQ(rows.size(), operations().size());
  for (auto const& row : rows) EXPECT_EQ(json::serialize(row).find("\"#/"), std::string::npos) << row.at("name");
  auto const& submit = rows.front();
  EXPECT_EQ(submit.at("name"), "tasks.submit");
  EXPECT_EQ(submit.at("input").at("$ref"), "/openapi.json#/components/schemas/Request");
  EXPECT_EQ(submit.at("rest").at("path"), "/v1/tasks");
  EXPECT_EQ(submit.at("reads"), false);
}

TEST(OpenApi, EveryRouteAndEverySchemaItNamesIsThere) {
  auto const document = json::parse(openapi_text());
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  auto const& paths = document.at("paths").as_object();
  for (auto const& operation : operations()) {
    auto const& route = operation.route;
    if (route.method.empty()) continue;
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

TEST(OpenApi, WhatIsForTheRpcSocketAloneIsNotInIt) {
  EXPECT_EQ(openapi_text().find("\"watch\""), std::string::npos);
}

}  // namespace
}  // namespace any::api
