#include "async/spawn.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "base/guard.hpp"

namespace any::async {

namespace asio = boost::asio;

struct Cancellation::State {
  asio::cancellation_signal signal;
};

Cancellation::Cancellation() : state_{std::make_shared<State>()} {}

void Cancellation::cancel() const {
  auto const state = state_;  // what is cancelled may let go of us
  state->signal.emit(asio::cancellation_type::terminal);
}

namespace {

// A cancelled wait is answered like any other: without this the next co_await would throw.
Async<void> root(Async<void> work) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(work);
}

}  // namespace

void spawn(asio::any_io_executor const& executor, std::string what, Async<void> work, Cancellation const& cancellation,
           std::function<void()> ended) {
  // The signal must outlive the coroutine.
  auto done = [what = std::move(what), ended = std::move(ended),
               signal = cancellation.state_](std::exception_ptr const& thrown) {
    if (thrown) log_bug(what, thrown);
    if (ended) guarded("what follows " + what, ended);
  };
  asio::co_spawn(executor, root(std::move(work)),
                 asio::bind_cancellation_slot(cancellation.state_->signal.slot(), std::move(done)));
}

void spawn(asio::any_io_executor const& executor, std::string what, Async<void> work, std::function<void()> ended) {
  spawn(executor, std::move(what), std::move(work), Cancellation{}, std::move(ended));
}

Async<bool> caller_gone() {
  auto const state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace any::async
