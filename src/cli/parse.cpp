#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>

#include "base/config.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace {

constexpr char const* exit_codes_text =
    "Exit codes: 0 a result; 1 the script threw; 2 wrong usage; 3 no browser; 4 timeout; 5 the daemon could not be "
    "reached or\n"
    "started; 6 infrastructure failure (tab gone, forbidden page, navigated away ...); 7 cancelled; 8 the daemon "
    "refused "
    "(queue or disk full).";

constexpr char const* environment_text =
    "Environment: ANY_DAEMON the daemon's address; ANY_TOKEN its token, where it demands one (else the file `token` of "
    "the state\n"
    "folder is read); ANY_STATE_DIR the state folder; NO_COLOR no colour. `any serve` takes each of its settings from "
    "the\n"
    "environment too: --listen is ANY_LISTEN and so on, only --token is ANY_DEMAND_TOKEN=1.";

struct All {
  Reach reach;
  ServeOptions serve;
  RunOptions run, eval;
  TasksOptions tasks;
  TaskOptions task, result, cancel;
  CdpOptions cdp;
  ListOptions tabs, browsers;
  LogsOptions logs;
  LaunchOptions launch;
  ExtensionOptions extension;
  DoctorOptions doctor;
  std::string shell;
};

void add_run_options(CLI::App& command, RunOptions& to) {
  command.add_option("--tab", to.tab,
                     "which tab: \"active\" (the default), a tab's id, or a pattern like 'https://*.example/*'");
  command.add_option("--open", to.open, "open this address in a new tab, run there, close it")->excludes("--tab");
  command.add_flag("--foreground", to.foreground, "with --open: bring the new tab to the front");
  command.add_flag("--keep", to.keep, "with --open: leave the tab open");
  command.add_option("--frame", to.frame, "\"main\", \"all\", a frame's id or a pattern");
  command.add_option("--world", to.world, "\"main\", \"isolated\" or \"user\"")
      ->check(CLI::IsMember({"main", "isolated", "user"}));
  command.add_option("--browser", to.browser, "a browser's id or label");
  command
      .add_option("--arg", to.args,
                  "NAME=VALUE, seen by the script in `args`; VALUE is JSON where it parses as JSON, else text")
      ->allow_extra_args(false);
  command.add_option("--args", to.args_file, "a JSON file for `args` (- for standard input)");
  command.add_option("--timeout", to.timeout, "seconds a page of the script may take, or \"none\" (default 30)");
  command.add_option("--queue-timeout", to.queue_timeout,
                     "seconds to wait for a browser, or \"none\" for ever; 0 fails at once (default 60)");
  command.add_option("--retries", to.retries,
                     "further attempts where the page, the tab or the browser went away under the script");
  command.add_option("--priority", to.priority, "-1000 to 1000, higher goes first");
  command.add_option("--label", to.labels, "NAME=TEXT kept with the task")->allow_extra_args(false);
  command.add_option("--id", to.id, "the task's own id: the same id twice is the same task");
  command.add_flag("--record", to.record, "print the whole task record instead of the result");
  command.add_flag("--detach", to.detach, "print the task's id and return; `any result ID` fetches it later")
      ->excludes("--record");
  command.add_flag("--quiet,-q", to.quiet, "no progress and no console lines on stderr");
}

void add_serve(CLI::App& command, ServeOptions& to) {
  command
      .add_option("--listen", to.listen,
                  "HOST:PORT on loopback; may be given several times (default 127.0.0.1:8766 and [::1]:8766)")
      ->allow_extra_args(false);
  command.add_option("--state-dir", to.state_dir, "where the journal lies (default $XDG_STATE_HOME/any)");
  command.add_option("--compat-port", to.compat_port, "the prototype's port (default 8000; 0: off)");
  command.add_option("--pages", to.pages_port, "serve the example pages on this port of their own (default: off)");
  command.add_flag("--token", to.token, "demand a bearer token, kept in the state folder");
  command.add_flag("--any-user", to.any_user, "serve other users of this machine too");
  command.add_option("--allow-extension", to.allow_extension, "the id of a further extension that may link")
      ->allow_extra_args(false);
  command.add_option("--keep", to.keep_days, "days that ended tasks are kept (default 30)");
  command.add_option("--keep-bytes", to.keep_bytes, "bytes that the journal may take (default 1 GiB)");
  command.add_option("--log-format", to.log_format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command.add_option("--log-level", to.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  command.add_option("--log-file", to.log_file, "a file for the log instead of stderr");
}

/// Where the daemon is, from flag, environment or file, in falling order.
Result<void> find_reach(Reach& reach) {
  auto const config = load_config();
  if (config.has_error()) return config.error();
  reach.state_dir = config.value().state_dir;
  reach.daemon_given = !reach.daemon.empty() || !config.value().daemon.empty();
  if (reach.daemon.empty()) reach.daemon = config.value().daemon;
  if (reach.daemon.empty()) reach.daemon = "http://" + config.value().listen.front();
  if (reach.daemon.find("://") == std::string::npos) reach.daemon = "http://" + reach.daemon;
  while (reach.daemon.ends_with('/')) reach.daemon.pop_back();
  if (!reach.daemon.starts_with("http://")) {
    return Error{ErrorName::BadRequestError,
                 "--daemon must be an http:// address on this machine, not " + reach.daemon};
  }
  return {};
}

std::vector<CommandWords> words_of(CLI::App const& app) {
  std::vector<CommandWords> out;
  for (auto const* command : app.get_subcommands([](CLI::App const*) { return true; })) {
    CommandWords words{command->get_name(), command->get_description(), {}};
    for (auto const* option : command->get_options()) {
      for (auto const& name : option->get_lnames()) words.flags.push_back("--" + name);
    }
    out.push_back(std::move(words));
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  All all;
  std::function<int()> chosen;
  bool needs_reach = true;
  CLI::App app("any: run scripts in the browser you already use", "any");
  app.set_version_flag("--version", "any " ANY_VERSION);
  app.footer(std::string(exit_codes_text) + "\n\n" + environment_text);
  app.require_subcommand(1);

  auto const add = [&](char const* name, char const* help, std::function<int()> action) {
    auto* command = app.add_subcommand(name, help);
    command->callback([&chosen, action = std::move(action)] { chosen = action; });
    if (std::string_view(name) != "serve" && std::string_view(name) != "completion") {
      command->add_option("--daemon", all.reach.daemon,
                          "the daemon's address (ANY_DAEMON; default http://127.0.0.1:8766)");
    }
    return command;
  };

  auto* serve_command = add("serve", "be the daemon", [&] {
    needs_reach = false;
    return serve(all.serve);
  });
  add_serve(*serve_command, all.serve);

  auto* run_command =
      add("run", "run a script file in a tab; its result is printed as JSON", [&] { return run(all.reach, all.run); });
  run_command
      ->add_option("script", all.run.script, "a file with the body of an async function, or - for standard input")
      ->required();
  add_run_options(*run_command, all.run);

  auto* eval_command =
      add("eval", "as run, with the script on the command line", [&] { return run(all.reach, all.eval); });
  eval_command->add_option("code", all.eval.script, "the body of an async function, e.g. 'return document.title'")
      ->required();
  all.eval.is_code = true;
  add_run_options(*eval_command, all.eval);

  auto* tabs_command = add("tabs", "the open tabs", [&] { return tabs(all.reach, all.tabs); });
  tabs_command->add_option("--browser", all.tabs.browser, "of this browser alone");
  tabs_command->add_flag("--json", all.tabs.json);

  auto* tasks_command = add("tasks", "tasks, the newest first", [&] { return tasks(all.reach, all.tasks); });
  tasks_command->add_option("--status", all.tasks.status, "queued, dispatched, running, completed, failed or cancelled")
      ->check(CLI::IsMember({"queued", "dispatched", "running", "completed", "failed", "cancelled"}));
  tasks_command->add_option("--label", all.tasks.labels, "NAME=TEXT; several: tasks that have all of them")
      ->allow_extra_args(false);
  tasks_command->add_option("--browser", all.tasks.browser);
  tasks_command->add_option("--limit", all.tasks.limit)->check(CLI::Range(1, 200));
  tasks_command->add_flag("--json", all.tasks.json);

  auto* task_command = add("task", "all that is known of a task", [&] { return task(all.reach, all.task); });
  task_command->add_option("id", all.task.id)->required();
  task_command->add_option("--wait", all.task.wait, "seconds to wait for its end");
  task_command->add_flag("--json", all.task.json);

  auto* result_command = add("result", "the result of a task, as `any run` would have printed it",
                             [&] { return result(all.reach, all.result); });
  result_command->add_option("id", all.result.id)->required();
  result_command->add_option("--wait", all.result.wait, "seconds to wait for its end (default: until it ends)");

  auto* cancel_command = add("cancel", "end a task", [&] { return cancel(all.reach, all.cancel); });
  cancel_command->add_option("id", all.cancel.id)->required();

  auto* cdp_command = add("cdp", "one command of the Chrome DevTools Protocol; its result is printed as JSON",
                          [&] { return cdp(all.reach, all.cdp); });
  cdp_command->add_option("method", all.cdp.method, "such as Page.captureScreenshot")->required();
  cdp_command->add_option("params", all.cdp.params, "a JSON object");
  cdp_command->add_option("--tab", all.cdp.tab,
                          "of this page: \"active\", a tab's id, or a pattern (default: the browser itself)");
  cdp_command->add_option("--browser", all.cdp.browser, "a browser's id or label");
  cdp_command->add_option("--timeout", all.cdp.timeout, "seconds to wait for the answer (default 30)");
  auto* events = cdp_command->add_option(
      "--events", all.cdp.events, "then print the events that fit, one a line, until Ctrl-C: a method, or 'Network.*'");
  cdp_command->add_option("--count", all.cdp.count, "end after so many events")->needs(events);
  cdp_command->add_option("--for", all.cdp.seconds, "end after so many seconds")->needs(events);

  auto* logs_command = add("logs", "the daemon's and the extension's lines", [&] { return logs(all.reach, all.logs); });
  logs_command->add_flag("-f,--follow", all.logs.follow, "go on with each further line");
  logs_command->add_option("--limit", all.logs.limit, "how many of the last lines")->check(CLI::Range(1, 2000));
  logs_command->add_flag("--json", all.logs.json);

  auto* browsers_command =
      add("browsers", "the browsers that are or were linked", [&] { return browsers(all.reach, all.browsers); });
  browsers_command->add_flag("--json", all.browsers.json);

  auto* doctor_command = add("doctor", "find out why nothing works", [&] { return doctor(all.reach, all.doctor); });
  doctor_command->add_flag("--json", all.doctor.json);

  auto* launch_command = add("launch", "start a Chromium or Chrome with the extension in it",
                             [&] { return launch(all.reach, all.launch); });
  launch_command->add_option("url", all.launch.url, "a page to open");
  launch_command->add_flag("--headless", all.launch.headless, "without a window");
  launch_command->add_option("--profile", all.launch.profile,
                             "the profile's folder (default: one kept for this in the state folder)");
  launch_command->add_option("--binary", all.launch.binary, "the browser's program");
  launch_command->add_flag("--wait", all.launch.wait, "stay until the browser ends, and end it on Ctrl-C");
  launch_command->add_option("--timeout", all.launch.timeout, "seconds until the link must stand (default 30)");
  launch_command->add_option("--flag", all.launch.extra, "a further flag for the browser, e.g. --flag=--lang=de")
      ->allow_extra_args(false);

  auto* extension_command = add("extension", "write the extension's files and print how to load them",
                                [&] { return extension(all.reach, all.extension); });
  extension_command->add_option("folder", all.extension.folder, "where to (default: a folder beside your other data)");

  add("stop", "end the daemon in order", [&] { return stop(all.reach); });

  auto* completion_command = add("completion", "completion for your shell", [&] {
    needs_reach = false;
    return completion(all.shell, words_of(app));
  });
  completion_command->add_option("shell", all.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));

  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    // CLI11 has codes of its own: 0 for --help and --version, else wrong usage.
    return app.exit(error) == 0 ? exit_ok : exit_usage;
  }
  auto const& name = app.get_subcommands().front()->get_name();
  if (name != "serve" && name != "completion") {
    if (auto const found = find_reach(all.reach); found.has_error()) return fail(found.error());
  }
  return chosen();
}

}  // namespace any::cli
