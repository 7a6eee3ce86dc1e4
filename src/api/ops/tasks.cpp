// Tasks: submit, look at, wait for, watch, cancel.
#include <boost/json/serialize.hpp>
#include <limits>

#include "api/ops/table.hpp"
#include "api/shape.hpp"
#include "task/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

Answer json_answer(std::string body) {
  Answer answer;
  answer.body = std::move(body);
  return answer;
}

Answer record_answer(store::Stored const& stored) {
  return json_answer(task::record_to_json(stored.record, stored.result));
}

Async<Result<Answer>> submit(Call call) {
  auto& tasks = call.context.services.tasks;
  auto const wait = call.in.seconds("wait", longest_wait);
  auto const watch = call.in.flag("watch");
  call.in.take("wait");
  call.in.take("watch");
  auto request = task::request_from_json(call.in.take_all());
  if (request.has_error()) co_return request.error();
  auto submitted = co_await tasks.submit(std::move(request.value()));
  if (submitted.has_error()) co_return submitted.error();
  auto const status = submitted.value().created ? 201 : 200;
  auto const id = submitted.value().task.record.request.id;
  if (watch) {
    auto const watching = co_await call.subscriber->watch_task(id, 0);
    if (watching.has_error()) co_return watching.error();
  }
  if (!wait || task::is_final(submitted.value().task.record.state)) {
    auto answer = record_answer(submitted.value().task);
    answer.status = status;
    if (watch) answer.watched = id;
    co_return answer;
  }
  if (watch) call.subscriber->open_task(id);  // whoever waits for the end wants to see what comes before it
  auto ended = co_await tasks.get(id, *wait);
  if (ended.has_error()) co_return ended.error();
  auto answer = record_answer(ended.value());
  answer.status = status;
  co_return answer;
}

Async<Result<store::Stored>> stored_of(Call const& call) {
  auto id = call.in.text("id");
  return call.context.services.tasks.get(std::move(id), call.in.seconds("wait", longest_wait).value_or(0));
}

Async<Result<Answer>> get(Call call) {
  auto stored = co_await stored_of(call);
  if (stored.has_error()) co_return stored.error();
  co_return record_answer(stored.value());
}

Error bad_label() {
  return bad_field("label", "must be written NAME:VALUE");
}

/// "k:v" strings or {"k": "v"}.
Result<std::map<std::string, std::string>> read_labels(json::value const& given) {
  std::map<std::string, std::string> labels;
  if (auto const* members = given.if_object()) {
    for (auto const& [key, value] : *members) {
      if (!value.is_string()) return bad_field("label", "must hold strings only");
      labels[std::string(key)] = value.get_string();
    }
    return labels;
  }
  auto const all = given.is_string() ? json::array{given} : given.is_array() ? given.get_array() : json::array();
  for (auto const& item : all) {
    if (!item.is_string()) return bad_label();
    std::string_view const text = item.get_string();
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return bad_label();
    labels[std::string(text.substr(0, colon))] = text.substr(colon + 1);
  }
  return labels;
}

Async<Result<Answer>> list(Call call) {
  auto const& services = call.context.services;
  store::ListQuery query;
  if (auto const state = call.in.optional_text("state")) query.state = task::state_from(*state);
  auto labels = read_labels(call.in.take("label"));
  if (labels.has_error()) co_return labels.error();
  query.labels = std::move(labels.value());
  query.browser = call.in.optional_text("browser");
  query.before = call.in.optional_text("before");
  auto const limit = static_cast<int>(call.in.integer("limit"));
  if (query.browser) {
    // A task knows its browser by id.
    if (auto const known = services.browsers.find(*query.browser); known.has_value()) query.browser = known.value().id;
  }
  query.limit = limit + 1;  // one more tells whether there is a next page
  auto listed = co_await services.tasks.list(std::move(query));
  if (listed.has_error()) co_return listed.error();
  auto& records = listed.value();
  auto const more = records.size() > static_cast<std::size_t>(limit);
  if (more) records.resize(static_cast<std::size_t>(limit));
  std::string body = "{\"tasks\":[";
  for (auto const& record : records) {
    if (&record != &records.front()) body += ',';
    body += task::summary_to_json(record);
  }
  body += "],\"next\":";
  body += more ? json::serialize(json::string(records.back().request.id)) : "null";
  body += '}';
  co_return json_answer(std::move(body));
}

Async<Result<Answer>> result(Call call) {
  auto stored = co_await stored_of(call);
  if (stored.has_error()) co_return stored.error();
  auto const& record = stored.value().record;
  if (!task::is_final(record.state)) {
    co_return Error{
        ErrorName::ConflictError,
        "the task has not ended (it is " + std::string(to_string(record.state)) + "); ask again with ?wait=SECONDS",
        {}};
  }
  Answer answer;
  if (record.error) {
    answer.body = error_body(*record.error);
    answer.status = 422;
  } else if (!stored.value().result) {
    answer.body.clear();
    answer.status = 204;
  } else {
    answer.body = std::move(*stored.value().result);
  }
  co_return answer;
}

Async<Result<Answer>> script(Call call) {
  auto stored = co_await stored_of(call);
  if (stored.has_error()) co_return stored.error();
  auto answer = json_answer(std::move(stored.value().record.request.script));
  answer.type = "text/javascript; charset=utf-8";
  co_return answer;
}

Async<Result<Answer>> screenshot(Call call) {
  auto picture = co_await call.context.services.tasks.screenshot(call.in.text("id"));
  if (picture.has_error()) co_return picture.error();
  auto answer = json_answer(std::move(picture.value()));
  answer.type = "image/png";
  co_return answer;
}

Async<Result<Answer>> cancel(Call call) {
  auto stored = co_await call.context.services.tasks.cancel(call.in.text("id"));
  if (stored.has_error()) co_return stored.error();
  co_return record_answer(stored.value());
}

class TaskEvents final : public EventSource {
 public:
  TaskEvents(service::Tasks& tasks, std::string id, std::uint64_t after)
      : tasks_{tasks}, id_{std::move(id)}, after_{after} {}

  Async<void> serve(EventStream& events, net::Stream& stream) override {
    std::function<void(task::Event const&)> sink = [&events](task::Event const& event) {
      // What is not in the journal has no number of its own to go on from.
      events.send(event.journaled ? std::to_string(event.seq) : "", event.kind, task::event_to_json(event));
      if (event.kind == "end") events.finish();
    };
    auto watch = co_await tasks_.watch(id_, after_, std::move(sink));
    if (watch.has_error()) events.finish();
    co_await stream.closed();
  }

 private:
  service::Tasks& tasks_;
  std::string id_;
  std::uint64_t after_;
};

Async<Result<Answer>> watch(Call call) {
  auto id = call.in.text("id");
  auto const after = static_cast<std::uint64_t>(call.in.integer("after"));
  Answer answer;
  if (call.subscriber != nullptr) {
    auto const watching = co_await call.subscriber->watch_task(id, after);
    if (watching.has_error()) co_return watching.error();
    answer.body = R"({"watching":true})";
    answer.watched = std::move(id);
    co_return answer;
  }
  // The answer begins only when it is known that there is such a task.
  auto& tasks = call.context.services.tasks;
  auto const known = co_await tasks.get(id, 0);
  if (known.has_error()) co_return known.error();
  answer.events = std::make_unique<TaskEvents>(tasks, std::move(id), after);
  co_return answer;
}

Async<Result<Answer>> unwatch(Call call) {
  call.subscriber->unwatch_task(call.in.text("id"));
  co_return json_answer(R"({"watching":false})");
}

constexpr char const* one_task = R"({
  "properties": {"id": {"$ref": "#/components/schemas/TaskId"}},
  "required": ["id"],
  "additionalProperties": false
})";

constexpr char const* one_task_waited_for = R"({
  "properties": {
    "id": {"$ref": "#/components/schemas/TaskId"},
    "wait": {"type": ["number", "null"], "minimum": 0, "description": "seconds to wait for the end; more than 300 count as 300"}
  },
  "required": ["id"],
  "additionalProperties": false
})";

}  // namespace

std::vector<Operation> task_operations() {
  Reply const not_found{404, "NotFoundError"};
  Reply const disk{507, "DiskFullError"};
  return {
      {.name = "tasks.submit",
       .about =
           "Takes in a task, on disk. With an id of the caller's own it may be repeated: the same id is the same task.",
       .input = R"({"$ref": "#/components/schemas/Request"})",
       .output = "Record",
       .route = {"POST", "/v1/tasks"},
       .replies = {{201, "taken in", "Record"},
                   {200, "the id was known with the same body", "Record"},
                   {409, "ConflictError: the id is known with another body"},
                   {413, "TooLargeError"},
                   {429, "QueueFullError"},
                   disk},
       .run = &submit},
      {.name = "tasks.list",
       .about = "Tasks, newest first, without result, console and args.",
       .effect = Effect::reads,
       .input = R"({
         "properties": {
           "state": {"enum": ["queued", "dispatched", "running", "completed", "failed", "cancelled", null], "description": "only those"},
           "label": {"type": ["string", "array", "object", "null"], "pattern": "^[^:]+:[\\s\\S]*$", "description": "NAME:VALUE"},
           "browser": {"type": ["string", "null"], "description": "id or label"},
           "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000, "default": 50, "description": "how many"},
           "before": {"type": ["string", "null"], "description": "id of the last task of the page before"}
         },
         "additionalProperties": false
       })",
       .output = "TaskPage",
       .route = {"GET", "/v1/tasks"},
       .run = &list},
      {.name = "tasks.get",
       .about = "All that is known of a task, now or once it has ended.",
       .effect = Effect::reads,
       .input = one_task_waited_for,
       .output = "Record",
       .route = {"GET", "/v1/tasks/{id}"},
       .replies = {not_found},
       .run = &get},
      {.name = "tasks.result",
       .about = "The result of a task alone.",
       .effect = Effect::reads,
       .input = one_task_waited_for,
       .route = {"GET", "/v1/tasks/{id}/result"},
       .rpc = false,
       .replies = {{200, "the result", ""},
                   {204, "the script returned nothing", "", ""},
                   not_found,
                   {409, "ConflictError: it has not ended"},
                   {422, "the task's own error"}},
       .run = &result},
      {.name = "tasks.script",
       .about = "The script of a task.",
       .effect = Effect::reads,
       .input = one_task,
       .route = {"GET", "/v1/tasks/{id}/script"},
       .rpc = false,
       .replies = {{200, "the script", "", "text/javascript; charset=utf-8"}, not_found},
       .run = &script},
      {.name = "tasks.screenshot",
       .about = "What the tab looked like when the task failed.",
       .effect = Effect::reads,
       .input = one_task,
       .route = {"GET", "/v1/tasks/{id}/screenshot"},
       .rpc = false,
       .replies = {{200, "the picture", "", "image/png"}, not_found},
       .run = &screenshot},
      {.name = "tasks.cancel",
       .about = "Cancels a task.",
       .effect = Effect::repeatable,
       .input = one_task,
       .output = "Record",
       .route = {"POST", "/v1/tasks/{id}/cancel"},
       .replies = {not_found, {409, "ConflictError: it has ended"}, disk},
       .run = &cancel},
      {.name = "tasks.watch",
       .about = "The events of a task, from the first or behind one, until its end.",
       .effect = Effect::reads,
       .input = R"({
         "properties": {
           "id": {"$ref": "#/components/schemas/TaskId"},
           "after": {"type": ["integer", "null"], "minimum": 0, "default": 0, "description": "the last seq that is known; the header Last-Event-ID says it too"}
         },
         "required": ["id"],
         "additionalProperties": false
       })",
       .output = "Watching",
       .route = {"GET", "/v1/tasks/{id}/events", "after"},
       .replies = {{200, "events", "", "text/event-stream"}, not_found},
       .run = &watch},
      {.name = "tasks.unwatch",
       .about = "Ends the watching of a task on this socket.",
       .effect = Effect::repeatable,
       .input = one_task,
       .output = "Watching",
       .run = &unwatch},
  };
}

}  // namespace any::api
