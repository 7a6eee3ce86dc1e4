// Taking tasks in: each id once, and nothing answered that is not on disk.

#include <boost/json/parse.hpp>

#include "base/guard.hpp"
#include "base/ids.hpp"
#include "service/task_service.hpp"

namespace any::service {

namespace {

Error shutting_down() {
  return {ErrorName::UnavailableError, "The daemon is shutting down; try again in a moment."};
}

Error conflict(std::string const& id) {
  return {ErrorName::ConflictError,
          "The task \"" + id + "\" is known with another body; give the new one another id, or none."};
}

bool same_json(std::string const& a, std::string const& b) {
  if (a == b) return true;
  boost::json::parse_options options;
  options.max_depth = 1024;
  boost::system::error_code bad_a, bad_b;
  auto const left = boost::json::parse(a, bad_a, {}, options);
  auto const right = boost::json::parse(b, bad_b, {}, options);
  return !bad_a && !bad_b && left == right;
}

auto fields_of(task::TabSpec const& tab) {
  return std::tie(tab.kind, tab.id, tab.url, tab.background, tab.keep);
}
auto fields_of(task::FrameSpec const& frame) {
  return std::tie(frame.kind, frame.id, frame.url);
}
auto fields_of(task::Request const& r) {
  return std::tie(r.id, r.script, r.file, r.browser, r.world, r.timeout, r.queue_timeout, r.retries, r.priority,
                  r.labels, r.door);
}

}  // namespace

bool same_request(task::Request const& a, task::Request const& b) {
  return fields_of(a) == fields_of(b) && fields_of(a.tab) == fields_of(b.tab) &&
         fields_of(a.frame) == fields_of(b.frame) && same_json(a.args, b.args);
}

Async<void> TaskService::submits_of(std::string id) {
  while (submitting_.contains(id)) co_await settled_.get(id);
}

Async<Result<Submitted>> TaskService::submit(task::Request request) {
  if (stopped_) co_return shutting_down();
  bool const made_up = request.id.empty();
  if (made_up) request.id = make_task_id(now().wall);
  std::string const id = request.id;

  // Of several submits of one id the first is settled before the next one looks.
  co_await submits_of(id);
  if (stopped_) co_return shutting_down();
  submitting_.insert(id);
  Finally const over([&] {
    submitting_.erase(id);
    settled_.tell(id, true);
  });
  co_return co_await submit_alone(std::move(request), made_up);
}

Async<Result<Submitted>> TaskService::submit_alone(task::Request request, bool made_up) {
  std::string const id = request.id;
  if (!made_up) {
    if (auto const* alive = core_.find(id)) {
      if (!same_request(request, alive->request)) co_return conflict(id);
      co_return Submitted{{*alive, std::nullopt}, false};
    }
    auto known = co_await get(id, 0);
    if (known) {
      if (!same_request(request, known->record.request)) co_return conflict(id);
      co_return Submitted{std::move(*known), false};
    }
    if (known.error().name != ErrorName::NotFoundError) co_return known.error();
  }
  if (auto const& trouble = outbox_.trouble()) co_return *trouble;

  auto step = core_.submit(std::move(request), now());
  if (!step) co_return step.error();
  async::OneShot<Result<void>> const written(executor());
  note_ends(*step);
  outbox_.push_submit(id, std::move(*step), written.setter());
  schedule();
  auto const result = co_await written.get();
  if (!result) {
    if (result.error().name == ErrorName::DiskFullError) note_refused(result.error());
    co_return result.error();
  }
  if (auto const* alive = core_.find(id)) co_return Submitted{{*alive, std::nullopt}, true};
  // Ended at once: queue_timeout 0 and no browser, or a cancel that was quicker than the answer.
  auto ended = co_await get(id, 0);
  if (!ended) co_return ended.error();
  co_return Submitted{std::move(*ended), true};
}

}  // namespace any::service
