#pragma once
// The pure core joined with the journal and the links.

#include <boost/asio/io_context.hpp>
#include <unordered_map>
#include <unordered_set>

#include "async/timer.hpp"
#include "async/waiters.hpp"
#include "browser/events.hpp"
#include "service/outbox.hpp"
#include "service/tasks.hpp"

namespace any::service {

class TaskService final : public Tasks, public browser::LinkEvents {
 public:
  TaskService(boost::asio::io_context& io, Clock const& clock, store::Journal& journal, browser::TaskCommands& commands,
              task::Limits limits);
  ~TaskService() override;

  /// Before anything else: the journal's tasks that have not ended, and how many have.
  void restore(std::vector<task::Record> live, store::Totals totals);
  /// How many have ended, anew: after old ones were removed from the journal.
  void recount(store::Totals totals) { totals_ = totals; }
  /// Lets no new task in; who waits gets UnavailableError.
  void stop();
  /// Whether everything that was to be written is.
  bool idle() const { return outbox_.idle(); }

  Async<Result<Submitted>> submit(task::Request request) override;
  Async<Result<store::Stored>> get(std::string id, Millis wait) override;
  Async<Result<std::vector<task::Record>>> list(store::ListQuery query) override;
  Async<Result<store::Stored>> cancel(std::string id) override;
  Async<Result<std::string>> screenshot(std::string id) override;
  Async<Result<store::Stored>> finish_prototype(std::string id, PrototypeEnd end) override;
  Async<Result<std::unique_ptr<Watch>>> watch(std::string id, std::uint64_t after,
                                              std::function<void(task::Event const&)> sink) override;
  Counts counts() const override;
  std::optional<Error> trouble() const override { return outbox_.trouble() ? outbox_.trouble() : refusing_; }
  std::uint64_t journal_failures() const override { return journal_.stats().failures; }
  std::vector<std::string> running_on(std::string_view browser) const override;

  void up(task::BrowserState browser, std::string const& instance, std::vector<task::Hold> const& holds) override;
  void down(std::string const& browser) override;
  void changed(task::BrowserState browser) override;
  void accepted(std::string const& browser, task::RunKey const& run, task::TabInfo tab) override;
  void busy(std::string const& browser, task::RunKey const& run, std::int64_t tab) override;
  void refused(std::string const& browser, task::RunKey const& run, Error error) override;
  void started(std::string const& browser, task::RunKey const& run, std::optional<task::TabInfo> tab,
               task::Injection injection) override;
  void progress(std::string const& browser, task::RunKey const& run, std::string value) override;
  void console(std::string const& browser, task::RunKey const& run, task::ConsoleLine line) override;
  void finished(std::string const& browser, task::RunKey const& run, task::Outcome outcome,
                std::uint64_t token) override;

 private:
  class Watching;

  Outbox::Actions actions();
  void apply(task::Step step, Outbox::Written done = nullptr);
  void schedule();
  void release(task::Output& output);
  void publish(task::Publish const& publish);
  void wrote(std::vector<task::Write> const& writes);
  void note_ends(task::Step const& step);
  /// The core forgets a task whose submit could not be written, and so does everything here.
  task::Step undo(std::string const& task);
  /// A submit could not be written. Until a probe can, that is the trouble.
  void note_refused(Error const& error);
  void probe();
  Instant now() const { return clock_.now(); }
  boost::asio::any_io_executor executor() { return io_.get_executor(); }

  Async<void> submits_of(std::string id);
  Async<Result<Submitted>> submit_alone(task::Request request, bool made_up);
  /// Applies the step, and answers with the task once that is on disk.
  Async<Result<store::Stored>> settle(task::Step step, std::string id);

  boost::asio::io_context& io_;
  Clock const& clock_;
  store::Journal& journal_;
  browser::TaskCommands& commands_;
  task::Core core_;
  async::Timer deadline_, retry_, probe_;
  std::optional<Millis> scheduled_;
  std::unordered_map<std::string, std::uint64_t> links_;  // the number of each browser's present link
  std::uint64_t last_link_ = 0;
  std::unordered_set<std::string> submitting_;           // ids whose submit is not settled
  async::Waiters<bool> settled_;                         // who waits for that
  async::Waiters<bool> ended_;                           // who waits for a task's end; told false where the daemon ends
  std::unordered_map<std::string, std::size_t> ending_;  // ended, but not on disk yet
  std::unordered_multimap<std::string, Watching*> watching_;
  std::unordered_map<std::string, task::Event> hints_;  // the newest "waiting" of tasks that still wait
  std::optional<Error> refusing_;
  store::Totals totals_;
  bool stopped_ = false;
  Outbox outbox_;
};

/// Whether two requests ask for the same; members of args may stand in another order.
bool same_request(task::Request const& a, task::Request const& b);

}  // namespace any::service
