#include "async/timer.hpp"

#include "async/boot_timer.hpp"
#include "base/guard.hpp"

namespace any::async {

namespace {
constexpr auto after_failure = std::chrono::seconds{1};
}

struct Timer::State : std::enable_shared_from_this<State> {
  State(boost::asio::any_io_executor executor, std::string what) : timer{std::move(executor)}, name{std::move(what)} {}

  void arm(std::chrono::milliseconds wait, std::function<void()> what) {
    call = std::move(what);
    auto const mine = ++turn;
    timer.expires_after(wait);
    timer.async_wait([weak = weak_from_this(), mine](boost::system::error_code cancelled) {
      auto const self = weak.lock();
      if (!cancelled && self && self->turn == mine) self->fire(mine);
    });
  }
  void stop() {
    ++turn;
    call = nullptr;
    timer.cancel();
  }
  void fire(std::uint64_t mine) {
    auto due = std::exchange(call, nullptr);
    if (!guarded(name, due) && turn == mine) arm(after_failure, std::move(due));
  }

  BootTimer timer;
  std::string const name;
  std::function<void()> call;
  std::uint64_t turn = 0;  // one that has fired already finds out by it that it was set anew
};

Timer::Timer(boost::asio::any_io_executor executor, std::string name)
    : state_{std::make_shared<State>(std::move(executor), std::move(name))} {}

Timer::~Timer() {
  state_->stop();
}

void Timer::after(std::chrono::milliseconds wait, std::function<void()> call) {
  state_->arm(wait, std::move(call));
}

void Timer::cancel() {
  state_->stop();
}

}  // namespace any::async
