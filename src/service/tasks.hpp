#pragma once
// Tasks as the doors see them: submit, wait, watch, cancel. Joins the pure core with the journal and the browsers.
// Lives on the io thread. Whatever it answers is on disk.

#include <functional>

#include "async/async.hpp"
#include "browser/browsers.hpp"
#include "store/journal.hpp"
#include "task/core.hpp"

namespace any::service {

struct Submitted {
  store::Stored task;
  bool created = true;  ///< false: the id was known with the same body
};

/// Ends the watching when it goes.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Tasks {
 public:
  virtual ~Tasks() = default;
  virtual Async<Result<Submitted>> submit(task::Request request) = 0;
  /// Waits up to `wait` for the end. NotFoundError.
  virtual Async<Result<store::Stored>> get(std::string id, Millis wait) = 0;
  virtual Async<Result<std::vector<task::Record>>> list(store::ListQuery query) = 0;
  virtual Async<Result<store::Stored>> cancel(std::string id) = 0;
  virtual Async<Result<std::string>> screenshot(std::string id) = 0;
  /// How a prototype's extension says that a task has ended (POST /task/{id}).
  struct PrototypeEnd {
    std::optional<std::string> output;  ///< JSON text; nothing where the field was absent
    std::optional<Error> error{};       ///< there where it failed
  };
  /// Only a task handed out on the prototype's door can be ended there. NotFoundError (no such task), ForbiddenError
  /// (handed out elsewhere, or to nobody yet), ConflictError (ended already), DiskFullError.
  virtual Async<Result<store::Stored>> finish_prototype(std::string id, PrototypeEnd end) = 0;
  /// Every event with seq > after, in order, none missing, none twice; the last has kind "end" (a task that has ended
  /// and has no more to tell says its "end" once more). `sink` runs on the io thread, also before this answers.
  virtual Async<Result<std::unique_ptr<Watch>>> watch(std::string id, std::uint64_t after,
                                                      std::function<void(task::Event const&)> sink) = 0;
  struct Counts {
    std::uint64_t queued = 0, dispatched = 0, running = 0, completed = 0, failed = 0, cancelled = 0;
  };
  virtual Counts counts() const = 0;
  /// Why the journal cannot be written now, for /health; nothing while it can.
  virtual std::optional<Error> trouble() const { return std::nullopt; }
  /// Writes that failed since the start.
  virtual std::uint64_t journal_failures() const { return 0; }
  virtual std::vector<std::string> running_on(std::string_view browser) const = 0;
};

}  // namespace any::service
