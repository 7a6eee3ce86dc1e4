// The daemon itself: health, log lines, the end.
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/operations.hpp"
#include "api/shape.hpp"

namespace any::api {
namespace json = boost::json;

Async<Result<Answer>> Operations::health(Fields in) {
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto const facts = services_.facts();
  auto const counts = services_.tasks.counts();
  int linked = 0;
  Millis last = 0;
  for (auto const& info : services_.browsers.list()) {
    linked += info.linked ? 1 : 0;
    last = std::max(last, info.last_seen);
  }
  json::object out;
  out["ok"] = facts.problem.empty();
  if (!facts.problem.empty()) out["problem"] = facts.problem;
  out["name"] = "any";
  out["version"] = ANY_VERSION;
  out["protocol"] = 1;
  out["pid"] = ::getpid();
  out["started"] = time_json(facts.started);
  out["browsers"] = linked;
  out["tasks"] =
      json::object{{"queued", counts.queued},       {"dispatched", counts.dispatched}, {"running", counts.running},
                   {"completed", counts.completed}, {"failed", counts.failed},         {"cancelled", counts.cancelled}};
  auto const cdp = services_.cdp.counts();
  out["cdp"] = json::object{{"clients", cdp.clients}, {"sessions", cdp.sessions}, {"attached", cdp.attached}};
  out["state_dir"] = facts.state_dir;
  json::array listen;
  for (auto const& address : facts.listen) listen.emplace_back(address);
  out["listen"] = std::move(listen);
  out["compat_port"] = facts.compat_port == 0 ? json::value() : json::value(facts.compat_port);
  out["pages"] = facts.pages.empty() ? json::value() : json::value(facts.pages);
  out["token"] = token_demanded_;
  out["last_browser_seen"] = time_json(last);
  out["refused_extensions"] = json::array(refused_.ids().begin(), refused_.ids().end());
  Answer answer;
  answer.json = json::serialize(out);
  co_return answer;
}

Async<Result<Answer>> Operations::logs_list(Fields in) {
  auto const limit = in.integer("limit", 1, 10'000).value_or(200);
  auto const since = in.integer("since", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  json::array lines;
  for (auto const& line : log::recent(static_cast<std::size_t>(limit), static_cast<std::uint64_t>(since)))
    lines.push_back(line_json(line));
  Answer answer;
  answer.json = json::serialize(json::object{{"lines", std::move(lines)}});
  co_return answer;
}

Async<Result<Answer>> Operations::shutdown(Fields in) {
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  services_.shutdown();
  co_return Answer();
}

}  // namespace any::api
