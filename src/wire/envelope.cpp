#include "wire/envelope.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace any::wire {
namespace {

bool is_text(std::string_view raw) noexcept {
  return !raw.empty() && raw.front() == '"';
}

bool is_id(std::string_view raw) noexcept {
  return is_text(raw) || raw == "null" || raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9');
}

// Why these members are no JSON-RPC message, or empty; fills in the rest of the envelope.
std::string_view judge(Members const& found, Envelope& envelope) {
  auto const id = member(found, "id");
  if (!id.empty() && !is_id(id)) return "The id must be a number, a string or null.";
  envelope.id = id;
  if (member(found, "jsonrpc") != "\"2.0\"") return "A message says \"jsonrpc\": \"2.0\".";
  auto const method = member(found, "method");
  envelope.params = member(found, "params");
  envelope.result = member(found, "result");
  envelope.error = member(found, "error");
  if (!envelope.params.empty() && envelope.params.front() != '{' && envelope.params.front() != '[')
    return "params must be an object or an array.";
  if (!method.empty()) {
    if (!is_text(method) || method.find('\\') != std::string_view::npos)
      return "method must be a string without escapes.";
    if (!envelope.result.empty() || !envelope.error.empty()) return "A message has a method or a result, not both.";
    envelope.method = method.substr(1, method.size() - 2);
    envelope.kind = id.empty() ? Envelope::Kind::notification : Envelope::Kind::request;
    return {};
  }
  if (envelope.result.empty() == envelope.error.empty())
    return "A message has a method, or else either a result or an error.";
  if (id.empty()) return "An answer needs the id of its request.";
  if (!envelope.error.empty() && envelope.error.front() != '{') return "error must be an object.";
  envelope.kind = envelope.error.empty() ? Envelope::Kind::response : Envelope::Kind::error;
  return {};
}

std::string build(std::string_view id, std::string_view method, std::string_view params) {
  std::string text;
  text.reserve(64 + id.size() + method.size() + params.size());
  text += R"({"jsonrpc":"2.0")";
  if (!id.empty()) text.append(R"(,"id":)").append(id);
  text.append(R"(,"method":)").append(quote(method));
  if (!params.empty()) text.append(R"(,"params":)").append(params);
  return text += '}';
}

}  // namespace

Result<Envelope> read_envelope(std::string_view text) {
  Envelope envelope;
  auto const first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] != '{') {
    auto const checked = check_json(text);
    if (checked.has_error()) return checked.error();
    envelope.problem =
        text[first] == '[' ? "Batches are not spoken here: send one request a message." : "A message is an object.";
    return envelope;
  }
  auto const found = members(text);
  if (found.has_error()) return found.error();
  envelope.problem = judge(*found, envelope);
  if (!envelope.problem.empty()) {
    auto const problem = envelope.problem;
    envelope = Envelope{.id = envelope.id, .problem = problem};
  }
  return envelope;
}

Error read_error(std::string_view error_raw) {
  auto const parsed = parse_strict(error_raw, {max_payload_depth});
  auto const* json = parsed.has_value() ? parsed->if_object() : nullptr;
  if (json == nullptr) return {ErrorName::ProtocolError, "The answer is an error that cannot be read."};
  if (auto const* data = json->if_contains("data"); data != nullptr && data->is_object()) {
    auto const* name = data->get_object().if_contains("name");
    if (name != nullptr && name->is_string()) return error_from_json(data->get_object());
  }
  auto const* message = json->if_contains("message");
  auto const* number = json->if_contains("code");
  std::string words =
      message != nullptr && message->is_string() ? std::string{message->get_string().c_str()} : "no message";
  if (number != nullptr && number->is_int64()) words += " (code " + std::to_string(number->get_int64()) + ")";
  return {ErrorName::ProtocolError, std::move(words)};
}

std::string request(std::string_view id, std::string_view method, std::string_view params) {
  return build(id.empty() ? std::string_view{"null"} : id, method, params);
}

std::string request(std::uint64_t id, std::string_view method, std::string_view params) {
  return build(std::to_string(id), method, params);
}

std::string notification(std::string_view method, std::string_view params) {
  return build({}, method, params);
}

std::string result(std::string_view id, std::string_view result) {
  std::string text;
  text.reserve(40 + id.size() + result.size());
  text.append(R"({"jsonrpc":"2.0","id":)").append(id.empty() ? "null" : id);
  return text.append(R"(,"result":)").append(result).append("}");
}

std::string error(std::string_view id, Error const& error, int code) {
  if (code == 0) code = error.name == ErrorName::BadRequestError ? code::bad_params : code::failed;
  std::string text;
  text.append(R"({"jsonrpc":"2.0","id":)").append(id.empty() ? "null" : id);
  text.append(R"(,"error":{"code":)")
      .append(std::to_string(code))
      .append(R"(,"message":)")
      .append(quote(error.message));
  return text.append(R"(,"data":)").append(boost::json::serialize(to_json(error))).append("}}");
}

}  // namespace any::wire
