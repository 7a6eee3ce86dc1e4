#include "service/task_service.hpp"

#include <algorithm>
#include <thread>

#include "base/log.hpp"
#include "service/task_log.hpp"

namespace any::service {

namespace {
constexpr auto retry_after = std::chrono::seconds(1);

/// A page being opened costs the browser's processor, which is ours, too.
task::Limits for_this_machine(task::Limits limits) {
  auto const cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  limits.max_opening = std::min(4 * cores, limits.max_opening);
  return limits;
}
}  // namespace

TaskService::TaskService(boost::asio::io_context& io, Clock const& clock, store::Journal& journal,
                         browser::TaskCommands& commands, task::Limits limits)
    : io_(io),
      clock_(clock),
      journal_(journal),
      commands_(commands),
      core_(for_this_machine(limits)),
      deadline_(io.get_executor(), "the deadlines of tasks"),
      retry_(io.get_executor(), "trying the journal again"),
      probe_(io.get_executor(), "looking whether the disk has room again"),
      settled_(io.get_executor()),
      ended_(io.get_executor()),
      outbox_(actions()) {}

TaskService::~TaskService() = default;

Outbox::Actions TaskService::actions() {
  return {
      .write = [this](auto const& writes,
                      Outbox::Written written) { journal_.append(writes, true, std::move(written)); },
      .write_lazily =
          [this](auto writes) {
            log_steps(writes);
            journal_.append(std::move(writes), false, nullptr);
          },
      .written = [this](auto const& writes) { wrote(writes); },
      .link =
          [this](std::string const& browser) {
            auto const found = links_.find(browser);
            return found == links_.end() ? 0 : found->second;
          },
      .release = [this](task::Output& output) { release(output); },
      .undo = [this](std::string const& task) { return undo(task); },
      .retry_later = [this] { retry_.after(retry_after, [this] { outbox_.retry(); }); },
      .trouble =
          [](std::optional<Error> const& trouble) {
            if (trouble) {
              log::error("the journal cannot be written; no task is taken or told ended until it can: " +
                         trouble->message);
            } else {
              log::info("the journal can be written again");
            }
          },
  };
}

void TaskService::restore(std::vector<task::Record> live, store::Totals totals) {
  totals_ = totals;
  apply(core_.restore(std::move(live), now()));
}

void TaskService::stop() {
  stopped_ = true;
  deadline_.cancel();
  probe_.cancel();
  ended_.tell_all(false);
}

void TaskService::apply(task::Step step, Outbox::Written done) {
  note_ends(step);
  outbox_.push(std::move(step), std::move(done));
  schedule();
}

void TaskService::note_ends(task::Step const& step) {
  for (auto const& write : step.writes) {
    if (auto const* finish = std::get_if<task::FinishTask>(&write)) ++ending_[finish->record.request.id];
  }
}

task::Step TaskService::undo(std::string const& task) {
  ending_.erase(task);
  hints_.erase(task);
  auto step = core_.undo_submit(task, now());
  ended_.tell(task, true);  // whoever waits looks again and finds nothing
  return step;
}

void TaskService::note_refused(Error const& error) {
  if (!refusing_) {
    log::error("the journal cannot be written, a task was refused: " + error.message);
    probe();
  }
  refusing_ = error;
}

void TaskService::probe() {
  probe_.after(retry_after, [this] {
    journal_.put_meta("disk_probe", iso_time(now().wall), [this](Result<void> const& written) {
      if (stopped_) return;
      if (!written) return probe();
      refusing_.reset();
      log::info("the journal can be written again");
    });
  });
}

void TaskService::schedule() {
  auto const next = core_.next_deadline();
  if (next == scheduled_ || stopped_) return;
  scheduled_ = next;
  if (!next) {
    deadline_.cancel();
    return;
  }
  deadline_.after(std::chrono::milliseconds(std::max<Millis>(*next - now().mono, 0)), [this] {
    scheduled_.reset();
    apply(core_.tick(now()));
  });
}

void TaskService::wrote(std::vector<task::Write> const& writes) {
  log_steps(writes);
  for (auto const& write : writes) {
    auto const* finish = std::get_if<task::FinishTask>(&write);
    if (!finish) continue;
    switch (finish->record.state) {
      case task::State::completed:
        ++totals_.completed;
        break;
      case task::State::cancelled:
        ++totals_.cancelled;
        break;
      default:
        ++totals_.failed;
    }
    auto const found = ending_.find(finish->record.request.id);
    if (found != ending_.end() && --found->second == 0) ending_.erase(found);
  }
}

void TaskService::release(task::Output& output) {
  struct Visitor {
    TaskService& self;
    void operator()(task::SendStart const& start) const { self.commands_.start(start); }
    void operator()(task::SendCancel const& cancel) const { self.commands_.cancel(cancel); }
    void operator()(task::SendForget const& forget) const { self.commands_.forget(forget); }
    void operator()(task::AckFinish const& ack) const { self.commands_.acknowledge(ack); }
    void operator()(task::Publish const& publish) const { self.publish(publish); }
  };
  std::visit(Visitor{*this}, output);
}

Tasks::Counts TaskService::counts() const {
  auto const live = core_.counts();
  return {live.queued, live.dispatched, live.running, totals_.completed, totals_.failed, totals_.cancelled};
}

std::vector<std::string> TaskService::running_on(std::string_view browser) const {
  return core_.running_on(browser);
}

void TaskService::up(task::BrowserState browser, std::string const& instance, std::vector<task::Hold> const& holds) {
  links_[browser.id] = ++last_link_;
  apply(core_.link_up(std::move(browser), instance, holds, now()));
}

void TaskService::down(std::string const& browser) {
  links_.erase(browser);
  apply(core_.link_down(browser, now()));
}

void TaskService::changed(task::BrowserState browser) {
  apply(core_.browser_changed(std::move(browser), now()));
}

void TaskService::accepted(std::string const& browser, task::RunKey const& run, task::TabInfo tab) {
  apply(core_.accepted(browser, run, std::move(tab), now()));
}

void TaskService::busy(std::string const& browser, task::RunKey const& run, std::int64_t tab) {
  apply(core_.busy(browser, run, tab, now()));
}

void TaskService::refused(std::string const& browser, task::RunKey const& run, Error error) {
  apply(core_.refused(browser, run, std::move(error), now()));
}

void TaskService::started(std::string const& browser, task::RunKey const& run, std::optional<task::TabInfo> tab,
                          task::Injection injection) {
  apply(core_.started(browser, run, std::move(tab), injection, now()));
}

void TaskService::progress(std::string const& browser, task::RunKey const& run, std::string value) {
  apply(core_.progress(browser, run, std::move(value), now()));
}

void TaskService::console(std::string const& browser, task::RunKey const& run, task::ConsoleLine line) {
  apply(core_.console(browser, run, std::move(line), now()));
}

void TaskService::finished(std::string const& browser, task::RunKey const& run, task::Outcome outcome,
                           std::uint64_t token) {
  apply(core_.finished(browser, run, std::move(outcome), token, now()));
}

}  // namespace any::service
