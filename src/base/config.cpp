#include "base/config.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <variant>

namespace any {
namespace {

using Text = std::string Config::*;
using Words = std::vector<std::string> Config::*;
using Truth = bool Config::*;
using Number = int Config::*;
using Bytes = std::uint64_t Config::*;

struct Setting {
  std::string_view key;
  std::string_view variable;
  std::variant<Text, Words, Truth, Number, Bytes> member;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();  // of numbers
  std::vector<std::string_view> choices{};                       // of texts; empty: any
};

constexpr std::int64_t last_port = 65'535;
constexpr std::int64_t most_days = 36'500;

std::vector<Setting> const& settings() {
  static std::vector<Setting> const all{
      {"listen", "ANY_LISTEN", &Config::listen},
      {"state_dir", "ANY_STATE_DIR", &Config::state_dir},
      {"compat_port", "ANY_COMPAT_PORT", &Config::compat_port, last_port},
      {"pages_port", "ANY_PAGES_PORT", &Config::pages_port, last_port},
      {"token", "ANY_DEMAND_TOKEN", &Config::token},
      {"any_user", "ANY_ANY_USER", &Config::any_user},
      {"allow_extension", "ANY_ALLOW_EXTENSION", &Config::allow_extension},
      {"keep_days", "ANY_KEEP_DAYS", &Config::keep_days, most_days},
      {"keep_bytes", "ANY_KEEP_BYTES", &Config::keep_bytes},
      {"log_format", "ANY_LOG_FORMAT", &Config::log_format, 0, {"text", "json"}},
      {"log_level", "ANY_LOG_LEVEL", &Config::log_level, 0, {"debug", "info", "warn", "error"}},
      {"daemon", "ANY_DAEMON", &Config::daemon},
  };
  return all;
}

std::string joined(std::vector<std::string_view> const& words) {
  std::string text;
  for (auto const word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

Error refuse(std::string const& where, std::string const& why) {
  return {ErrorName::BadRequestError, where + " " + why + "."};
}

// Each answers why it refuses, or an empty text.
std::string set(Config& config, Setting const& setting, std::string value) {
  auto const* member = std::get_if<Text>(&setting.member);
  if (member == nullptr) return "must not be a string";
  auto const& choices = setting.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
    return "must be one of " + joined(choices) + ", not \"" + value + "\"";
  config.*(*member) = std::move(value);
  return {};
}

std::string set(Config& config, Setting const& setting, std::vector<std::string> values) {
  auto const* member = std::get_if<Words>(&setting.member);
  if (member == nullptr) return "must not be a list";
  if (setting.key == "listen" && values.empty()) return "must name an address at least";
  config.*(*member) = std::move(values);
  if (setting.key == "listen") config.listen_given = true;
  return {};
}

std::string set(Config& config, Setting const& setting, bool value) {
  auto const* member = std::get_if<Truth>(&setting.member);
  if (member == nullptr) return "must not be true or false";
  config.*(*member) = value;
  return {};
}

std::string set(Config& config, Setting const& setting, std::int64_t value) {
  auto const* bytes = std::get_if<Bytes>(&setting.member);
  auto const* number = std::get_if<Number>(&setting.member);
  if (bytes == nullptr && number == nullptr) return "must not be a number";
  if (value < 0 || value > setting.most) return "must be a whole number from 0 to " + std::to_string(setting.most);
  if (bytes != nullptr) {
    config.*(*bytes) = static_cast<std::uint64_t>(value);
  } else {
    config.*(*number) = static_cast<int>(value);
  }
  return {};
}

std::string set_from_toml(Config& config, Setting const& setting, toml::node const& node) {
  if (auto const* text = node.as_string()) {
    if (std::holds_alternative<Words>(setting.member))
      return set(config, setting, std::vector<std::string>{text->get()});
    return set(config, setting, text->get());
  }
  if (auto const* truth = node.as_boolean()) return set(config, setting, truth->get());
  if (auto const* number = node.as_integer()) return set(config, setting, number->get());
  auto const* list = node.as_array();
  if (list == nullptr) return "has a value of another kind than it should";
  std::vector<std::string> values;
  for (auto const& element : *list) {
    auto const* text = element.as_string();
    if (text == nullptr) return "must be a list of strings";
    values.push_back(text->get());
  }
  return set(config, setting, std::move(values));
}

std::vector<std::string> split(std::string const& text) {
  std::vector<std::string> words;
  std::istringstream rest{text};
  std::string word;
  while (std::getline(rest, word, ',')) {
    word.erase(0, word.find_first_not_of(" \t"));
    word.erase(word.find_last_not_of(" \t") + 1);
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

std::string set_from_text(Config& config, Setting const& setting, std::string const& text) {
  if (std::holds_alternative<Text>(setting.member)) return set(config, setting, text);
  if (std::holds_alternative<Words>(setting.member)) return set(config, setting, split(text));
  if (std::holds_alternative<Truth>(setting.member)) {
    if (text == "1" || text == "true" || text == "yes") return set(config, setting, true);
    if (text == "0" || text == "false" || text == "no") return set(config, setting, false);
    return "must be 1 or 0, not \"" + text + "\"";
  }
  std::int64_t number = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size())
    return "must be a whole number from 0 to " + std::to_string(setting.most) + ", not \"" + text + "\"";
  return set(config, setting, number);
}

Result<void> read_file(Config& config, std::string const& path) {
  errno = 0;
  std::ifstream file{path};
  if (!file) {
    if (path.empty() || errno == ENOENT || errno == ENOTDIR) return {};
    return refuse(path, std::string{"cannot be read: "} + std::strerror(errno));
  }
  toml::table table;
  try {
    table = toml::parse(file, path);
  } catch (toml::parse_error const& error) {
    auto const at = error.source().begin;
    return refuse(path + ", line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ":",
                  std::string{error.description()});
  }
  for (auto const& [key, node] : table) {
    auto const where = path + ", line " + std::to_string(key.source().begin.line) + ": " + std::string{key.str()};
    auto const& all = settings();
    auto const found = std::find_if(all.begin(), all.end(), [&](Setting const& s) { return s.key == key.str(); });
    if (found == all.end()) {
      std::vector<std::string_view> keys;
      for (auto const& setting : all) keys.push_back(setting.key);
      return refuse(where, "is no setting; the settings are " + joined(keys));
    }
    if (auto const why = set_from_toml(config, *found, node); !why.empty()) return refuse(where, why);
  }
  return {};
}

// $VARIABLE, else ~/FALLBACK, else empty.
std::string base_folder(Environment const& environment, char const* variable, char const* fallback) {
  auto const given = environment(variable);
  if (given && given->starts_with('/')) return *given;  // a relative one does not count, says the XDG specification
  auto const home = environment("HOME");
  return home && !home->empty() ? *home + fallback : std::string{};
}

}  // namespace

Environment process_environment() {
  return [](std::string const& name) -> std::optional<std::string> {
    auto const* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
  };
}

std::string config_path(Environment const& environment) {
  auto const folder = base_folder(environment, "XDG_CONFIG_HOME", "/.config");
  return folder.empty() ? folder : folder + "/any/config.toml";
}

Result<Config> load_config(Environment const& environment) {
  Config config;
  auto const folder = base_folder(environment, "XDG_STATE_HOME", "/.local/state");
  if (!folder.empty()) config.state_dir = folder + "/any";
  auto const read = read_file(config, config_path(environment));
  if (read.has_error()) return read.error();
  for (auto const& setting : settings()) {
    auto const value = environment(std::string{setting.variable});
    if (!value || value->empty()) continue;
    if (auto const why = set_from_text(config, setting, *value); !why.empty())
      return refuse(std::string{setting.variable} + " in the environment", why);
  }
  if (config.state_dir.empty())
    return Error{ErrorName::BadRequestError,
                 "There is no place for the daemon's data: set HOME, or ANY_STATE_DIR to a folder."};
  return config;
}

std::string read_token(std::string const& state_dir, Environment const& environment) {
  if (auto given = environment("ANY_TOKEN"); given && !given->empty()) return *std::move(given);
  std::ifstream file(state_dir + "/token");
  std::string token;
  std::getline(file, token);
  return token;
}

}  // namespace any
