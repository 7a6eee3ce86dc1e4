#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/config.hpp"

namespace any {
namespace {

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : folder_{std::filesystem::temp_directory_path() / ("any-config-" + std::to_string(::getpid()))} {
    std::filesystem::create_directories(folder_ / "any");
    variables["HOME"] = "/home/ada";
    variables["XDG_CONFIG_HOME"] = folder_.string();
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }
  void file(std::string const& text) { std::ofstream{folder_ / "any" / "config.toml"} << text; }
  Result<Config> load() {
    return load_config([this](std::string const& name) -> std::optional<std::string> {
      auto const found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>{found->second};
    });
  }
  std::string why() {
    auto const config = load();
    return config.has_error() ? config.error().message : "accepted";
  }
  std::string path() const { return (folder_ / "any" / "config.toml").string(); }

  std::map<std::string, std::string> variables;

 private:
  std::filesystem::path folder_;
};

TEST_F(ConfigTest, HasDefaultsWithoutAFile) {
  auto const config = load();
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->listen, (std::vector<std::string>{"127.0.0.1:8766", "[::1]:8766"}));
  EXPECT_FALSE(config->listen_given);
  EXPECT_EQ(config->state_dir, "/home/ada/.local/state/any");
  EXPECT_EQ(config->compat_port, 8000);
  EXPECT_EQ(config->pages_port, 0);
  EXPECT_EQ(config->keep_days, 30);
  EXPECT_EQ(config->keep_bytes, 1'073'741'824U);
}

TEST_F(ConfigTest, FollowsXdgAndPrefersTheEnvironmentToTheFile) {
  variables["XDG_STATE_HOME"] = "/var/state";
  file("compat_port = 0\nlisten = [\"127.0.0.1:1\"]\ntoken = true\nlog_level = \"debug\"\nkeep_bytes = 5\n");
  EXPECT_EQ(load()->state_dir, "/var/state/any");
  EXPECT_EQ(load()->compat_port, 0);
  EXPECT_TRUE(load()->token);
  EXPECT_TRUE(load()->listen_given);
  variables["ANY_LISTEN"] = "127.0.0.1:2, [::1]:2";
  variables["ANY_STATE_DIR"] = "/data";
  variables["ANY_LOG_LEVEL"] = "warn";
  variables["ANY_DEMAND_TOKEN"] = "0";
  variables["ANY_KEEP_DAYS"] = "7";
  auto const config = load();
  EXPECT_EQ(config->listen, (std::vector<std::string>{"127.0.0.1:2", "[::1]:2"}));
  EXPECT_EQ(config->state_dir, "/data");
  EXPECT_EQ(config->log_level, "warn");
  EXPECT_FALSE(config->token);
  EXPECT_EQ(config->keep_days, 7);
  EXPECT_EQ(config->keep_bytes, 5U);
}

TEST_F(ConfigTest, DoesNotTakeACallersTokenForAWishOfTheDaemon) {
  variables["ANY_TOKEN"] = "secret";
  EXPECT_FALSE(load()->token);
}

TEST_F(ConfigTest, NamesFileLineAndKeyOfWhatItDoesNotKnow) {
  file("compat_port = 0\n\nlisten_on = \"x\"\n");
  EXPECT_TRUE(why().starts_with(path() + ", line 3: listen_on is no setting; the settings are listen, state_dir"))
      << why();
}

TEST_F(ConfigTest, NamesWhatHasAWrongValue) {
  file("compat_port = \"eight\"\n");
  EXPECT_EQ(why(), path() + ", line 1: compat_port must not be a string.");
  file("log_level = \"loud\"\n");
  EXPECT_EQ(why(), path() + ", line 1: log_level must be one of debug, info, warn, error, not \"loud\".");
  file("compat_port = 70000\n");
  EXPECT_EQ(why(), path() + ", line 1: compat_port must be a whole number from 0 to 65535.");
  file("listen = [1]\n");
  EXPECT_EQ(why(), path() + ", line 1: listen must be a list of strings.");
  file("token = 2026-01-01\n");
  EXPECT_NE(why().find("token has a value of another kind"), std::string::npos);
  file("a = \n");
  EXPECT_NE(why().find("line 1"), std::string::npos);
  file("");
  variables["ANY_COMPAT_PORT"] = "8k";
  EXPECT_EQ(why(), "ANY_COMPAT_PORT in the environment must be a whole number from 0 to 65535, not \"8k\".");
}

TEST_F(ConfigTest, SaysWhatToSetWithoutAHome) {
  variables.erase("HOME");
  EXPECT_NE(why().find("set HOME, or ANY_STATE_DIR"), std::string::npos);
  variables["ANY_STATE_DIR"] = "/data";
  EXPECT_EQ(why(), "accepted");
}

}  // namespace
}  // namespace any
