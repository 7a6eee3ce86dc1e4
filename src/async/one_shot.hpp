#pragma once
// A value that comes once, and whoever waits for it, all on one io thread.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "async/async.hpp"
#include "async/boot_timer.hpp"
#include "async/spawn.hpp"
#include "base/clock.hpp"

namespace any::async {

/// Handles share one state: keep one where the value is set and one in the coroutine that waits. One waiter.
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

  /// The value, however long it takes.
  Async<T> get() const {
    auto state = state_;
    state->timer.expires_at(Time::max());
    while (!state->value) co_await state->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return *std::exchange(state->value, std::nullopt);
  }
  /// The value, or nothing if it has not come within `limit`.
  Async<std::optional<T>> get(Millis limit) const {
    auto state = state_;
    state->timer.expires_after(std::chrono::milliseconds(limit));
    while (!state->value && state->timer.expiry() > Time::clock::now())
      co_await state->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return std::exchange(state->value, std::nullopt);
  }
  /// For a caller: the value, or nothing after `limit` (where there is one) or as soon as the caller has gone.
  Async<std::optional<T>> wait(std::optional<Millis> limit = std::nullopt) const {
    auto state = state_;
    auto const gone = co_await caller_gone();
    if (!state->value && !gone) {
      state->timer.expires_at(limit ? Time::clock::now() + std::chrono::milliseconds(*limit) : Time::max());
      co_await state->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    co_return std::exchange(state->value, std::nullopt);
  }

 private:
  using Time = BootTimer::time_point;
  struct State {
    explicit State(boost::asio::any_io_executor executor) : timer(std::move(executor)) {}
    BootTimer timer;
    std::optional<T> value{};
  };
  std::shared_ptr<State> state_;
};

}  // namespace any::async
