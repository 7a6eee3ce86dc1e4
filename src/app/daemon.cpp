#include "app/daemon.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include "api/api.hpp"
#include "app/process.hpp"
#include "app/upkeep.hpp"
#include "async/loop.hpp"
#include "async/pool.hpp"
#include "async/post.hpp"
#include "async/spawn.hpp"
#include "async/timer.hpp"
#include "base/ids.hpp"
#include "service/cdp_service.hpp"

namespace any::app {

namespace {

constexpr int cannot_start = 5;
constexpr std::uint64_t enough_files = 12'000;
constexpr int grace_ms = 1'000;                        // for exchanges that run when the daemon is to end
constexpr auto last_writes = std::chrono::seconds(3);  // for what is still to be written
constexpr auto default_listen = {"127.0.0.1:8766", "[::1]:8766"};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

class Daemon {
 public:
  explicit Daemon(DaemonOptions const& options);
  ~Daemon();
  void run() { io_.run_guarded(); }

 private:
  void open_doors();
  std::uint16_t listen(std::optional<net::HttpServer>& server, std::string const& address);
  void listen_main();
  void listen_compat();
  void listen_pages();
  void ready();
  void end(std::string const& why);
  Async<void> shut_down();
  api::Facts facts() const;
  std::size_t connections() const;

  DaemonOptions const options_;
  SystemClock clock_;
  Millis const started_ = clock_.now().wall;
  async::Loop io_;
  boost::asio::signal_set signals_{io_, SIGTERM, SIGINT};
  async::Timer soon_{io_.get_executor(), "the daemon's end"};
  std::string token_;
  async::Pool pool_{io_.get_executor()};
  std::optional<store::Journal> journal_;
  std::optional<browser::Registry> browsers_;
  std::optional<service::TaskService> tasks_;
  std::optional<service::CdpService> cdp_;
  std::optional<Pruning> pruning_;
  std::optional<Trimming> trimming_;
  std::optional<Upgrades> upgrades_;
  std::optional<api::Api> api_;
  std::optional<net::HttpServer> main_, compat_, pages_;
  std::vector<std::string> listen_;
  std::uint16_t compat_port_ = 0;
  std::string pages_url_;
  bool ending_ = false;
};

Daemon::Daemon(DaemonOptions const& options) : options_(options) {
  // The journal first: it makes the state folder, and refuses one that another daemon holds.
  auto store = store::open_sqlite({.folder = options_.state_dir, .vfs = {}});
  auto id = must(store->meta("daemon_id"));
  bool const new_here = id.empty();
  if (new_here) id = make_uuid();
  auto rows = must(store->browsers());
  auto live = must(store->load_live());
  if (options_.token) token_ = token_of(options_.state_dir);
  auto post = [this](std::function<void()> call) {
    async::post(io_.get_executor(), "an answer of the journal", std::move(call));
  };
  journal_.emplace(std::move(store), std::move(post));
  // On disk before the first key that an extension gets from a daemon of this name, and nobody waits for it now.
  if (new_here) journal_->put_meta("daemon_id", id, nullptr);

  // The links, and the tasks that they serve; each knows the other.
  browser::RegistryOptions registry{.daemon_id = id, .state_dir = options_.state_dir};
  registry.installation_secret = [this](std::string_view folder) {
    return options_.installation_secret ? options_.installation_secret(options_.state_dir, folder) : std::nullopt;
  };
  browsers_.emplace(io_, clock_, *journal_, std::move(registry), std::move(rows));
  tasks_.emplace(io_, clock_, *journal_, *browsers_, task::Limits{});
  browsers_->tell(*tasks_);
  tasks_->restore(std::move(live), {});
  // CDP clients, which speak to the same links.
  cdp_.emplace(io_, clock_, *browsers_, pool_);
  browsers_->tell(*cdp_);

  // What is done now and then.
  pruning_.emplace(io_, clock_, *journal_, *tasks_, options_.keep_days, options_.keep_bytes, Pruning::Times{});
  trimming_.emplace(
      io_, [this] { return journal_->stats().appends + connections(); }, give_memory_back);
  upgrades_.emplace(io_, *journal_, *browsers_, *tasks_);
  browsers_->on_linked([this](browser::Info const& browser) { upgrades_->linked(browser); });

  // The doors last: who comes in finds everything there.
  open_doors();
  signals_.async_wait([this](boost::system::error_code failed, int signal) {
    if (!failed) end(signal == SIGTERM ? "SIGTERM" : "SIGINT");
  });
  ready();
}

// First the threads that post to the loop, then what waits there: it speaks of the members, which go after it.
Daemon::~Daemon() {
  journal_->close();
  pool_.stop();
  io_.abandon();
}

void Daemon::open_doors() {
  api::Services services{.io = io_,
                         .tasks = *tasks_,
                         .browsers = *browsers_,
                         .cdp = *cdp_,
                         .clock = clock_,
                         .facts = [this] { return facts(); },
                         .shutdown = [this] { end("POST /v1/shutdown"); },
                         .connections = [this] { return connections(); },
                         .journal_failures = [this] { return tasks_->journal_failures(); }};
  api_.emplace(
      std::move(services),
      api::Options{.token = token_, .any_user = options_.any_user, .allow_extensions = options_.allow_extensions});
  listen_main();
  listen_compat();
  listen_pages();
}

void Daemon::listen_main() {
  main_.emplace(io_, api_->handler(), net::ServerLimits{});
  auto const note = [this](std::string const& address, std::uint16_t port) {
    listen_.push_back(address.substr(0, address.rfind(':') + 1) + std::to_string(port));
  };
  if (!options_.listen.empty()) {
    for (auto const& address : options_.listen) note(address, must(main_->listen(address)));
    return;
  }
  bool first = true;
  for (std::string const address : default_listen) {
    auto const port = main_->listen(address);
    if (port) {
      note(address, *port);
    } else if (first) {
      throw std::runtime_error(port.error().message);
    } else {
      log::warn("`localhost` may not reach the daemon: " + port.error().message);
    }
    first = false;
  }
}

void Daemon::listen_compat() {
  if (options_.compat_port == 0) return;
  compat_.emplace(io_, api_->compat_handler(), net::ServerLimits{});
  for (std::string const host : {"127.0.0.1:", "[::1]:"}) {
    auto const port = compat_->listen(host + std::to_string(options_.compat_port));
    if (port) {
      compat_port_ = *port;
    } else if (compat_port_ == 0) {
      log::info("programs of the prototype are not served on port " + std::to_string(options_.compat_port) + ": " +
                port.error().message);
      compat_.reset();
      return;
    }
  }
}

void Daemon::listen_pages() {
  if (options_.pages_port == 0) return;
  pages_.emplace(io_, api_->pages_handler(), net::ServerLimits{});
  auto port = pages_->listen("127.0.0.1:" + std::to_string(options_.pages_port));
  if (!port) port = pages_->listen("127.0.0.1:0");
  if (port) {
    pages_url_ = "http://127.0.0.1:" + std::to_string(*port) + "/";
  } else {
    log::warn("the pages of the examples are not served: " + port.error().message);
  }
}

void Daemon::ready() {
  std::string where;
  for (auto const& address : listen_) where += (where.empty() ? "http://" : ", http://") + address;
  log::info("any " ANY_VERSION " listens on " + where + "; its journal is in " + options_.state_dir);
  if (auto const files = allow_many_files(); files < enough_files) {
    log::warn("the system allows " + std::to_string(files) +
              " open files, so fewer than 10,000 connections at once; raise the hard limit (ulimit -Hn)");
  }
  // Counted behind the opened doors: a journal of a million tasks takes a while.
  journal_->totals([this](Result<store::Totals> const& totals) {
    if (totals) tasks_->recount(*totals);
  });
  // Before the first link: an older extension that is told to reload itself must find the new files.
  if (!options_.refresh_extension) return;
  for (auto const& folder : options_.refresh_extension(options_.state_dir)) {
    log::info("the extension in " + folder + " is now version " ANY_VERSION);
  }
}

api::Facts Daemon::facts() const {
  auto const trouble = tasks_->trouble();
  return {.started = started_,
          .state_dir = options_.state_dir,
          .listen = listen_,
          .compat_port = compat_port_,
          .pages = pages_url_,
          .problem = trouble ? "the journal cannot be written: " + trouble->message : std::string()};
}

std::size_t Daemon::connections() const {
  std::size_t all = 0;
  for (auto const* server : {&main_, &compat_, &pages_}) all += *server ? (*server)->connections() : 0;
  return all;
}

void Daemon::end(std::string const& why) {
  if (std::exchange(ending_, true)) return;
  log::info("ending: " + why);
  // Behind the answer to whoever asked for it.
  soon_.after(std::chrono::milliseconds(20),
              [this] { async::spawn(io_.get_executor(), "the daemon's end", shut_down(), [this] { io_.stop(); }); });
}

Async<void> Daemon::shut_down() {
  // In reverse: no new work, then whoever waits, then the links, then the last writes.
  tasks_->stop();
  pruning_->stop();
  trimming_->stop();
  api_->close();
  cdp_->stop();
  browsers_->stop();
  for (auto* server : {&pages_, &compat_, &main_}) {
    if (*server) co_await (*server)->stop(grace_ms);
  }
  auto const give_up = std::chrono::steady_clock::now() + last_writes;
  while (!tasks_->idle() && std::chrono::steady_clock::now() < give_up) {
    boost::asio::steady_timer moment(io_, std::chrono::milliseconds(5));
    co_await moment.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  if (!tasks_->idle())
    log::warn("the journal takes no writes: what the browsers keep is said again after the next start");
  journal_->close();
  log::info("ended");
}

}  // namespace

int serve(DaemonOptions const& options) {
  keep_memory_small();
  std::signal(SIGPIPE, SIG_IGN);
  log::configure(options.log);
  try {
    Daemon daemon(options);
    daemon.run();
    return 0;
  } catch (std::exception const& failed) {
    log::error(std::string("the daemon cannot start: ") + failed.what());
    return cannot_start;
  }
}

}  // namespace any::app
