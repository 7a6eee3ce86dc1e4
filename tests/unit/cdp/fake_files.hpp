#pragma once
// The files of the daemon's machine, in memory, with the contract of cdp::Files (tests/contracts holds it to it).

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "cdp/protocol/transport.hpp"

namespace any::cdp::test {

class FakeFiles final : public Files {
 public:
  void move(std::string from, std::string to, Answered done) override {
    transfer(std::move(from), std::move(to), false, std::move(done));
  }
  void copy(std::string from, std::string to, Answered done) override {
    transfer(std::move(from), std::move(to), true, std::move(done));
  }
  void read_text(std::string folder, std::string name, Answered done) override {
    asked.push_back("read " + name);
    waiting_.push_back([this, folder = std::move(folder), name = std::move(name), done = std::move(done)] {
      auto const text = read(folder, name);
      text ? done(std::string_view(*text)) : done(text.error());
    });
  }

  /// Carries out all that was asked, in its order, and what follows from the answers.
  void settle() {
    while (!waiting_.empty()) {
      auto const next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }
  bool has_folder(std::string const& path) const {
    auto const begin = path.ends_with('/') ? path : path + "/";
    auto const first = texts.lower_bound(begin);
    return first != texts.end() && first->first.starts_with(begin);
  }

  std::map<std::string, std::string> texts;  ///< by path; their folders are there as well
  std::vector<std::string> asked;            ///< "move FROM to TO", "copy …", "read NAME"
  bool full = false;                         ///< nothing can be written

 private:
  using Text = boost::system::result<std::string, Failure>;

  void transfer(std::string from, std::string to, bool keep, Answered done) {
    asked.push_back((keep ? "copy " : "move ") + from + " to " + to);
    waiting_.push_back([this, from = std::move(from), to = std::move(to), keep, done = std::move(done)] {
      auto const why = place(from, to, keep);
      why.empty() ? done(std::string_view("{}")) : done(Failure{.message = "The download stays where it is: " + why});
    });
  }
  std::string place(std::string const& from, std::string const& to, bool keep) {
    if (!from.starts_with('/') || !to.starts_with('/')) return "both must be absolute paths.";
    if (!texts.contains(from)) return "it is not there.";
    if (full) return "No space left on device.";
    for (std::filesystem::path folder = std::filesystem::path(to).parent_path(); folder != "/";
         folder = folder.parent_path()) {
      if (texts.contains(folder)) return "the folder cannot be made.";
    }
    texts[to] = texts.at(from);
    if (!keep && from != to) texts.erase(from);
    return {};
  }
  Text read(std::string folder, std::string const& name) const {
    auto const refuse = [](std::string why, int code = -32000) {
      return Failure{code, "The file cannot be read.", std::move(why)};
    };
    if (!folder.starts_with('/') || !has_folder(folder)) return refuse("There is no such folder.", no_folder);
    if (!folder.ends_with('/')) folder += '/';
    auto const file = (std::filesystem::path(folder) / name).lexically_normal().string();
    if (!file.starts_with(folder)) return refuse(name + " lies outside its folder.");
    if (has_folder(file)) return refuse(name + " is no ordinary file.");
    auto const found = texts.find(file);
    if (found == texts.end()) return refuse(name + " is not there.");
    if (found->second.size() > std::size_t{16} << 20) return refuse(name + " is larger than 16 MiB.");
    return found->second;
  }

  std::deque<std::function<void()>> waiting_;
};

}  // namespace any::cdp::test
