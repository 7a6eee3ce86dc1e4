#pragma once
// Reads HTTP/1 messages from bytes as they come. No I/O; Beast's parser stays behind it.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.hpp"

namespace any::net {

class HttpParser {
 public:
  virtual ~HttpParser() = default;
  /// Takes bytes; answers how many it has used up: the rest is to be given again with more behind it. It uses nothing
  /// behind the head before the head has been looked at, and nothing behind the message.
  /// Errors: BadRequestError (malformed), TooLargeError (head or body over the limit).
  virtual Result<std::size_t> put(std::string_view bytes) = 0;
  /// The peer has closed; an error where the message is not whole.
  virtual Result<void> put_eof() = 0;
  virtual bool started() const = 0;
  virtual bool head_done() const = 0;
  virtual bool done() const = 0;

  // Once head_done():
  virtual std::vector<Header> headers() const = 0;
  virtual bool http_1_0() const = 0;
  virtual bool keep_alive() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;
  virtual void limit_body(std::uint64_t bytes) = 0;
  virtual std::string take_body() = 0;
  // Of a request:
  virtual std::string method() const = 0;
  virtual std::string target() const = 0;
  // Of a response:
  virtual int status() const = 0;
};

/// Parses a request whose head may have `max_head` bytes.
std::unique_ptr<HttpParser> request_parser(std::size_t max_head);
/// Parses a response; `to_head`: it answers a HEAD request and has no body.
std::unique_ptr<HttpParser> response_parser(std::size_t max_body, bool to_head);

}  // namespace any::net
