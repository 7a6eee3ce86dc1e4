#include <boost/json/serialize.hpp>
#include <iostream>
#include <thread>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"
#include "cli/outcome.hpp"
#include "cli/request.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

constexpr Duration reconnect_limit{30'000};

/// One task on its way, as a person follows it.
class Follower {
 public:
  /// `last_seen`: when a browser was linked last, as /health says it.
  Follower(std::string task, bool quiet, std::string last_seen)
      : task_(std::move(task)), last_seen_(std::move(last_seen)), quiet_(quiet) {}

  bool ended() const { return ended_; }
  std::int64_t seq() const { return seq_; }

  void take(json::object const& event) {
    if (text_of(event, "task") != task_) return;
    if (auto const* seq = event.if_contains("seq"); seq != nullptr && seq->is_int64())
      seq_ = std::max(seq_, seq->as_int64());
    auto const kind = text_of(event, "kind");
    if (kind == "end") ended_ = true;
    if (quiet_) return;
    if (kind == "waiting") {
      auto const text = waiting_text(event);
      // On a terminal it goes away again; in a log it stays.
      if (colour_on_stderr())
        status(harmless(text));
      else
        say(text);
    } else if (kind == "progress") {
      line(Ink::dim, "progress", text_of(event, "value"));
    } else if (kind == "console") {
      auto const level = text_of(event, "level");
      line(level == "error"  ? Ink::red
           : level == "warn" ? Ink::yellow
                             : Ink::plain,
           level.c_str(), text_of(event, "text"));
    } else if (kind == "hop") {
      line(Ink::dim, "next page", text_of(event, "url"));
    } else if (kind == "retry") {
      auto const* error = event.if_contains("error");
      line(Ink::yellow, "trying again",
           error != nullptr && error->is_object() ? text_of(error->get_object(), "message") : "");
    } else if (kind == "requeued") {
      line(Ink::yellow, "back in the queue", text_of(event, "reason"));
    } else {
      clear_status();
    }
  }

 private:
  static void line(Ink ink, char const* what, std::string const& text) {
    clear_status();
    std::cerr << inked(ink, std::string(what) + ": " + harmless_block(text, 2)) << '\n';
  }

  std::string waiting_text(json::object const& event) const {
    auto message = text_of(event, "message");
    if (!message.starts_with("no browser is connected")) return message;
    return "waiting for a browser (" +
           (last_seen_.empty() ? std::string("none has ever connected")
                               : "none has been connected since " + last_seen_ + ", " + age(last_seen_)) +
           "; try `any doctor`)";
  }

  std::string task_, last_seen_;
  bool quiet_, ended_ = false;
  std::int64_t seq_ = 0;
};

/// The daemon of one task, which may go away and come back meanwhile: what it accepted is not lost.
class Lasting {
 public:
  /// `prepare` is called for the first one and for each that is found again.
  Lasting(Reach const& reach, std::string task, std::unique_ptr<Daemon> first, std::function<void(Daemon&)> prepare)
      : reach_(reach), task_(std::move(task)), daemon_(std::move(first)), prepare_(std::move(prepare)) {
    prepare_(*daemon_);
  }

  Daemon* operator->() { return daemon_.get(); }

  /// Waits until it is back; `meanwhile` says what becomes of the task.
  Result<void> find_again(char const* meanwhile) {
    daemon_.reset();  // nor does it hold Ctrl-C any more
    say(std::string("the daemon went away; waiting for it to come back (") + meanwhile + ")");
    auto const deadline = std::chrono::steady_clock::now() + reconnect_limit;
    for (;;) {
      auto found = Daemon::reach(reach_, Daemon::Start::no);
      if (found.has_value()) {
        daemon_ = std::move(found.value());
        prepare_(*daemon_);
        return {};
      }
      if (std::chrono::steady_clock::now() > deadline) {
        return Error{
            ErrorName::UnavailableError,
            "the daemon has not come back within 30 s: start it with `any serve`, then `any result " + task_ + "`"};
      }
      std::this_thread::sleep_for(Duration(200));
    }
  }

  /// A call that is made again where the connection was lost before its answer. For calls that may be made twice: also
  /// a submit, as the id is ours, and the same id twice is the same task.
  Result<std::string> call(std::string_view method, json::object const& params,
                           char const* meanwhile = "the task is kept", Duration timeout = Duration(30'000)) {
    for (int attempt = 1;; ++attempt) {
      auto answer = daemon_->call(method, params, timeout);
      if (!answer.has_error() || answer.error().name != ErrorName::UnavailableError) return answer;
      auto error = answer.error();
      if (!daemon_->lost() || attempt == most_attempts) {
        error.message += ". `any result " + task_ + "` tells what became of the task";
        return error;
      }
      if (auto const again = find_again(meanwhile); again.has_error()) return again.error();
    }
  }

 private:
  static constexpr int most_attempts = 3;  // a daemon that dies of a request shall not get it for ever

  Reach const& reach_;
  std::string task_;
  std::unique_ptr<Daemon> daemon_;
  std::function<void(Daemon&)> prepare_;
};

}  // namespace

int run(Reach const& reach, RunOptions const& options) {
  auto request = request_from(options);
  if (request.has_error()) return fail(request.error());
  auto reached = Daemon::reach(reach, Daemon::Start::if_none);
  if (reached.has_error()) return fail(reached.error()), exit_no_daemon;
  auto const id = text_of(request.value(), "id");
  auto submitted = request.value();
  submitted["watch"] = !options.detach;

  Follower follower(id, options.quiet, text_of(reached.value()->health(), "last_browser_seen"));
  bool accepted = false, cancelling = false;
  auto const on_interrupt = [&cancelling] {
    if (cancelling) std::_Exit(exit_cancelled);
    cancelling = true;
  };
  auto const prepare = [&](Daemon& to) {
    to.on_notification([&follower](std::string_view method, json::object const& params) {
      if (method == "task.event") follower.take(params);
    });
    if (accepted) to.on_interrupt(on_interrupt);
  };
  Lasting daemon(reach, id, std::move(reached.value()), prepare);
  auto const answer = daemon.call("tasks.submit", submitted, "the task is handed in again then, under the same id");
  if (answer.has_error()) return fail(answer.error());
  if (options.detach) {
    std::cout << id << '\n';
    return exit_ok;
  }

  accepted = true;
  daemon->on_interrupt(on_interrupt);
  bool cancel_sent = false;
  for (;;) {
    auto const waited =
        daemon->wait([&] { return follower.ended() || (cancelling && !cancel_sent && !daemon->lost()); });
    if (waited == Daemon::Waited::lost) {
      if (auto const again = daemon.find_again("the task is kept"); again.has_error())
        return fail(again.error()), exit_no_daemon;
      auto const watching = daemon.call("tasks.watch", {{"id", id}, {"after", follower.seq()}});
      if (watching.has_error()) return fail(watching.error());
      continue;
    }
    if (follower.ended()) break;
    cancel_sent = true;
    say("cancelling (Ctrl-C again leaves at once)");
    // It may have ended meanwhile; the end event tells which. A daemon that goes away here is found again above.
    if (daemon->call("tasks.cancel", {{"id", id}}).has_error() && daemon->lost()) cancel_sent = false;
  }
  auto const record = daemon.call("tasks.get", {{"id", id}}, "the task is kept", Duration(120'000));
  clear_status();
  if (record.has_error()) return fail(record.error());
  return show_outcome(record.value(), options.record);
}

}  // namespace any::cli
