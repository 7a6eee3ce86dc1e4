// The history of a task, from the journal and then live, with no gap between the two and nothing twice.

#include <algorithm>

#include "base/guard.hpp"
#include "service/task_service.hpp"

namespace any::service {

namespace {
using Events = Result<std::vector<task::Event>>;
}

class TaskService::Watching final : public Watch {
 public:
  Watching(TaskService& service, std::string id, std::uint64_t after, std::function<void(task::Event const&)> sink)
      : service_(service), id_(std::move(id)), seen_(after), sink_(std::move(sink)) {
    service_.watching_.emplace(id_, this);
  }
  ~Watching() override {
    auto const [first, last] = service_.watching_.equal_range(id_);
    for (auto it = first; it != last; ++it) {
      if (it->second == this) {
        service_.watching_.erase(it);
        return;
      }
    }
  }

  /// A live event. Until the journal's have been told it is kept.
  void live(task::Event const& event) {
    if (catching_up_) {
      kept_.push_back(event);
    } else {
      tell(event);
    }
  }

  void caught_up(std::vector<task::Event> const& journaled) {
    for (auto const& event : journaled) tell(event);
    catching_up_ = false;
    for (auto const& event : std::exchange(kept_, {})) tell(event);
  }

  void tell(task::Event const& event) {
    if (!event.journaled ? event.seq < seen_ : event.seq <= seen_) return;
    seen_ = event.seq;
    told_any_ = true;
    sink_(event);
  }

  bool told_any() const { return told_any_; }
  void tell_again(task::Event const& event) { sink_(event); }

 private:
  TaskService& service_;
  std::string id_;
  std::uint64_t seen_;
  std::function<void(task::Event const&)> sink_;
  std::vector<task::Event> kept_;
  bool catching_up_ = true, told_any_ = false;
};

void TaskService::publish(task::Publish const& publish) {
  auto const& [task, event] = publish;
  if (event.kind == "waiting") {
    hints_[task] = event;
  } else if (!hints_.empty() && event.journaled) {
    hints_.erase(task);
  }
  if (!watching_.empty()) {
    // A sink may end watchings, its own or others'.
    auto const [first, last] = watching_.equal_range(task);
    std::vector<Watching*> told;
    for (auto it = first; it != last; ++it) told.push_back(it->second);
    for (auto* watching : told) {
      auto const [begin, end] = watching_.equal_range(task);
      if (std::any_of(begin, end, [&](auto const& entry) { return entry.second == watching; })) {
        guarded("telling a watcher of task " + task, [&] { watching->live(event); });
      }
    }
  }
  if (event.kind == "end") ended_.tell(task, true);
}

Async<Result<std::unique_ptr<Watch>>> TaskService::watch(std::string id, std::uint64_t after,
                                                         std::function<void(task::Event const&)> sink) {
  co_await submits_of(id);
  // Live ones are kept from here on, so that none is missed while the journal is read.
  auto watching = std::make_unique<Watching>(*this, id, after, std::move(sink));
  async::OneShot<Events> const read(executor());
  journal_.events(id, after, read.setter());
  auto const events = co_await read.get();
  if (!events) co_return events.error();
  watching->caught_up(*events);
  if (auto const hint = hints_.find(id); hint != hints_.end()) watching->live(hint->second);
  if (!watching->told_any() && after > 0 && !core_.find(id) && !ending_.contains(id)) {
    async::OneShot<Events> const reread(executor());
    journal_.events(id, after - 1, reread.setter());
    auto const last = co_await reread.get();
    if (last && !last->empty() && last->back().kind == "end") watching->tell_again(last->back());
  }
  co_return std::unique_ptr<Watch>(std::move(watching));
}

}  // namespace any::service
