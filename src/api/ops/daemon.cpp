// The daemon itself: health, log lines, figures, what there is, the end.
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/log_tail.hpp"
#include "api/openapi.hpp"
#include "api/ops/metrics.hpp"
#include "api/ops/table.hpp"
#include "api/shape.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

Answer text_answer(std::string body, std::string_view type = json_type) {
  Answer answer;
  answer.body = std::move(body);
  answer.type = type;
  return answer;
}

Async<Result<Answer>> health(Call call) {
  auto const& services = call.context.services;
  auto const facts = services.facts();
  auto const counts = services.tasks.counts();
  int linked = 0;
  Millis last = 0;
  for (auto const& info : services.browsers.list()) {
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
  auto const cdp = services.cdp.counts();
  out["cdp"] = json::object{{"clients", cdp.clients}, {"sessions", cdp.sessions}, {"attached", cdp.attached}};
  out["state_dir"] = facts.state_dir;
  json::array listen;
  for (auto const& address : facts.listen) listen.emplace_back(address);
  out["listen"] = std::move(listen);
  out["compat_port"] = facts.compat_port == 0 ? json::value() : json::value(facts.compat_port);
  out["pages"] = facts.pages.empty() ? json::value() : json::value(facts.pages);
  out["token"] = call.context.token_demanded;
  out["last_browser_seen"] = time_json(last);
  out["refused_extensions"] = json::array(call.context.refused.ids().begin(), call.context.refused.ids().end());
  co_return text_answer(json::serialize(out));
}

class LogLines final : public EventSource {
 public:
  LogLines(boost::asio::io_context& io, std::size_t limit, std::uint64_t since)
      : io_{io}, limit_{limit}, since_{since} {}

  Async<void> serve(EventStream& events, net::Stream& stream) override {
    LogTail::Sink sink = [&events](log::Line const& line) {
      events.send(std::to_string(line.seq), "line", json::serialize(line_json(line)));
    };
    LogTail const tail(io_, limit_, since_, std::move(sink));
    co_await stream.closed();
  }

 private:
  boost::asio::io_context& io_;
  std::size_t limit_;
  std::uint64_t since_;
};

Async<Result<Answer>> list_logs(Call call) {
  auto const limit = static_cast<std::size_t>(call.in.integer("limit"));
  auto const since = static_cast<std::uint64_t>(call.in.integer("since"));
  Answer answer;
  if (call.in.optional_integer("follow") == 1) {
    answer.events = std::make_unique<LogLines>(call.context.services.io, limit, since);
    co_return answer;
  }
  json::array lines;
  for (auto const& line : log::recent(limit, since)) lines.push_back(line_json(line));
  answer.body = json::serialize(json::object{{"lines", std::move(lines)}});
  co_return answer;
}

Async<Result<Answer>> watch_logs(Call call) {
  call.subscriber->watch_log(static_cast<std::uint64_t>(call.in.integer("since")));
  co_return text_answer(R"({"watching":true})");
}

Async<Result<Answer>> shut_down(Call call) {
  call.context.services.shutdown();
  co_return Answer();
}

Async<Result<Answer>> metrics(Call call) {
  co_return text_answer(metrics_text(call.context), "text/plain; version=0.0.4; charset=utf-8");
}

Async<Result<Answer>> openapi(Call) {
  co_return text_answer(openapi_text());
}

Async<Result<Answer>> list_operations(Call) {
  co_return text_answer(operations_text());
}

}  // namespace

std::vector<Operation> daemon_operations() {
  return {
      {.name = "logs.list",
       .about = "Log lines of the daemon and of the extensions.",
       .effect = Effect::reads,
       .input = R"({
         "properties": {
           "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 10000, "default": 200, "description": "how many of the newest"},
           "since": {"type": ["integer", "null"], "minimum": 0, "default": 0, "description": "only lines with a higher seq"},
           "follow": {"enum": [0, 1], "x-door": "rest", "description": "1: server-sent events, which go on"}
         },
         "additionalProperties": false
       })",
       .output = "Lines",
       .route = {"GET", "/v1/logs", "since"},
       .replies = {{200, "lines", "Lines"}, {200, "with follow", "", "text/event-stream"}},
       .run = &list_logs},
      {.name = "logs.watch",
       .about = "Each line of the log as it comes, on this socket.",
       .effect = Effect::reads,
       .input = R"({
         "properties": {"since": {"type": ["integer", "null"], "minimum": 0, "default": 0, "description": "only lines with a higher seq"}},
         "additionalProperties": false
       })",
       .output = "Watching",
       .run = &watch_logs},
      {.name = "health",
       .about = "Whether the daemon is well, and what it has.",
       .effect = Effect::reads,
       .output = "Health",
       .route = {"GET", "/health"},
       .run = &health},
      {.name = "operations.list",
       .about = "What can be asked of the daemon: this table.",
       .effect = Effect::reads,
       .output = "Operations",
       .route = {"GET", "/v1/operations"},
       .run = &list_operations},
      {.name = "metrics",
       .about = "Figures for Prometheus.",
       .effect = Effect::reads,
       .route = {"GET", "/metrics"},
       .rpc = false,
       .replies = {{200, "figures", "", "text/plain; version=0.0.4; charset=utf-8"}},
       .run = &metrics},
      {.name = "openapi",
       .about = "REST as OpenAPI describes it.",
       .effect = Effect::reads,
       .route = {"GET", "/openapi.json"},
       .rpc = false,
       .replies = {{200, "OpenAPI 3.1", ""}},
       .run = &openapi},
      {.name = "shutdown",
       .about = "Ends the daemon in order.",
       .output = "Empty",
       .route = {"POST", "/v1/shutdown"},
       .run = &shut_down},
  };
}

}  // namespace any::api
