#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/log.hpp"

namespace any::log {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() : path_{std::filesystem::temp_directory_path() / ("any-log-" + std::to_string(::getpid()))} {
    start({.level = Level::debug});
  }
  ~LogTest() override {
    configure({});
    std::filesystem::remove(path_);
  }
  void start(Options options) {
    std::filesystem::remove(path_);
    options.file = path_.string();
    configure(options);
  }
  std::string written() const {
    std::ifstream file{path_};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

TEST_F(LogTest, WritesTimeLevelAndWhatTheLineSpeaksOf) {
  write_extension(1'769'850'000'000, Level::warn, "work", "01H", "slow");
  EXPECT_EQ(written(), "2026-01-31T09:00:00.000Z warn  [task 01H browser work extension] slow\n");
  start({});
  write_extension(1'769'850'000'000, Level::info, "", "", "x");
  EXPECT_EQ(written(), "2026-01-31T09:00:00.000Z info  [extension] x\n");
  start({});
  info("plain", {.task = "t"});
  EXPECT_TRUE(written().ends_with("Z info  [task t] plain\n")) << written();
}

TEST_F(LogTest, AFileThatGrowsTooLongIsPutAsideAndThreeOfThemAreKept) {
  auto const folder = std::filesystem::temp_directory_path() / ("any-logs-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  configure({.file = (folder / "daemon.log").string(), .max_file_bytes = 1'000});
  for (int i = 0; i < 100; ++i) info("line " + std::to_string(i));
  configure({});
  std::set<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename());
    EXPECT_LE(entry.file_size(), 1'000);
    EXPECT_EQ(entry.status().permissions() & std::filesystem::perms::mask, static_cast<std::filesystem::perms>(0600));
  }
  EXPECT_EQ(names, (std::set<std::string>{"daemon.log", "daemon.1.log", "daemon.2.log", "daemon.3.log"}));
  std::ifstream newest{folder / "daemon.log"};
  std::string const text{std::istreambuf_iterator<char>(newest), {}};
  EXPECT_TRUE(text.ends_with("line 99\n")) << text;
  std::filesystem::remove_all(folder);
}

TEST_F(LogTest, KeepsTheTextOfAPageFromForgingALine) {
  info("a\n2026-01-31T09:00:00.000Z error forged\r\t\x1b[31m\x7f\xC2\x85\xE2\x80\xA8\xE2\x80\xAE ä");
  auto const text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_NE(text.find("a\\n2026-01-31T09:00:00.000Z error forged\\r\\t\\x1b[31m\\x7f\\u0085\\u2028\\u202e ä"),
            std::string::npos)
      << text;
  start({});
  info("x", {.task = "t] forged\n"});
  EXPECT_NE(written().find("[task t] forged\\n] x"), std::string::npos);
}

TEST_F(LogTest, WritesOneJsonObjectALine) {
  start({.json = true});
  warn("say \"hi\"\n", {.task = "t", .browser = "b"});
  auto const json = boost::json::parse(written()).as_object();
  EXPECT_EQ(json.at("level"), "warn");
  EXPECT_EQ(json.at("task"), "t");
  EXPECT_EQ(json.at("browser"), "b");
  EXPECT_EQ(json.at("text"), "say \"hi\"\n");
  EXPECT_EQ(json.at("time").as_string().size(), 24U);
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  start({.level = Level::warn});
  info("quiet");
  EXPECT_EQ(written(), "");
  error("loud");
  EXPECT_NE(written(), "");
}

TEST_F(LogTest, KeepsTheNewestLinesInOrder) {
  for (int i = 0; i < 2'500; ++i) debug(std::to_string(i));
  auto const all = recent(10'000);
  ASSERT_EQ(all.size(), 2'000U);
  EXPECT_EQ(all.front().text, "500");
  EXPECT_EQ(all.back().text, "2499");
  EXPECT_EQ(recent(2).front().text, "2498");
  EXPECT_EQ(recent(10, all.back().seq - 1).size(), 1U);
  EXPECT_TRUE(recent(10, all.back().seq).empty());
}

TEST_F(LogTest, BoundsItsMemory) {
  for (int i = 0; i < 120; ++i) debug(std::string(100'000, 'x'));
  std::size_t bytes = 0;
  for (auto const& line : recent(10'000)) bytes += line.text.size();
  EXPECT_LT(bytes, std::size_t{5} << 20);
  EXPECT_GT(bytes, std::size_t{1} << 20);
}

TEST_F(LogTest, TellsFollowersUntilTheyLeave) {
  std::vector<std::string> seen;
  std::uint64_t token = 0;
  token = follow([&](Line const& line) {
    seen.push_back(line.text);
    if (line.text == "2") unfollow(token);
  });
  for (int i = 1; i < 5; ++i) info(std::to_string(i));
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2"}));
}

TEST_F(LogTest, TakesLinesFromManyThreads) {
  auto const before = recent(1).empty() ? 0 : recent(1).back().seq;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 400; ++i) info("line");
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(recent(10'000, before).size(), 1'600U);
  auto const text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1'600);
}

}  // namespace
}  // namespace any::log
