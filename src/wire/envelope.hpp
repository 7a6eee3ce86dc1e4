#pragma once
// JSON-RPC 2.0 messages: the head is read, the payload stays the text it is.

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/json.hpp"

namespace any::wire {

/// Codes of JSON-RPC errors (docs/protocol.md, "Errors").
namespace code {
inline constexpr int malformed = -32700;
inline constexpr int not_a_request = -32600;
inline constexpr int unknown_method = -32601;
inline constexpr int bad_params = -32602;
inline constexpr int failed = -32000;
}  // namespace code

/// Views into the message; empty where a member is absent.
struct Envelope {
  enum class Kind : unsigned char { request, notification, response, error, invalid };
  Kind kind = Kind::invalid;
  std::string_view id;       ///< raw: a number, a string with its quotes, or null
  std::string_view method;   ///< without its quotes
  std::string_view params;   ///< raw: an object or an array
  std::string_view result;   ///< raw: any JSON
  std::string_view error;    ///< raw: an object; read_error() reads it
  std::string_view problem;  ///< Kind::invalid: why it is no JSON-RPC message, a sentence
};

/// The whole text is checked (syntax, UTF-8, depth 1024), also inside params and result. Well-formed JSON that is no
/// JSON-RPC message comes as Kind::invalid (code -32600), with its id if it has one. Errors: BadRequestError (-32700).
Result<Envelope> read_envelope(std::string_view text);

/// What `error` of an answer says: its `data` where that is an error of ours, else ProtocolError with its message and
/// code.
Error read_error(std::string_view error_raw);

/// `id` and the texts are put in as they are: raw JSON. Members stand in this order: jsonrpc, id, method, params.
/// An empty `params` leaves the member out.
std::string request(std::string_view id, std::string_view method, std::string_view params);
std::string request(std::uint64_t id, std::string_view method, std::string_view params);
std::string notification(std::string_view method, std::string_view params);
/// An empty id is answered as null.
std::string result(std::string_view id, std::string_view result);
/// The code is -32602 for BadRequestError, else -32000, unless one is given.
std::string error(std::string_view id, Error const& error, int code = 0);

}  // namespace any::wire
