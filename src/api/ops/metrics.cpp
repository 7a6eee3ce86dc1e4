#include "api/ops/metrics.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

#include "api/ops/table.hpp"

namespace any::api {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP ")
        .append(name)
        .append(" ")
        .append(help)
        .append("\n# TYPE ")
        .append(name)
        .append(" ")
        .append(type)
        .append("\n");
  }
  void sample(std::string_view name, std::string_view labels, std::string const& value) {
    text_.append(name);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(value).append("\n");
  }
  void one(std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
    family(name, type, help);
    sample(name, "", std::to_string(value));
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string metrics_text(Context const& context) {
  auto const& services = context.services;
  auto const& metrics = context.metrics;
  Page page;
  auto const counts = services.tasks.counts();
  page.family("any_tasks", "gauge", "Tasks in the journal, by state.");
  std::array<std::pair<std::string_view, std::uint64_t>, 6> const states{{{"queued", counts.queued},
                                                                          {"dispatched", counts.dispatched},
                                                                          {"running", counts.running},
                                                                          {"completed", counts.completed},
                                                                          {"failed", counts.failed},
                                                                          {"cancelled", counts.cancelled}}};
  for (auto const& [state, count] : states)
    page.sample("any_tasks", "state=\"" + std::string(state) + "\"", std::to_string(count));
  std::uint64_t linked = 0, paused = 0, known = 0;
  for (auto const& info : services.browsers.list()) {
    ++known;
    linked += info.linked ? 1 : 0;
    paused += info.linked && info.paused ? 1 : 0;
  }
  page.one("any_browsers", "gauge", "Browsers that are linked now.", linked);
  page.one("any_browsers_paused", "gauge", "Linked browsers that the person has paused.", paused);
  page.one("any_browsers_known", "gauge", "Browsers that were ever linked and not forgotten.", known);
  auto const cdp = services.cdp.counts();
  page.one("any_cdp_clients", "gauge", "CDP clients that are connected.", cdp.clients);
  page.one("any_cdp_sessions", "gauge", "Sessions of CDP clients.", cdp.sessions);
  page.one("any_cdp_attached", "gauge", "Tabs and workers that the debugger is attached to.", cdp.attached);
  page.one("any_cdp_pending", "gauge", "CDP commands that have no answer yet.", cdp.pending);
  if (services.connections)
    page.one("any_connections", "gauge", "Open connections on all ports.", services.connections());
  page.one("any_streams", "gauge", "Sockets and event streams that are open.", context.live.size());
  page.one("any_requests_total", "counter", "HTTP requests that came in through the door.", metrics.requests);
  page.one("any_rpc_requests_total", "counter", "JSON-RPC requests.", metrics.rpc_requests);
  page.family("any_calls_total", "counter", "Operations called, by REST or JSON-RPC.");
  for (auto const& operation : operations()) {
    auto const found = metrics.calls.find(operation.name);
    page.sample("any_calls_total", "operation=\"" + std::string(operation.name) + "\"",
                std::to_string(found == metrics.calls.end() ? 0 : found->second));
  }
  page.family("any_refused_total", "counter", "Requests refused before they were read, by the name of the error.");
  for (auto const* name :
       {"ForbiddenError", "UnauthorizedError", "TooLargeError", "RequestTimeoutError", "BadRequestError"}) {
    auto const found = metrics.refused.find(name);
    page.sample("any_refused_total", "error=\"" + std::string(name) + "\"",
                std::to_string(found == metrics.refused.end() ? 0 : found->second));
  }
  if (services.journal_failures)
    page.one("any_journal_failures_total", "counter", "Writes to the journal that failed.",
             services.journal_failures());
  page.one("any_resident_bytes", "gauge", "Resident memory.", resident_bytes());
  auto const started = services.facts().started;
  page.family("any_uptime_seconds", "gauge", "Seconds since the start.");
  auto const uptime = std::max<Millis>(0, services.clock.now().wall - started);
  page.sample("any_uptime_seconds", "", std::to_string(static_cast<double>(uptime) / 1000));
  page.family("any_info", "gauge", "The version that runs.");
  page.sample("any_info", "version=\"" ANY_VERSION "\"", "1");
  return std::move(page).text();
}

}  // namespace any::api
