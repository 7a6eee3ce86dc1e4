#include "net/stream.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <cstdio>

#include "base/log.hpp"

namespace any::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
constexpr std::size_t max_queue = std::size_t{64} << 20;
constexpr auto patience = std::chrono::seconds{30};

std::string chunk_of(std::string_view bytes) {
  return boost::beast::buffers_to_string(http::make_chunk(asio::buffer(bytes)));
}

class HandlerStream final : public Stream {
 public:
  explicit HandlerStream(std::shared_ptr<StreamState> state) : state_{std::move(state)} {}
  HandlerStream(HandlerStream const&) = delete;
  HandlerStream& operator=(HandlerStream const&) = delete;
  ~HandlerStream() override {
    if (!finished_) state_->give_up();
  }
  bool write(std::string chunk) override { return state_->write(std::move(chunk)); }
  void finish() override {
    finished_ = true;
    state_->finish();
  }
  Async<void> closed() override { return state_->closed(); }

 private:
  std::shared_ptr<StreamState> state_;
  bool finished_ = false;
};

}  // namespace

StreamState::StreamState(asio::ip::tcp::socket& socket, Peer const& peer, bool chunked, bool silent)
    : socket_{socket},
      event_{socket.get_executor(), asio::steady_timer::time_point::max()},
      peer_{peer.address + ":" + std::to_string(peer.port)},
      chunked_{chunked},
      silent_{silent} {}

void StreamState::start() {
  watch_peer();
}

// The connection is closed after a stream, so whatever the peer still sends means nothing.
void StreamState::watch_peer() {
  auto const room = std::make_shared<std::array<char, 512>>();
  socket_.async_read_some(asio::buffer(*room), [self = shared_from_this(), room](ErrorCode failed, std::size_t) {
    if (self->finished_ || self->gone_) return;
    if (failed) {
      self->gone_ = true;
      self->wake();
    } else {
      self->watch_peer();
    }
  });
}

bool StreamState::write(std::string chunk) {
  if (gone_ || told_ || finishing_) return false;
  if (silent_ || chunk.empty()) return true;
  if (queued_ > 0 && queued_ + chunk.size() > max_queue) {
    log::warn("The peer " + peer_ + " is cut off: " + std::to_string(queued_) +
              " bytes wait for it and it does not read.");
    give_up();
    return false;
  }
  queue_.push_back(chunked_ ? chunk_of(chunk) : std::move(chunk));
  queued_ += queue_.back().size();
  if (queue_.size() == 1) write_next();
  return true;
}

void StreamState::write_next() {
  progress_ = std::chrono::steady_clock::now();
  asio::async_write(socket_, asio::buffer(queue_.front()), [self = shared_from_this()](ErrorCode failed, std::size_t) {
    self->queued_ -= self->queue_.front().size();
    self->queue_.pop_front();
    if (failed) {
      self->gone_ = true;
      self->wake();
    } else if (self->gone_) {
      self->wake();
    } else if (!self->queue_.empty()) {
      self->write_next();
    } else if (self->finishing_) {
      self->finished_ = true;
      self->wake();
    }
  });
}

void StreamState::finish() {
  if (finishing_ || gone_) return;
  finishing_ = true;
  if (chunked_ && !silent_) {
    queue_.push_back(boost::beast::buffers_to_string(http::make_chunk_last()));
    queued_ += queue_.back().size();
    if (queue_.size() == 1) write_next();
  } else if (queue_.empty()) {
    finished_ = true;
    wake();
  }
}

void StreamState::give_up() {
  if (gone_ || finished_) return;
  gone_ = true;
  ErrorCode ignored;
  socket_.close(ignored);
  wake();
}

void StreamState::wind_up() {
  told_ = true;
  wake();
}

void StreamState::wake() {
  event_.cancel();
}

Async<void> StreamState::over() {
  auto const self = shared_from_this();
  // A write that is under way uses the socket: it is waited for too.
  while (!finished_ && !(gone_ && queue_.empty())) {
    if (gone_) {
      ErrorCode ignored;
      socket_.close(ignored);
    }
    co_await event_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

Async<void> StreamState::closed() {
  auto const self = shared_from_this();
  while (!finished_ && !gone_ && !told_) co_await event_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void StreamState::check_deadline(std::chrono::steady_clock::time_point now) {
  if (!queue_.empty() && now - progress_ > patience) give_up();
}

std::unique_ptr<Stream> stream_of(std::shared_ptr<StreamState> state) {
  return std::make_unique<HandlerStream>(std::move(state));
}

}  // namespace any::net
