#include "task/deadlines.hpp"

namespace any::task {

void Deadlines::put(std::size_t place, Timer* timer) noexcept {
  heap_[place] = timer;
  timer->place = place;
}

void Deadlines::up(std::size_t place) noexcept {
  auto* const timer = heap_[place];
  while (place > 0) {
    auto const parent = (place - 1) / 2;
    if (heap_[parent]->when <= timer->when) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, timer);
}

void Deadlines::down(std::size_t place) noexcept {
  auto* const timer = heap_[place];
  for (;;) {
    auto child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when < heap_[child]->when) ++child;
    if (timer->when <= heap_[child]->when) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, timer);
}

void Deadlines::arm(Timer& timer, Millis when) {
  if (!timer.armed()) {
    heap_.push_back(&timer);
    timer.place = heap_.size() - 1;
  }
  timer.when = when;
  up(timer.place);
  down(timer.place);
}

void Deadlines::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return;
  auto const place = timer.place;
  timer.place = Timer::nowhere;
  auto* const last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  put(place, last);
  up(place);
  down(last->place);
}

Timer* Deadlines::pop_due(Millis now) noexcept {
  if (heap_.empty() || heap_.front()->when > now) return nullptr;
  auto* const timer = heap_.front();
  disarm(*timer);
  return timer;
}

std::optional<Millis> Deadlines::next() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->when;
}

}  // namespace any::task
