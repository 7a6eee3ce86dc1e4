#include "cli/extension_files.hpp"

#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/embedded.hpp"
#include "cli/json_view.hpp"

namespace any::cli {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char const* list_name = "extension-folders";

std::string read_file(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

json::object read_object(fs::path const& path) {
  boost::system::error_code failure;
  auto const value = json::parse(read_file(path), failure);
  return !failure && value.is_object() ? value.get_object() : json::object();
}

/// First beside the file, then in its place: a browser that reads meanwhile sees the old one or the new one whole.
Result<void> write_file(fs::path const& path, std::string_view bytes) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  auto const beside = fs::path(path.string() + ".new");
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) return Error{ErrorName::UnavailableError, "cannot write " + path.string() + ": " + std::strerror(errno)};
  }
  fs::rename(beside, path, failure);
  if (failure) return Error{ErrorName::UnavailableError, "cannot write " + path.string() + ": " + failure.message()};
  return {};
}

/// One line a folder: the folder, a tab, the daemon's address.
std::vector<std::pair<std::string, std::string>> remembered(std::string const& state_dir) {
  std::vector<std::pair<std::string, std::string>> out;
  std::ifstream in(fs::path(state_dir) / list_name);
  for (std::string line; std::getline(in, line);) {
    auto const at = line.find('\t');
    if (at != std::string::npos) out.emplace_back(line.substr(0, at), line.substr(at + 1));
  }
  return out;
}

}  // namespace

Result<void> write_extension(std::string const& folder, std::string const& daemon) {
  std::error_code failure;
  auto const manifest = read_object(fs::path(folder) / "manifest.json");
  if (fs::exists(folder, failure) && !fs::is_empty(folder, failure) && text_of(manifest, "name") != "any") {
    return Error{ErrorName::BadRequestError,
                 folder + " is not empty and does not hold the extension: name another folder"};
  }
  fs::create_directories(folder, failure);
  if (failure) return Error{ErrorName::UnavailableError, "cannot make " + folder + ": " + failure.message()};
  std::set<std::string> ours;
  std::optional<std::string_view> manifest_bytes;
  for (auto const& file : embedded("extension")) {
    ours.insert(std::string(file.path));
    if (file.path == "manifest.json") {
      manifest_bytes = file.bytes;
      continue;
    }
    auto bytes = std::string(file.bytes);
    if (file.path == "config.json") {
      auto config = json::parse(bytes).as_object();
      auto& daemons = config["daemons"].as_array();
      daemons[0] = daemon;
      bytes = json::serialize(config);
    }
    if (auto const written = write_file(fs::path(folder) / file.path, bytes); written.has_error())
      return written.error();
  }
  for (auto const& entry : fs::recursive_directory_iterator(folder, failure)) {
    if (entry.is_regular_file() && !ours.contains(fs::relative(entry.path(), folder).generic_string()))
      fs::remove(entry.path(), failure);
  }
  // Last: a folder whose manifest names this version is whole.
  return write_file(fs::path(folder) / "manifest.json", manifest_bytes.value());
}

Result<void> remember_folder(std::string const& state_dir, std::string const& folder, std::string const& daemon) {
  std::error_code failure;
  fs::create_directories(state_dir, failure);
  if (failure) return Error{ErrorName::UnavailableError, "cannot make " + state_dir + ": " + failure.message()};
  ::chmod(state_dir.c_str(), 0700);
  std::string lines;
  for (auto const& [known, address] : remembered(state_dir)) {
    if (known != folder) lines.append(known).append("\t").append(address).append("\n");
  }
  return write_file(fs::path(state_dir) / list_name, lines + folder + '\t' + daemon + '\n');
}

std::vector<std::string> refresh_folders(std::string const& state_dir) {
  std::vector<std::string> out;
  for (auto const& [folder, daemon] : remembered(state_dir)) {
    auto const version = text_of(read_object(fs::path(folder) / "manifest.json"), "version");
    // A folder that a person removed is not brought back.
    if (version.empty() || version == ANY_VERSION) continue;
    if (write_extension(folder, daemon).has_value()) out.push_back(folder);
  }
  return out;
}

}  // namespace any::cli
