#pragma once
// What stays open between requests (sockets, event streams), so that the daemon can end it; and what is counted.

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

namespace any::api {

/// All open sockets and streams of the api.
class Live {
 public:
  /// Stands in the list for as long as it lives.
  class Entry {
   public:
    Entry(Live& live, std::function<void()> end)
        : live_{live}, at_{live.ends_.insert(live.ends_.end(), std::move(end))} {}
    ~Entry() { live_.ends_.erase(at_); }
    Entry(Entry const&) = delete;
    Entry& operator=(Entry const&) = delete;

   private:
    Live& live_;
    std::list<std::function<void()>>::iterator at_;
  };

  /// Ends all; the entries go when their coroutines do. What comes later is refused by `closing`.
  void end_all() {
    closing_ = true;
    for (auto const& end : ends_) end();
  }
  bool closing() const { return closing_; }
  std::size_t size() const { return ends_.size(); }

 private:
  std::list<std::function<void()>> ends_;
  bool closing_ = false;
};

struct Metrics {
  std::uint64_t requests = 0;                    ///< that came in through the door
  std::map<std::string, std::uint64_t> refused;  ///< by the name of the error, at the door
  std::uint64_t rpc_requests = 0;
  std::map<std::string_view, std::uint64_t> calls;  ///< by operation, through whichever door
};

}  // namespace any::api
