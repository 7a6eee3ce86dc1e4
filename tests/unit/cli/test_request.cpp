#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "cli/request.hpp"

namespace any::cli {
namespace {

namespace json = boost::json;

RunOptions code() {
  RunOptions options;
  options.is_code = true;
  options.script = "return 1";
  return options;
}

json::object made(RunOptions const& options) {
  auto request = request_from(options);
  EXPECT_TRUE(request.has_value()) << (request ? "" : request.error().message);
  return request ? request.value() : json::object();
}

std::string refused(RunOptions const& options) {
  auto const request = request_from(options);
  EXPECT_TRUE(request.has_error());
  if (!request.has_error()) return "";
  EXPECT_EQ(request.error().name, ErrorName::BadRequestError);
  return request.error().message;
}

TEST(Request, WhatNobodySaidIsLeftToTheDaemonsDefaults) {
  auto const request = made(code());
  EXPECT_EQ(request.at("script"), "return 1");
  EXPECT_EQ(request.at("file"), "eval");
  EXPECT_TRUE(request.at("args").is_null());
  for (char const* member : {"tab", "frame", "world", "browser", "timeout", "queue_timeout", "retries", "priority"})
    EXPECT_FALSE(request.contains(member)) << member;
}

TEST(Request, EachHasAnIdOfItsOwnUnlessItIsNamed) {
  EXPECT_NE(made(code()).at("id"), made(code()).at("id"));
  auto options = code();
  options.id = "mine";
  EXPECT_EQ(made(options).at("id"), "mine");
}

TEST(Request, AnArgIsJsonWhereItParsesAsJsonElseText) {
  auto options = code();
  options.args = {"n=3", "list=[1,2]", "t=three", "quoted=\"3\"", "empty=", "with=a=b", "yes=true"};
  EXPECT_EQ(made(options).at("args"),
            json::parse(R"({"n":3,"list":[1,2],"t":"three","quoted":"3","empty":"","with":"a=b","yes":true})"));
}

TEST(Request, AnArgThatIsJsonButCannotBeCarriedIsRefusedByItsNameAndNotTakenAsText) {
  for (auto const* text :
       {"id=1524831183200260097", "id=1e400", "id=[0.1234567890123456789]", "id={\"a\":1,\"a\":2}"}) {
    auto options = code();
    options.args = {text};
    EXPECT_NE(refused(options).find("--arg id: "), std::string::npos) << text;
  }
}

TEST(Request, AnArgMayBeNestedDeeply) {
  auto options = code();
  auto const deep = std::string(100, '[') + std::string(100, ']');
  options.args = {"deep=" + deep, "deeper=" + std::string(2000, '[')};
  EXPECT_EQ(json::serialize(made(options).at("args").at("deep")), deep);
  EXPECT_TRUE(made(options).at("args").at("deeper").is_string());  // it is no JSON
  options.args = {"deep=" + std::string(2000, '[') + std::string(2000, ']')};
  EXPECT_NE(refused(options).find("--arg deep: "), std::string::npos);
}

TEST(Request, ANumberArrivesToItsLastDigitAndWithItsSign) {
  auto const request = request_from({.script = "1", .is_code = true, .args = {"n=-0.0"}});
  ASSERT_TRUE(request);
  auto const& n = request->at("args").at("n");
  ASSERT_TRUE(n.is_double());
  EXPECT_TRUE(std::signbit(n.get_double()));
}

TEST(Request, AnArgWithoutANameIsRefusedWithItsFlag) {
  for (char const* wrong : {"novalue", "=3", ""}) {
    auto options = code();
    options.args = {wrong};
    EXPECT_NE(refused(options).find("--arg takes NAME=VALUE"), std::string::npos) << wrong;
  }
}

TEST(Request, ATabIsAnIdWhereItIsANumberElseAPattern) {
  auto options = code();
  options.tab = "active";
  EXPECT_FALSE(made(options).contains("tab"));
  options.tab = "17";
  EXPECT_EQ(made(options).at("tab"), 17);
  options.tab = "https://shop.example/*";
  EXPECT_EQ(made(options).at("tab"), json::parse(R"({"url":"https://shop.example/*"})"));
  options.tab = "17x";
  EXPECT_EQ(made(options).at("tab"), json::parse(R"({"url":"17x"})"));
}

TEST(Request, OpenMakesABackgroundTabThatIsClosedUnlessToldOtherwise) {
  auto options = code();
  options.open = "https://shop.example";
  EXPECT_EQ(made(options).at("tab"), json::parse(R"({"open":"https://shop.example","background":true,"keep":false})"));
  options.foreground = options.keep = true;
  EXPECT_EQ(made(options).at("tab"), json::parse(R"({"open":"https://shop.example","background":false,"keep":true})"));
  options.open.reset();
  EXPECT_NE(refused(options).find("--open"), std::string::npos);
}

TEST(Request, AFrameIsMainAllANumberOrAPattern) {
  auto options = code();
  options.frame = "main";
  EXPECT_FALSE(made(options).contains("frame"));
  options.frame = "all";
  EXPECT_EQ(made(options).at("frame"), "all");
  options.frame = "3";
  EXPECT_EQ(made(options).at("frame"), 3);
  options.frame = "https://pay.example/*";
  EXPECT_EQ(made(options).at("frame"), json::parse(R"({"url":"https://pay.example/*"})"));
}

TEST(Request, TimesAreSecondsOrNone) {
  auto options = code();
  options.timeout = "1.5";
  options.queue_timeout = "none";
  EXPECT_EQ(made(options).at("timeout"), 1.5);
  EXPECT_TRUE(made(options).at("queue_timeout").is_null());
  options.queue_timeout = "0";
  EXPECT_EQ(made(options).at("queue_timeout").as_double(), 0.0);
  for (char const* wrong : {"", "5s", "-1", "soon", "nan", "inf", " 5"}) {
    options.timeout = wrong;
    EXPECT_NE(refused(options).find("--timeout takes seconds or \"none\""), std::string::npos) << wrong;
  }
}

TEST(Request, LabelsAreTextWhateverTheyLookLike) {
  auto options = code();
  options.labels = {"run=7", "of=nightly"};
  EXPECT_EQ(made(options).at("labels"), json::parse(R"({"run":"7","of":"nightly"})"));
  options.labels = {"nightly"};
  EXPECT_NE(refused(options).find("--label takes NAME=VALUE"), std::string::npos);
}

class InFiles : public testing::Test {
 protected:
  std::string file(std::string const& name, std::string const& text) {
    auto path = testing::TempDir() + name;
    std::ofstream(path) << text;
    files_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (auto const& path : files_) std::remove(path.c_str());
  }
  std::vector<std::string> files_;
};

TEST_F(InFiles, AScriptIsReadAndErrorsWillCarryItsFilesName) {
  RunOptions options;
  options.script = file("scrape.js", "return 2");
  EXPECT_EQ(made(options).at("script"), "return 2");
  EXPECT_EQ(made(options).at("file"), "scrape.js");
  options.script = "/no/such/file.js";
  EXPECT_NE(refused(options).find("cannot read /no/such/file.js"), std::string::npos);
}

TEST_F(InFiles, ArgsOfAFileAreJoinedByThoseOfTheCommandLineWhichWin) {
  auto options = code();
  options.args_file = file("args.json", R"({"a":1,"b":2})");
  options.args = {"b=3"};
  EXPECT_EQ(made(options).at("args"), json::parse(R"({"a":1,"b":3})"));
  options.args_file = file("list.json", "[1]");
  EXPECT_NE(refused(options).find("--arg adds to an object"), std::string::npos);
  options.args.clear();
  EXPECT_EQ(made(options).at("args"), json::parse("[1]"));
  options.args_file = file("broken.json", "{");
  EXPECT_NE(refused(options).find("is no JSON"), std::string::npos);
}

TEST_F(InFiles, ScriptAndArgsCannotBothComeFromStandardInput) {
  RunOptions options;
  options.script = "-";
  options.args_file = "-";
  EXPECT_TRUE(request_from(options).has_error());
}

}  // namespace
}  // namespace any::cli
