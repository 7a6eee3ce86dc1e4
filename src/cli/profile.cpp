#include "cli/profile.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

namespace any::cli {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

Error unavailable(fs::path const& path, std::string const& what) {
  return {ErrorName::UnavailableError, "developer mode could not be switched on in " + path.string() + ": " + what};
}

/// The object under that name; made where there is none.
json::object& member(json::object& of, std::string_view name) {
  auto& value = of[name];
  return value.is_object() ? value.get_object() : value.emplace_object();
}

}  // namespace

Result<void> switch_on_developer_mode(fs::path const& profile) {
  auto const path = profile / "Preferences";
  json::object preferences;
  if (std::ifstream in(path, std::ios::binary); in) {
    boost::system::error_code wrong;
    json::parse_options options;
    options.max_depth = 200;  // Chrome's own limit
    auto value = json::parse(in, wrong, {}, options);
    if (wrong || !value.is_object()) return unavailable(path, "it is not what Chrome writes");
    preferences = std::move(value.get_object());
  }
  auto& mode = member(member(preferences, "extensions"), "ui")["developer_mode"];
  if (mode == true) return {};
  mode = true;
  std::error_code failure;
  fs::create_directories(profile, failure);
  auto const beside = fs::path(path.string() + ".new");
  {
    std::ofstream out(beside, std::ios::binary);
    out << json::serialize(preferences);
    out.close();
    if (!out) return unavailable(path, "it cannot be written");
  }
  fs::permissions(beside, fs::perms::owner_read | fs::perms::owner_write, failure);
  if (!failure) fs::rename(beside, path, failure);
  if (failure) return unavailable(path, failure.message());
  return {};
}

}  // namespace any::cli
