// Submit, get, list and cancel.
#include <boost/json/serialize.hpp>

#include "api/operations.hpp"
#include "api/shape.hpp"
#include "task/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

Answer record_answer(store::Stored const& stored) {
  Answer answer;
  answer.json = task::record_to_json(stored.record, stored.result);
  return answer;
}

/// "k:v" strings or {"k": "v"}.
void read_labels(Fields& in, std::map<std::string, std::string>& into) {
  auto const one = [&](std::string_view text) {
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      in.fail(bad_field("label", "must be written NAME:VALUE"));
    } else {
      into[std::string(text.substr(0, colon))] = text.substr(colon + 1);
    }
  };
  auto const given = in.value("label");
  if (given.is_null()) return;
  if (given.is_string()) return one(given.get_string());
  if (given.is_array()) {
    for (auto const& item : given.get_array()) {
      if (!item.is_string()) return in.fail(bad_field("label", "must be written NAME:VALUE"));
      one(item.get_string());
    }
    return;
  }
  if (!given.is_object()) return in.fail(bad_field("label", "must be a string NAME:VALUE, or an object of strings"));
  for (auto const& [key, value] : given.get_object()) {
    if (!value.is_string()) return in.fail(bad_field("label", "must hold strings only"));
    into[std::string(key)] = value.get_string();
  }
}

}  // namespace

Async<Result<service::Submitted>> Operations::submit(Fields in) {
  auto request = task::request_from_json(in.rest());
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  if (request.has_error()) co_return request.error();
  co_return co_await services_.tasks.submit(std::move(request.value()));
}

Async<Result<Answer>> Operations::tasks_submit(Fields in) {
  auto const wait = in.seconds("wait", longest_wait);
  auto submitted = co_await submit(std::move(in));
  if (submitted.has_error()) co_return submitted.error();
  auto const created = submitted.value().created;
  if (!wait || task::is_final(submitted.value().task.record.state)) {
    auto answer = record_answer(submitted.value().task);
    answer.created = created;
    co_return answer;
  }
  auto id = submitted.value().task.record.request.id;
  auto ended = co_await services_.tasks.get(std::move(id), *wait);
  if (ended.has_error()) co_return ended.error();
  auto answer = record_answer(ended.value());
  answer.created = created;
  co_return answer;
}

Async<Result<Answer>> Operations::tasks_get(Fields in) {
  auto id = in.text("id");
  auto const wait = in.seconds("wait", longest_wait).value_or(0);
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto stored = co_await services_.tasks.get(std::move(id), wait);
  if (stored.has_error()) co_return stored.error();
  co_return record_answer(stored.value());
}

Async<Result<Answer>> Operations::tasks_list(Fields in) {
  store::ListQuery query;
  if (auto const state = in.optional_text("state")) {
    query.state = task::state_from(*state);
    if (!query.state)
      in.fail(bad_field("state", "must be queued, dispatched, running, completed, failed or cancelled"));
  }
  read_labels(in, query.labels);
  query.browser = in.optional_text("browser");
  query.before = in.optional_text("before");
  auto const limit = static_cast<int>(in.integer("limit", 1, 1000).value_or(50));
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  if (query.browser) {
    // A task knows its browser by id.
    if (auto const known = services_.browsers.find(*query.browser); known.has_value()) query.browser = known.value().id;
  }
  query.limit = limit + 1;  // one more tells whether there is a next page
  auto listed = co_await services_.tasks.list(std::move(query));
  if (listed.has_error()) co_return listed.error();
  auto& records = listed.value();
  auto const more = records.size() > static_cast<std::size_t>(limit);
  if (more) records.resize(static_cast<std::size_t>(limit));
  Answer answer;
  answer.json = "{\"tasks\":[";
  for (auto const& record : records) {
    if (&record != &records.front()) answer.json += ',';
    answer.json += task::summary_to_json(record);
  }
  answer.json += "],\"next\":";
  answer.json += more ? json::serialize(json::string(records.back().request.id)) : "null";
  answer.json += '}';
  co_return answer;
}

Async<Result<Answer>> Operations::tasks_cancel(Fields in) {
  auto id = in.text("id");
  if (auto const read = in.finish(); read.has_error()) co_return read.error();
  auto stored = co_await services_.tasks.cancel(std::move(id));
  if (stored.has_error()) co_return stored.error();
  co_return record_answer(stored.value());
}

}  // namespace any::api
