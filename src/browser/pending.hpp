#pragma once
// The requests that a link has sent and that have no answer yet. No I/O.

#include <algorithm>
#include <map>
#include <string>

#include "base/guard.hpp"
#include "browser/linked.hpp"

namespace any::browser {

class Pending {
 public:
  /// The id to send. `label` names the request in errors. `deadline`: on the steady clock.
  std::uint64_t add(std::string label, std::optional<Millis> deadline, LinkedBrowser::Answered done) {
    waiting_.emplace(++last_, Entry{std::move(label), deadline, std::move(done)});
    return last_;
  }

  /// False where nothing waits for that id (any more).
  bool answer(std::uint64_t id, Result<std::string_view> const& result) {
    auto const found = waiting_.find(id);
    if (found == waiting_.end()) return false;
    auto entry = std::move(found->second);
    waiting_.erase(found);
    // Whoever fails here must not keep the others from their answers.
    if (entry.done) guarded("the answer to " + entry.label, [&] { entry.done(result); });
    return true;
  }

  std::optional<Millis> next_deadline() const {
    std::optional<Millis> next;
    for (auto const& [id, entry] : waiting_) {
      if (entry.deadline && (!next || *entry.deadline < *next)) next = entry.deadline;
    }
    return next;
  }

  /// Fails with TimeoutError what has waited too long.
  void expire(Millis mono) {
    for (auto const id : ids([mono](Entry const& entry) { return entry.deadline && *entry.deadline <= mono; })) {
      fail(id, ErrorName::TimeoutError, "The browser has not answered ", " in time; is it busy or asleep?");
    }
  }

  /// Fails everything with BrowserLostError.
  void fail_all(std::string const& why) {
    for (auto const id : ids([](Entry const&) { return true; })) {
      fail(id, ErrorName::BrowserLostError, "The link to the browser ended before it answered ",
           " (" + why + "): it may or may not have been carried out.");
    }
  }

  std::size_t size() const { return waiting_.size(); }

 private:
  struct Entry {
    std::string label;
    std::optional<Millis> deadline;
    LinkedBrowser::Answered done;
  };

  template <class Which>
  std::vector<std::uint64_t> ids(Which which) const {
    std::vector<std::uint64_t> found;
    for (auto const& [id, entry] : waiting_) {
      if (which(entry)) found.push_back(id);
    }
    return found;
  }

  void fail(std::uint64_t id, ErrorName name, std::string before, std::string const& after) {
    auto const found = waiting_.find(id);
    if (found == waiting_.end()) return;
    Error error{name, before.append(found->second.label).append(after)};
    answer(id, error);
  }

  std::map<std::uint64_t, Entry> waiting_;
  std::uint64_t last_ = 0;
};

}  // namespace any::browser
