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
    std::cerr << inked(ink, std::string(what) + ": " + harmless(text)) << '\n';
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

/// The daemon went away in mid-task: what it accepted is not lost, so it is asked again once it is back.
Result<std::unique_ptr<Daemon>> find_again(Reach const& reach, std::string const& task) {
  say("the daemon went away; waiting for it to come back (the task is kept)");
  auto const deadline = std::chrono::steady_clock::now() + reconnect_limit;
  for (;;) {
    auto found = Daemon::reach(reach, Daemon::Start::no);
    if (found.has_value()) return found;
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{
          ErrorName::UnavailableError,
          "the daemon has not come back within 30 s: start it with `any serve`, then `any result " + task + "`"};
    }
    std::this_thread::sleep_for(Duration(200));
  }
}

}  // namespace

int run(Reach const& reach, RunOptions const& options) {
  auto request = request_from(options);
  if (request.has_error()) return fail(request.error());
  auto reached = Daemon::reach(reach, Daemon::Start::if_none);
  if (reached.has_error()) return fail(reached.error()), exit_no_daemon;
  auto daemon = std::move(reached.value());
  auto const id = text_of(request.value(), "id");
  auto submitted = request.value();
  submitted["watch"] = !options.detach;

  Follower follower(id, options.quiet, text_of(daemon->health(), "last_browser_seen"));
  bool cancelling = false;
  auto const prepare = [&](Daemon& to) {
    to.on_notification([&follower](std::string_view method, json::object const& params) {
      if (method == "task.event") follower.take(params);
    });
  };
  prepare(*daemon);
  auto accepted = daemon->call("tasks.submit", submitted);
  if (accepted.has_error()) return fail(accepted.error());
  if (options.detach) {
    std::cout << id << '\n';
    return exit_ok;
  }

  auto const interruptible = [&](Daemon& to) {
    to.on_interrupt([&cancelling] {
      if (cancelling) std::_Exit(exit_cancelled);
      cancelling = true;
    });
  };
  interruptible(*daemon);
  bool cancel_sent = false;
  for (;;) {
    auto const waited = daemon->wait([&] { return follower.ended() || (cancelling && !cancel_sent); });
    if (waited == Daemon::Waited::lost) {
      auto again = find_again(reach, id);
      if (again.has_error()) return fail(again.error()), exit_no_daemon;
      daemon = std::move(again.value());
      prepare(*daemon);
      interruptible(*daemon);
      auto const watching = daemon->call("tasks.watch", {{"id", id}, {"after", follower.seq()}});
      if (watching.has_error()) return fail(watching.error());
      continue;
    }
    if (follower.ended()) break;
    cancel_sent = true;
    say("cancelling (Ctrl-C again leaves at once)");
    // It may have ended meanwhile; the end event tells which.
    (void)daemon->call("tasks.cancel", {{"id", id}});
  }
  auto record = daemon->call("tasks.get", {{"id", id}}, Duration(120'000));
  clear_status();
  if (record.has_error()) return fail(record.error());
  return show_outcome(record.value(), options.record);
}

}  // namespace any::cli
