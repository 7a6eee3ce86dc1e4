#include "app/upkeep.hpp"

#include "async/spawn.hpp"
#include "base/log.hpp"

namespace any::app {

namespace {
constexpr Millis day = 24LL * 3600 * 1000;
constexpr Millis reload_timeout = 10'000;
}  // namespace

Pruning::Pruning(boost::asio::io_context& io, Clock const& clock, store::Journal& journal, service::TaskService& tasks,
                 int keep_days, std::uint64_t keep_bytes, Times times)
    : clock_(clock),
      journal_(journal),
      tasks_(tasks),
      keep_(keep_days * day),
      keep_bytes_(keep_bytes),
      times_(times),
      timer_(io.get_executor(), "removing old tasks") {
  later(times_.first);
}

void Pruning::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Pruning::later(std::chrono::milliseconds wait) {
  timer_.after(wait, [this] { step(); });
}

void Pruning::step() {
  journal_.prune(clock_.now().wall - keep_, keep_bytes_, [this](Result<bool> const& more) {
    if (stopped_) return;
    if (!more) {
      log::warn("old tasks could not be removed: " + more.error().message);
    } else if (*more) {
      return step();
    } else {
      journal_.totals([this](Result<store::Totals> const& totals) {
        if (totals) tasks_.recount(*totals);
      });
    }
    later(times_.each);
  });
}

Trimming::Trimming(boost::asio::io_context& io, std::function<std::uint64_t()> done, Trim trim,
                   std::chrono::milliseconds each)
    : done_(std::move(done)), trim_(std::move(trim)), each_(each), timer_(io.get_executor(), "giving memory back") {
  look();
}

void Trimming::look() {
  auto const now = done_();
  if (now != last_) {
    worked_ = true;
  } else if (std::exchange(worked_, false)) {
    trim_();
  }
  last_ = now;
  timer_.after(each_, [this] { look(); });
}

Upgrades::Upgrades(boost::asio::io_context& io, store::Journal& journal, browser::Registry& browsers,
                   service::TaskService& tasks)
    : io_(io), journal_(journal), browsers_(browsers), tasks_(tasks) {}

void Upgrades::linked(browser::Info const& browser) {
  if (browser::compare_versions(browser.extension, ANY_VERSION) >= 0) return;
  if (!tasks_.running_on(browser.id).empty() || asked_.contains(browser.id)) return;
  journal_.meta(
      note(browser.id), [this, id = browser.id, version = browser.extension](Result<std::string> const& asked) {
        if (!asked || *asked == ANY_VERSION || !asked_.insert(id).second) return;
        log::info(
            "the extension (" + version + ") is older than the daemon (" ANY_VERSION "): it is asked to reload itself",
            {.browser = id});
        async::spawn(io_.get_executor(), "asking an extension to reload itself", ask(id));
      });
}

Async<void> Upgrades::ask(std::string browser) {
  auto const answer = co_await browsers_.call(browser, "extension.reload", "{}", reload_timeout);
  if (answer) {
    // It says this version from now on, or it lies in a folder that we know nothing of: asking again would not help.
    journal_.put_meta(note(browser), ANY_VERSION, nullptr);
  } else {
    log::warn("the extension did not reload itself: " + answer.error().message, {.browser = browser});
    asked_.erase(browser);
  }
}

std::string Upgrades::note(std::string const& browser) {
  return "reload_asked:" + browser;
}

}  // namespace any::app
