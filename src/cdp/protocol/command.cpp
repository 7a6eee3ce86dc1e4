#include "cdp/protocol/command.hpp"

#include <algorithm>
#include <stdexcept>

#include "wire/json.hpp"

namespace any::cdp {

namespace {

/// The digits of an id; empty where it is no whole number. Chrome takes `1.0` and `1e3` as well, and `-0` is 0.
std::string id_of(std::string_view raw) {
  auto const digits = raw.starts_with('-') ? raw.substr(1) : raw;
  bool const plain =
      !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (plain && digits.size() < 16) return std::string(digits == "0" ? digits : raw);
  auto const value = wire::parse_strict(raw);
  if (plain || !value || !value->is_double()) return {};
  boost::system::error_code failed;
  auto const number = value->to_number<std::int64_t>(failed);
  return failed ? std::string() : std::to_string(number);
}

Malformed not_a_request(std::string id, std::string session, std::string_view why) {
  return {std::move(id), std::move(session), {code::not_a_request, std::string(why)}};
}

void put_session(std::string& text, std::string_view session) {
  if (session.empty()) return;
  text += R"(,"sessionId":)";
  text += wire::quote(session);
}

}  // namespace

boost::system::result<Command, Malformed> read_command(ClientId client, std::string_view text) {
  auto const read = wire::members(text);
  if (!read) {
    auto const first = text.find_first_not_of(" \t\r\n");
    bool const may_be_other = first != std::string_view::npos && text[first] != '{' && text.size() < (1U << 20);
    if (may_be_other && wire::parse_strict(text)) return not_a_request({}, {}, "Message must be an object");
    return Malformed{.failure = {code::malformed, "JSON: " + read.error().message}};
  }
  Command command{.ticket = {.client = client}, .method = {}, .params = "{}"};
  command.ticket.id = id_of(wire::member(*read, "id"));
  if (command.ticket.id.empty()) return not_a_request({}, {}, "Message must have integer 'id' property");
  if (auto const raw = wire::member(*read, "sessionId"); !raw.empty()) {
    auto session = wire::string_value(raw);
    if (!session) return not_a_request(command.ticket.id, {}, "Message may have string 'sessionId' property");
    command.ticket.session = std::move(*session);
  }
  auto method = wire::string_value(wire::member(*read, "method"));
  if (!method || method->empty()) {
    return not_a_request(command.ticket.id, command.ticket.session, "Message must have string 'method' property");
  }
  command.method = std::move(*method);
  // Chrome takes null and an empty array for "none".
  if (auto const raw = wire::member(*read, "params"); !raw.empty() && raw != "null" && raw != "[]") {
    if (!raw.starts_with('{')) {
      return not_a_request(command.ticket.id, command.ticket.session, "Message may have object 'params' property");
    }
    command.params = raw;
  }
  for (auto const& [key, value] : *read) {
    if (key != "id" && key != "method" && key != "sessionId" && key != "params") {
      return not_a_request(command.ticket.id, command.ticket.session,
                           "Message has property other than 'id', 'method', 'sessionId', 'params'");
    }
  }
  return command;
}

void throw_exception_from_error(Malformed const& malformed, boost::source_location const&) {
  throw std::logic_error("a malformed message was taken for a command: " + malformed.failure.message);
}

std::string result_text(Ticket const& ticket, std::string_view result) {
  std::string text;
  text.reserve(result.size() + ticket.id.size() + ticket.session.size() + 40);
  text.append(R"({"id":)").append(ticket.id).append(R"(,"result":)").append(result);
  put_session(text, ticket.session);
  text += '}';
  return text;
}

std::string failure_text(Ticket const& ticket, Failure const& failure) {
  std::string text = "{";
  if (!ticket.id.empty()) text.append(R"("id":)").append(ticket.id).append(",");
  text.append(R"("error":{"code":)").append(std::to_string(failure.code)).append(R"(,"message":)");
  text += wire::quote(failure.message);
  if (!failure.data.empty()) text.append(R"(,"data":)").append(wire::quote(failure.data));
  text += '}';
  put_session(text, ticket.session);
  text += '}';
  return text;
}

std::string event_text(std::string_view session, std::string_view method, std::string_view params) {
  std::string text;
  text.reserve(params.size() + method.size() + session.size() + 48);
  text.append(R"({"method":")").append(method).append(R"(","params":)").append(params.empty() ? "{}" : params);
  put_session(text, session);
  text += '}';
  return text;
}

Failure not_found(std::string_view method) {
  return {code::unknown_method, "'" + std::string(method) + "' wasn't found"};
}

Failure no_such_target() {
  return {code::bad_params, "No target with given id found"};
}

Failure no_such_session() {
  return {code::no_session, "Session with given id not found."};
}

Failure bad_params(std::string_view what) {
  return {code::bad_params, "Invalid parameters", std::string(what)};
}

std::string_view domain_of(std::string_view method) {
  return method.substr(0, std::min(method.find('.'), method.size()));
}

}  // namespace any::cdp
