#pragma once
// Those who wait for something to happen, by its name.

#include <map>
#include <string>

#include "async/one_shot.hpp"

namespace any::async {

/// Whoever waits stands in the list exactly as long as it waits: until it is told, its time is over or its caller has
/// gone. Outlives the waiting.
template <class T>
class Waiters {
 public:
  explicit Waiters(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Waiters(Waiters const&) = delete;
  Waiters& operator=(Waiters const&) = delete;

  /// As OneShot::wait.
  Async<std::optional<T>> wait(std::string what, std::optional<Millis> limit) {
    Place const place(*this, std::move(what));
    co_return co_await place.told().wait(limit);
  }
  /// As OneShot::get: however long it takes.
  Async<T> get(std::string what) {
    Place const place(*this, std::move(what));
    co_return co_await place.told().get();
  }
  void tell(std::string const& what, T const& value) {
    auto const [first, last] = waiting_.equal_range(what);
    for (auto it = first; it != last; ++it) it->second.set(value);
  }
  void tell_all(T const& value) {
    for (auto const& [what, told] : waiting_) told.set(value);
  }
  std::size_t size() const { return waiting_.size(); }

 private:
  using Waiting = std::multimap<std::string, OneShot<T>, std::less<>>;
  class Place {
   public:
    Place(Waiters& in, std::string what)
        : in_(in), at_(in.waiting_.emplace(std::move(what), OneShot<T>(in.executor_))) {}
    Place(Place const&) = delete;
    Place& operator=(Place const&) = delete;
    ~Place() { in_.waiting_.erase(at_); }
    OneShot<T> const& told() const { return at_->second; }

   private:
    Waiters& in_;
    typename Waiting::iterator at_;
  };

  boost::asio::any_io_executor executor_;
  Waiting waiting_;
};

}  // namespace any::async
