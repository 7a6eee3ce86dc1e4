#pragma once
// What the store's tests share: tasks in short, and a folder that is gone afterwards.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "store/store.hpp"

namespace any::store_test {

inline task::Record queued(std::string id, Millis created = 1000, std::string script = "return 1") {
  task::Record record;
  record.request.id = std::move(id);
  record.request.script = std::move(script);
  record.created = created;
  return record;
}

/// As the core writes it again: script and args are empty.
inline task::Record later(std::string id, task::State state, Millis created = 1000, Millis ended = 0) {
  auto record = queued(std::move(id), created, "");
  record.request.args.clear();
  record.state = state;
  if (task::is_final(state)) record.ended = ended == 0 ? created + 10 : ended;
  return record;
}

inline task::FinishTask finish(std::string id, std::optional<std::string> result, Millis created = 1000,
                               Millis ended = 0) {
  task::FinishTask write{.record = later(std::move(id), task::State::completed, created, ended),
                         .result = std::move(result),
                         .screenshot = {}};
  write.record.result_type = write.result ? "json" : "undefined";
  return write;
}

inline task::AppendEvent event(std::string id, std::uint64_t seq, std::string kind = "progress",
                               std::string data = R"({"value":1})") {
  return {.task = std::move(id), .event = {.seq = seq, .time = 1000, .kind = std::move(kind), .data = std::move(data)}};
}

inline void must(Result<void> const& done) {
  if (!done) FAIL() << to_string(done.error().name) << ": " << done.error().message;
}

inline std::vector<std::string> ids(std::vector<task::Record> const& records) {
  std::vector<std::string> found;
  for (auto const& record : records) found.push_back(record.request.id);
  return found;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // In memory where there is such a place: no test here counts on a disk, and syncs of a real one take minutes.
    std::filesystem::path const memory = "/dev/shm";
    auto const place = std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (place / "any-store-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error{"mkdtemp"};
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  /// Not there yet: the store creates it.
  std::string state() const { return path_ + "/state"; }
  std::size_t values() const {
    std::size_t count = 0;
    for (auto const& entry : std::filesystem::directory_iterator{state() + "/values"}) count += entry.exists();
    return count;
  }

 private:
  std::string path_;
};

}  // namespace any::store_test
