#pragma once
// The order of things said: a step's writes go to the journal in the order of the steps, and its outputs leave in the
// same order, none before the writes it depends on are on disk. No I/O of its own.

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "task/core.hpp"

namespace any::service {

class Outbox {
 public:
  using Written = std::function<void(Result<void>)>;
  struct Actions {
    /// Starts a durable write, one at a time; `writes` stay as they are until `written` is called, which must not
    /// happen inside this call.
    std::function<void(std::vector<task::Write> const& writes, Written written)> write;
    /// TaskCommands over writes that nothing waits for.
    std::function<void(std::vector<task::Write> writes)> write_lazily;
    /// What has just reached the disk.
    std::function<void(std::vector<task::Write> const& writes)> written;
    /// The number of the link that this browser has now; 0: none. What was meant for an earlier link does not leave.
    std::function<std::uint64_t(std::string const& browser)> link;
    std::function<void(task::Output& output)> release;
    /// The submit of this task could not be written: the core must forget it.
    std::function<task::Step(std::string const& task)> undo;
    /// Calls retry() after a while.
    std::function<void()> retry_later;
    /// The journal can not be written (any more), or can again.
    std::function<void(std::optional<Error> const& trouble)> trouble;
  };

  explicit Outbox(Actions actions) : actions_(std::move(actions)) {}

  /// `done` is called after the step's outputs have left.
  void push(task::Step step, Written done = nullptr);
  /// A step that is undone, and its `done` told so, where it cannot be written; any other is tried until it can.
  void push_submit(std::string task, task::Step step, Written done);
  void retry();

  /// Why the journal cannot be written now. New submits are to be refused with it.
  std::optional<Error> const& trouble() const { return trouble_; }
  /// Nothing waits to be written or to leave.
  bool idle() const { return entries_.empty(); }

 private:
  struct Entry {
    task::Step step;
    std::vector<std::uint64_t> links{};  // of the outputs
    std::string submits{};               // the task, where this is its submit
    Written done;
    bool written = false, released = false;
  };

  void enqueue(Entry entry);
  void append(Entry entry);
  /// While nothing can be written: takes out what the newer step says anew, so that the queue does not grow with it.
  void supersede(task::Step const& newer);
  void write_next();
  void wrote(Result<void> const& result);
  void failed(Error const& error);
  void undo(Entry& entry, Error const& error);
  void strip(std::string const& task);
  template <class Which>
  static void erase_outputs(Entry& entry, Which which);
  void release();

  Actions actions_;
  std::deque<Entry> entries_;
  std::vector<task::Write> batch_;
  std::size_t batch_begin_ = 0, batch_end_ = 0;  // entries of the batch, counted from the front
  bool writing_ = false, releasing_ = false, waiting_ = false;
  std::size_t alone_ = 0;  // so many entries are written one by one, to find the one that cannot be
  std::optional<Error> trouble_;
};

}  // namespace any::service
