// What the doors ask of tasks that are there: their state, their end, their history; and to end them.

#include "browser/prototype.hpp"
#include "service/task_service.hpp"

namespace any::service {

namespace {

constexpr Millis look_at_trouble = 250;  // while a write takes long

Error shutting_down() {
  return {ErrorName::UnavailableError, "The daemon is shutting down; try again in a moment."};
}

Error ended_already(std::string const& id, task::State state) {
  return {ErrorName::ConflictError, "The task \"" + id + "\" has ended: it is " + std::string(to_string(state)) + "."};
}

}  // namespace

Async<Result<store::Stored>> TaskService::get(std::string id, Millis wait) {
  bool const alive = core_.find(id) != nullptr;
  bool const ends = ending_.contains(id);
  // Between its end and the disk a task has no answer yet; with a full disk the journal's older one is better than
  // none.
  if ((alive && wait > 0) || (ends && !outbox_.trouble())) {
    if (stopped_) co_return shutting_down();
    auto const said = co_await ended_.wait(id, ends ? std::max<Millis>(wait, 10'000) : wait);
    if (said && !*said) co_return shutting_down();
  }
  if (auto const* record = core_.find(id)) co_return store::Stored{*record, std::nullopt};
  async::OneShot<Result<store::Stored>> const read(executor());
  journal_.get(id, read.setter());
  co_return co_await read.get();
}

Async<Result<std::vector<task::Record>>> TaskService::list(store::ListQuery query) {
  async::OneShot<Result<std::vector<task::Record>>> const read(executor());
  journal_.list(std::move(query), read.setter());
  co_return co_await read.get();
}

Async<Result<std::string>> TaskService::screenshot(std::string id) {
  async::OneShot<Result<std::string>> const read(executor());
  journal_.screenshot(std::move(id), read.setter());
  co_return co_await read.get();
}

Async<Result<store::Stored>> TaskService::settle(task::Step step, std::string id) {
  async::OneShot<Result<void>> const written(executor());
  apply(std::move(step), written.setter());
  // With a full disk this would take as long as that lasts.
  std::optional<Result<void>> result;
  while (!result) {
    if (auto const& trouble = outbox_.trouble()) co_return *trouble;
    result = co_await written.get(look_at_trouble);
  }
  if (!*result) co_return result->error();
  co_return co_await get(id, 0);
}

Async<Result<store::Stored>> TaskService::cancel(std::string id) {
  co_await submits_of(id);
  auto step = core_.cancel(id, now());
  if (step) co_return co_await settle(std::move(*step), id);
  auto known = co_await get(id, 0);
  if (!known) co_return known.error();
  co_return ended_already(id, known->record.state);
}

Async<Result<store::Stored>> TaskService::finish_prototype(std::string id, PrototypeEnd end) {
  auto const* record = core_.find(id);
  if (!record) {
    auto known = co_await get(id, 0);
    if (!known) co_return known.error();
    co_return ended_already(id, known->record.state);
  }
  if (!browser::is_prototype(record->browser) || record->attempts.empty() || record->state == task::State::queued) {
    co_return Error{ErrorName::ForbiddenError,
                    "The task \"" + id + "\" was not handed out on the prototype's door, so it cannot be ended there."};
  }
  task::RunKey const run{id, record->attempts.back().number, record->hop};
  task::Outcome outcome;
  if (end.error) {
    outcome.kind = task::Outcome::Kind::error;
    outcome.error = std::move(*end.error);
  } else {
    outcome.value = std::move(end.output);
  }
  std::string const browser = record->browser;
  co_return co_await settle(core_.finished(browser, run, std::move(outcome), 0, now()), id);
}

}  // namespace any::service
