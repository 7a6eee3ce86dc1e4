#pragma once
// A value that comes once, and whoever waits for it, all on one io thread.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "net/async.hpp"

namespace any {

/// Handles share one state: keep one where the value is set and one in the coroutine that waits.
template <class T>
class OneShot {
 public:
  explicit OneShot(boost::asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

  /// Later calls change nothing.
  void set(T value) const {
    if (state_->value) return;
    state_->value.emplace(std::move(value));
    state_->timer.cancel();
  }
  /// set(), for whoever takes a function.
  auto setter() const {
    return [self = *this](T value) { self.set(std::move(value)); };
  }
  bool same(OneShot const& other) const { return state_ == other.state_; }

  /// The value, or nothing if it has not come within `wait` milliseconds (no limit where there is none). One waiter.
  Async<std::optional<T>> wait(std::optional<Millis> limit = std::nullopt) const {
    auto state = state_;
    if (!state->value) {
      if (limit) {
        state->timer.expires_after(std::chrono::milliseconds(*limit));
      } else {
        state->timer.expires_at(std::chrono::steady_clock::time_point::max());
      }
      co_await state->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    co_return std::exchange(state->value, std::nullopt);
  }
  /// The value, however long it takes.
  Async<T> get() const {
    auto state = state_;
    state->timer.expires_at(std::chrono::steady_clock::time_point::max());
    while (!state->value) co_await state->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return *std::exchange(state->value, std::nullopt);
  }

 private:
  struct State {
    explicit State(boost::asio::any_io_executor executor) : timer(std::move(executor)) {}
    boost::asio::steady_timer timer;
    std::optional<T> value{};
  };
  std::shared_ptr<State> state_;
};

}  // namespace any
