#include "api/compat.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <map>

#include "api/rest.hpp"
#include "base/ids.hpp"
#include "browser/fields.hpp"
#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

constexpr std::string_view prefix = "/task/";

struct Problem {
  std::string_view field, message, type;
};

/// As the prototype's framework reports a body that does not fit.
net::Response unprocessable(Problem const& problem) {
  json::array where{"body"};
  if (!problem.field.empty()) where.emplace_back(problem.field);
  json::object const item{{"loc", std::move(where)}, {"msg", problem.message}, {"type", problem.type}};
  return json_response(422, json::serialize(json::object{{"detail", json::array{item}}}));
}

net::Response service_failure(Error const& error) {
  return detail_response(error.name == ErrorName::BadRequestError ? 422 : http_status(error.name), error.message);
}

Result<json::object> read_object(std::string const& body) {
  wire::JsonLimits const limits{wire::max_payload_depth};
  auto parsed = wire::parse_strict(body, limits);
  if (parsed.has_error()) return parsed.error();
  auto* object = parsed.value().if_object();
  if (object == nullptr) return Error{ErrorName::BadRequestError, "the body must be a JSON object", {}};
  return std::move(*object);
}

std::optional<std::string> text_of(json::object const& object, std::string_view key) {
  auto const* found = object.if_contains(key);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

constexpr std::size_t longest_id = 1'024;

/// The task's id in the journal, where ids name files: the client's own where that fits, else one made from it.
std::string journal_id(std::string_view id) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
  bool const fits = !id.empty() && id.size() <= 128 && id.find_first_not_of(allowed) == std::string_view::npos;
  return fits ? std::string(id) : "prototype:" + sha256_hex(id);
}

/// The ids that a path may mean, the likeliest first: a client puts its id there as it is, so that an escape or a
/// question mark may be the id's own.
std::vector<std::string> ids_of(net::Head const& head) {
  auto const mark = std::min(head.target.find('?'), head.target.size());
  auto const query = head.target.substr(mark);
  std::vector<std::string> ids;
  for (auto const& text : {head.path, head.target.substr(0, mark), head.path + query, head.target}) {
    if (text.size() <= prefix.size() || !text.starts_with(prefix)) continue;
    if (auto id = std::string(text.substr(prefix.size())); std::ranges::find(ids, id) == ids.end())
      ids.push_back(std::move(id));
  }
  return ids;
}

/// The prototype knew four states.
std::string_view status_of(task::State state) {
  switch (state) {
    case task::State::running:
      return "dispatched";
    case task::State::cancelled:
      return "failed";
    default:
      return to_string(state);
  }
}

constexpr std::string_view posted_member = "posted";  // of a task's error: what the prototype's extension posted

json::value member_of(json::object const& object, std::string_view key) {
  auto const* found = object.if_contains(key);
  return found != nullptr ? *found : json::value();
}

std::string text_or(json::object const& object, std::string_view key, std::string_view otherwise) {
  return text_of(object, key).value_or(std::string(otherwise));
}

/// A task's error as the prototype's models have it.
json::object error_json(Error const& error) {
  auto const name = to_string(error.name);
  return {{"name", error.name == ErrorName::ScriptError ? text_or(error.extra, "thrown", name) : std::string(name)},
          {"message", error.message},
          {"stack", text_or(error.extra, "stack", "")}};
}

/// The error of a task whose end the prototype's extension posted so.
Error posted_error(json::value const& error, json::value const& output) {
  Error out{ErrorName::ScriptError, "The script failed; the browser did not say why.", {}};
  if (error.is_string()) {
    out.message = std::string(error.get_string());
  } else if (auto const* object = error.if_object()) {
    out.message = text_or(*object, "message", json::serialize(error));
    for (auto const& [ours, theirs] : {std::pair("thrown", "name"), std::pair("stack", "stack")})
      if (auto text = text_of(*object, theirs)) out.extra[ours] = *text;
  } else if (!error.is_null()) {
    out.message = json::serialize(error);
  }
  out.extra[posted_member] = json::object{{"error", error}, {"output", output}};
  return out;
}

std::string number_text(Millis millis) {
  return millis % 1000 == 0 ? std::to_string(millis / 1000)
                            : json::serialize(json::value(static_cast<double>(millis) / 1000));
}

std::string task_text(store::Stored const& stored) {
  auto const& record = stored.record;
  auto const& request = record.request;
  auto const status = std::string(status_of(record.state));
  auto const id = wire::quote(task::client_id(request));
  std::string out = "{\"task\":{\"id\":" + id + ",\"script\":" + wire::quote(request.script) +
                    ",\"timeout\":" + (request.timeout ? number_text(*request.timeout) : "null") + "},\"status\":\"" +
                    status + "\",\"result\":";
  if (!task::is_final(record.state)) return out + "null}";
  out += "{\"task_id\":" + id + ",\"status\":\"" + status + "\",\"output\":";
  auto const* posted = record.error ? record.error->extra.if_contains(posted_member) : nullptr;
  if (posted != nullptr && posted->is_object()) {
    auto const& said = posted->get_object();
    out += json::serialize(member_of(said, "output")) + ",\"error\":" + json::serialize(member_of(said, "error"));
  } else {
    out += stored.result ? *stored.result : "null";
    out += ",\"error\":" + (record.error ? json::serialize(error_json(*record.error)) : "null");
  }
  return out + "}}";
}

}  // namespace

net::Response detail_response(int status, std::string_view detail) {
  return json_response(status, json::serialize(json::object{{"detail", detail}}));
}

bool Compat::takes(std::string_view path) {
  return path == "/task" || path.starts_with(prefix);
}

Async<void> Compat::serve(net::Exchange& exchange) {
  auto const& head = exchange.head();
  auto const method = head.method == "HEAD" ? std::string("GET") : head.method;
  net::Response response;
  auto ids = ids_of(head);
  if (head.path == "/task") {
    if (method == "POST") {
      response = co_await create(std::move(exchange.body()));
    } else {
      response = detail_response(405, "Method Not Allowed");
      response.headers.push_back({"Allow", "POST"});
    }
  } else if (ids.empty()) {
    response = detail_response(404, "Not Found");
  } else if (method == "GET") {
    response = co_await get(std::move(ids));
  } else if (method == "POST") {
    response = co_await finish(std::move(ids), std::move(exchange.body()));
  } else {
    response = detail_response(405, "Method Not Allowed");
    response.headers.push_back({"Allow", "GET, HEAD, POST"});
  }
  co_await exchange.respond(std::move(response));
}

Async<net::Response> Compat::create(std::string body) {
  auto read = read_object(body);
  if (read.has_error()) co_return unprocessable({"", read.error().message, "json_invalid"});
  auto const& object = read.value();
  auto id = text_of(object, "id");
  auto script = text_of(object, "script");
  if (!id)
    co_return unprocessable(
        {"id", "Input should be a valid string", object.contains("id") ? "string_type" : "missing"});
  if (!script)
    co_return unprocessable(
        {"script", "Input should be a valid string", object.contains("script") ? "string_type" : "missing"});
  if (id->empty() || id->size() > longest_id)
    co_return unprocessable({"id", "An id has 1 to 1,024 bytes", "value_error"});
  task::Request request;
  request.id = journal_id(*id);
  if (request.id != *id) request.labels.emplace(task::client_id_label, *id);
  request.script = std::move(*script);
  request.queue_timeout = std::nullopt;  // the prototype waited for ever
  request.door = task::Door::prototype;
  if (auto const* timeout = object.if_contains("timeout")) {
    auto const seconds = timeout->is_number() ? timeout->to_number<double>() : -1;
    if (!(seconds > 0) || seconds > 1e9)
      co_return unprocessable({"timeout", "Input should be a number of seconds above 0", "value_error"});
    request.timeout = static_cast<Millis>(std::ceil(seconds * 1000));
  }
  auto submitted = co_await services_.tasks.submit(std::move(request));
  if (submitted.has_error() && submitted.error().name != ErrorName::ConflictError)
    co_return service_failure(submitted.error());
  if (submitted.has_error() || !submitted.value().created)
    co_return detail_response(400, "Task " + *id + " already exists");
  co_return json_response(200, "{\"ok\":true,\"id\":" + wire::quote(*id) + "}");
}

Async<net::Response> Compat::get(std::vector<std::string> ids) {
  for (auto const& id : ids) {
    auto named = journal_id(id);
    auto stored = co_await services_.tasks.get(std::move(named), 0);
    if (stored.has_value()) co_return json_response(200, task_text(stored.value()));
    if (stored.error().name != ErrorName::NotFoundError) co_return service_failure(stored.error());
  }
  co_return detail_response(404, "Task " + ids.front() + " not found");
}

Async<net::Response> Compat::finish(std::vector<std::string> ids, std::string body) {
  auto const fields = browser::Fields::read(body);
  if (fields.has_error()) co_return unprocessable({"", fields.error().message, "json_invalid"});
  auto const status = fields->text("status");
  if (status != "completed" && status != "failed") {
    co_return unprocessable(
        {"status", "Input should be \"completed\" or \"failed\"", fields->has("status") ? "value_error" : "missing"});
  }
  auto id = fields->has("task_id") ? fields->text("task_id") : ids.front();
  if (std::ranges::find(ids, id) == ids.end())
    co_return unprocessable({"task_id", "Input should be the id in the path", "value_error"});
  service::Tasks::PrototypeEnd end;
  std::map<std::string_view, json::value> posted;
  for (std::string_view const name : {"output", "error"}) {
    if (!fields->has(name)) continue;
    auto value = wire::parse_strict(fields->raw(name), {wire::max_payload_depth});
    if (value.has_value()) {
      posted[name] = std::move(value.value());
    } else {
      // The task has ended all the same, and whoever waits for it must hear so.
      end.error = Error{ErrorName::NotSerializableError,
                        "The \"" + std::string(name) + "\" that was posted cannot be kept: " + value.error().message,
                        {}};
    }
  }
  if (fields->has("output") && !end.error) end.output = fields->raw("output");
  if (status == "failed" && !end.error) end.error = posted_error(posted["error"], posted["output"]);
  auto named = journal_id(id);
  auto finished = co_await services_.tasks.finish_prototype(std::move(named), std::move(end));
  if (finished.has_error() && finished.error().name == ErrorName::NotFoundError)
    co_return detail_response(404, "Task " + id + " not found");
  if (finished.has_error()) co_return service_failure(finished.error());
  co_return json_response(200, R"({"ok":true})");
}

}  // namespace any::api
