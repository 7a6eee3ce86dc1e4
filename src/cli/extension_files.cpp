#include "cli/extension_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "base/embedded.hpp"
#include "base/ids.hpp"
#include "cli/json_view.hpp"
#include "store/folder.hpp"

namespace any::cli {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char const* list_name = "extension-folders";
constexpr ::mode_t public_file = 0666;  // as the umask lets it
constexpr ::mode_t secret_file = 0600;

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
Result<void> write_file(fs::path const& path, std::string_view bytes, ::mode_t mode) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  auto const beside = fs::path(path.string() + ".new");
  fs::remove(beside, failure);
  {
    store::Descriptor const made{::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
    std::ofstream out(beside, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) return Error{ErrorName::UnavailableError, "cannot write " + path.string() + ": " + std::strerror(errno)};
  }
  fs::rename(beside, path, failure);
  if (failure) return Error{ErrorName::UnavailableError, "cannot write " + path.string() + ": " + failure.message()};
  return {};
}

struct Remembered {
  std::string folder, daemon;
  Installation installation{};
};

/// One line a folder, its parts behind tabs: the folder, the daemon's address, the installation's id and its secret.
std::vector<Remembered> remembered(std::string const& state_dir) {
  std::vector<Remembered> out;
  std::ifstream in(fs::path(state_dir) / list_name);
  for (std::string line; std::getline(in, line);) {
    std::istringstream parts(line);
    Remembered one;
    for (auto* part : {&one.folder, &one.daemon, &one.installation.id, &one.installation.secret})
      std::getline(parts, *part, '\t');
    if (!one.daemon.empty()) out.push_back(std::move(one));
  }
  return out;
}

std::string line_of(Remembered const& one) {
  return one.folder + '\t' + one.daemon + '\t' + one.installation.id + '\t' + one.installation.secret + '\n';
}

}  // namespace

Installation new_installation() {
  constexpr std::size_t secret_bytes = 32;
  return {make_uuid(), random_base64(secret_bytes)};
}

Installation installation_of(std::string const& folder) {
  auto const config = read_object(fs::path(folder) / "config.json");
  auto const& kept = object_of(config, "installation");
  Installation found{text_of(kept, "id"), text_of(kept, "secret")};
  return found.id.empty() || found.secret.empty() ? new_installation() : found;
}

std::optional<std::string> installation_secret(std::string const& state_dir, std::string_view id) {
  for (auto const& one : remembered(state_dir)) {
    if (one.installation.id == id && !id.empty()) return one.installation.secret;
  }
  return std::nullopt;
}

bool developer_mode_of(std::string const& folder) {
  return flag_of(read_object(fs::path(folder) / "config.json"), "developer_mode");
}

Result<void> write_extension(std::string const& folder, std::string const& daemon, Installation const& installation,
                             bool developer_mode) {
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
    auto mode = public_file;
    if (file.path == "config.json") {
      auto config = json::parse(bytes).as_object();
      auto& daemons = config["daemons"].as_array();
      daemons[0] = daemon;
      config["installation"] = json::object{{"id", installation.id}, {"secret", installation.secret}};
      config["developer_mode"] = developer_mode;
      bytes = json::serialize(config);
      mode = secret_file;
      // It may have been given to another user, who alone can read it: a new file would take it from him.
      if (bytes == read_file(fs::path(folder) / file.path)) continue;
    }
    if (auto const written = write_file(fs::path(folder) / file.path, bytes, mode); written.has_error())
      return written.error();
  }
  for (auto const& entry : fs::recursive_directory_iterator(folder, failure)) {
    if (entry.is_regular_file() && !ours.contains(fs::relative(entry.path(), folder).generic_string()))
      fs::remove(entry.path(), failure);
  }
  // Last: a folder whose manifest names this version is whole.
  return write_file(fs::path(folder) / "manifest.json", manifest_bytes.value(), public_file);
}

Result<void> remember_folder(std::string const& state_dir, std::string const& folder, std::string const& daemon,
                             Installation const& installation) {
  std::error_code failure;
  fs::create_directories(state_dir, failure);
  if (failure) return Error{ErrorName::UnavailableError, "cannot make " + state_dir + ": " + failure.message()};
  ::chmod(state_dir.c_str(), 0700);
  std::string lines;
  for (auto const& one : remembered(state_dir)) {
    if (one.folder != folder) lines += line_of(one);
  }
  return write_file(fs::path(state_dir) / list_name, lines + line_of({folder, daemon, installation}), secret_file);
}

std::vector<std::string> refresh_folders(std::string const& state_dir) {
  std::vector<std::string> out;
  for (auto const& [folder, daemon, installation] : remembered(state_dir)) {
    auto const version = text_of(read_object(fs::path(folder) / "manifest.json"), "version");
    // A folder that a person removed is not brought back.
    if (version.empty() || version == ANY_VERSION) continue;
    if (write_extension(folder, daemon, installation, developer_mode_of(folder)).has_value()) out.push_back(folder);
  }
  return out;
}

}  // namespace any::cli
