#pragma once
// Bytes read from a socket and not yet used up. Holds no memory while it is empty and released.

#include <boost/asio/buffer.hpp>
#include <cstring>
#include <memory>
#include <string_view>

namespace any::net {

class ReadBuffer {
 public:
  std::string_view view() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Room for at least `count` more bytes.
  boost::asio::mutable_buffer prepare(std::size_t count) {
    if (capacity_ - end_ < count) {
      auto const held = size();
      if (capacity_ < held + count) {
        auto const grown = std::max(held + count, held * 2);
        std::unique_ptr<char[]> bigger{new char[grown]};
        if (held > 0) std::memcpy(bigger.get(), data_.get() + begin_, held);
        data_ = std::move(bigger);
        capacity_ = grown;
      } else if (held > 0) {
        std::memmove(data_.get(), data_.get() + begin_, held);
      }
      begin_ = 0;
      end_ = held;
    }
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t count) noexcept { end_ += count; }
  void release() noexcept {
    if (!empty()) return;
    data_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace any::net
