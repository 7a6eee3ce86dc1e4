#pragma once
// One question to the browser that is asked again where it is not answered: one at a time, and an answer that comes too
// late counts no more.

#include <cstdint>
#include <utility>

namespace any::cdp {

class Inquiry {
 public:
  bool under_way() const { return under_way_; }
  std::uint64_t begin() {
    under_way_ = true;
    return ++number_;
  }
  /// Whether it is still this one that is under way.
  bool is(std::uint64_t number) const { return under_way_ && number == number_; }
  /// Whether no other has begun since this one ended.
  bool newest(std::uint64_t number) const { return number == number_; }

  /// It has been answered.
  void answered() {
    under_way_ = false;
    failures_ = 0;
  }
  /// Nothing is to come of it any more: how often it has failed in a row, and the number by which to tell a newer one.
  std::pair<int, std::uint64_t> failed() {
    cancel();
    return {++failures_, number_};
  }
  void cancel() {
    under_way_ = false;
    ++number_;
  }
  void forgive() { failures_ = 0; }

 private:
  bool under_way_ = false;
  std::uint64_t number_ = 0;
  int failures_ = 0;
};

}  // namespace any::cdp
