#include "api/log_tail.hpp"

#include "async/post.hpp"

namespace any::api {

LogTail::LogTail(boost::asio::io_context& io, std::size_t limit, std::uint64_t since, Sink sink)
    : state_{std::make_shared<State>()} {
  state_->sink = std::move(sink);
  state_->last = since;
  token_ = log::follow([&io, weak = std::weak_ptr<State>(state_)](log::Line const& line) {
    async::post(io.get_executor(), "telling a line of the log", [weak, line] {
      auto const state = weak.lock();
      if (!state || line.seq <= state->last) return;
      state->last = line.seq;
      state->sink(line);
    });
  });
  for (auto const& line : log::recent(limit, since)) {
    if (line.seq <= state_->last) continue;
    state_->last = line.seq;
    state_->sink(line);
  }
}

LogTail::~LogTail() {
  log::unfollow(token_);
}

}  // namespace any::api
