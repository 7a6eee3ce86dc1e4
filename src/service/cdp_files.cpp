#include "service/cdp_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace any::service {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_text = std::size_t{16} << 20;

/// What hinders any transfer, in words; makes the folder.
std::string prepare(fs::path const& source, fs::path const& target) {
  if (!source.is_absolute() || !target.is_absolute()) return "both must be absolute paths.";
  std::error_code failed;
  if (!fs::exists(source, failed)) return "it is not there (any more).";
  fs::create_directories(target.parent_path(), failed);
  if (failed) return "the folder cannot be made (" + failed.message() + ").";
  return {};
}

std::error_code copy_whole(fs::path const& source, fs::path const& target) {
  std::error_code failed;
  auto part = target;
  part += ".part";
  fs::copy_file(source, part, fs::copy_options::overwrite_existing, failed);
  if (!failed) fs::rename(part, target, failed);
  if (failed) {
    std::error_code ignored;
    fs::remove(part, ignored);
  }
  return failed;
}

}  // namespace

std::string move_file(std::string const& from, std::string const& to) {
  fs::path const source(from), target(to);
  auto const what = "The download cannot be moved from " + from + " to " + to + ": ";
  if (auto const why = prepare(source, target); !why.empty()) return what + why;
  std::error_code failed;
  fs::rename(source, target, failed);
  if (!failed) return {};
  if (failed != std::errc::cross_device_link) return what + failed.message() + ".";
  failed = copy_whole(source, target);
  if (failed) return what + failed.message() + ".";
  fs::remove(source, failed);
  return {};
}

std::string copy_file(std::string const& from, std::string const& to) {
  fs::path const source(from), target(to);
  auto const what = "The download cannot be copied from " + from + " to " + to + ": ";
  if (auto const why = prepare(source, target); !why.empty()) return what + why;
  auto const failed = copy_whole(source, target);
  return failed ? what + failed.message() + "." : std::string();
}

boost::system::result<std::string, cdp::Failure> read_text_file(std::string const& folder, std::string const& name) {
  auto const refuse = [](std::string why, int code = -32000) {
    return cdp::Failure{code, "The file cannot be read.", std::move(why)};
  };
  std::error_code failed;
  auto const root = fs::canonical(folder, failed);
  if (failed || !fs::path(folder).is_absolute()) {
    return refuse("The daemon sees no such folder; the path must be absolute.", cdp::no_folder);
  }
  auto const file = fs::canonical(root / name, failed);
  if (failed) return refuse(name + ": " + failed.message() + ".");
  auto const inside = std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end();
  if (!inside) return refuse(name + " lies outside its folder.");
  if (!fs::is_regular_file(file, failed)) return refuse(name + " is no ordinary file.");
  if (fs::file_size(file, failed) > largest_text || failed) return refuse(name + " is larger than 16 MiB.");
  std::ifstream stream(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream || text.size() > largest_text) return refuse(name + " cannot be read.");
  return text;
}

void FileMover::move(std::string from, std::string to, std::function<void(std::string const&)> done) {
  transfer("moving a download", move_file, std::move(from), std::move(to), std::move(done));
}

void FileMover::copy(std::string from, std::string to, std::function<void(std::string const&)> done) {
  transfer("copying a download", copy_file, std::move(from), std::move(to), std::move(done));
}

void FileMover::transfer(std::string what, Transfer work, std::string from, std::string to,
                         std::function<void(std::string const&)> done) {
  pool_.run<std::string>(
      std::move(what), [work, from = std::move(from), to = std::move(to)] { return work(from, to); },
      [done = std::move(done)](Result<std::string> const& problem) {
        done(problem ? *problem : problem.error().message);
      });
}

void FileMover::read(std::string folder, std::string name,
                     std::function<void(boost::system::result<std::string, cdp::Failure> const&)> done) {
  using Text = boost::system::result<std::string, cdp::Failure>;
  pool_.run<Text>(
      "reading a file of an extension",
      [folder = std::move(folder), name = std::move(name)] { return read_text_file(folder, name); },
      [done = std::move(done)](Result<Text> const& text) {
        done(text ? *text : Text(cdp::Failure{.message = text.error().message}));
      });
}

}  // namespace any::service
