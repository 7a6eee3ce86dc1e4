#include "net/http_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>

namespace any::net {
namespace {

namespace http = boost::beast::http;

Error explain(boost::system::error_code failed, bool head_done) {
  if (failed == http::error::header_limit)
    return {ErrorName::TooLargeError, "The head of the request is too large: shorten its address or its headers."};
  if (failed == http::error::body_limit || failed == http::error::buffer_overflow)
    return {ErrorName::TooLargeError, "The body is over the limit."};
  return {ErrorName::BadRequestError, std::string{head_done ? "The body" : "The head"} +
                                          " of this HTTP message is malformed: " + failed.message() + "."};
}

template <bool is_request>
class BeastParser final : public HttpParser {
 public:
  explicit BeastParser(std::size_t max_head) {
    parser_.header_limit(static_cast<std::uint32_t>(max_head));
    parser_.body_limit(boost::none);
    parser_.eager(false);
  }
  http::parser<is_request, http::string_body>& beast() noexcept { return parser_; }

  Result<std::size_t> put(std::string_view bytes) override {
    std::size_t used = 0;
    while (!parser_.is_done()) {
      auto const had_head = parser_.is_header_done();
      // Beast takes it for sure that a last chunk which it has seen the start of comes back with all of its five bytes.
      if (wants_more_ && had_head && parser_.chunked() && bytes.size() - used < least_chunk) break;
      boost::system::error_code failed;
      used += parser_.put(boost::asio::const_buffer{bytes.data() + used, bytes.size() - used}, failed);
      wants_more_ = failed == http::error::need_more;
      if (wants_more_) break;
      if (failed) return explain(failed, had_head);
      if ((!had_head && parser_.is_header_done()) || used == bytes.size()) break;
    }
    return used;
  }
  Result<void> put_eof() override {
    boost::system::error_code failed;
    if (!parser_.got_some()) failed = http::error::end_of_stream;
    if (!failed && !parser_.is_done()) parser_.put_eof(failed);
    if (failed) return explain(failed, parser_.is_header_done());
    return {};
  }
  bool started() const override { return parser_.got_some(); }
  bool head_done() const override { return parser_.is_header_done(); }
  bool done() const override { return parser_.is_done(); }
  std::vector<Header> headers() const override {
    std::vector<Header> all;
    for (auto const& field : parser_.get())
      all.push_back({std::string{field.name_string()}, std::string{field.value()}});
    return all;
  }
  bool http_1_0() const override { return parser_.get().version() < 11; }
  bool keep_alive() const override { return parser_.keep_alive(); }
  std::optional<std::uint64_t> content_length() const override {
    auto const length = parser_.content_length();
    return length ? std::optional<std::uint64_t>{*length} : std::nullopt;
  }
  void limit_body(std::uint64_t bytes) override { parser_.body_limit(bytes); }
  std::string take_body() override { return std::move(parser_.get().body()); }
  std::string method() const override {
    if constexpr (is_request) return std::string{parser_.get().method_string()};
    return {};
  }
  std::string target() const override {
    if constexpr (is_request) return std::string{parser_.get().target()};
    return {};
  }
  int status() const override {
    if constexpr (!is_request) return static_cast<int>(parser_.get().result_int());
    return 0;
  }

 private:
  static constexpr std::size_t least_chunk = std::string_view{"0\r\n\r\n"}.size();

  http::parser<is_request, http::string_body> parser_;
  bool wants_more_ = false;
};

}  // namespace

std::unique_ptr<HttpParser> request_parser(std::size_t max_head) {
  return std::make_unique<BeastParser<true>>(max_head);
}

std::unique_ptr<HttpParser> response_parser(std::size_t max_body, bool to_head) {
  constexpr std::size_t max_response_head = std::size_t{64} << 10;
  auto parser = std::make_unique<BeastParser<false>>(max_response_head);
  parser->beast().body_limit(max_body);
  parser->beast().skip(to_head);
  return parser;
}

}  // namespace any::net
