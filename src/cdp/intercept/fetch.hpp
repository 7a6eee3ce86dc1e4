#pragma once
// What a session asks to intercept, and one paused request: how each decides on it in turn, how the next one sees it,
// and what Chrome is told in the end.

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/protocol/command.hpp"

namespace any::cdp {

enum class FetchStage : unsigned char { request, response, auth };

struct FetchPattern {
  std::string url = "*";  ///< `*` any text, `?` one character or none, `\` before either takes it as it stands
  std::string resource{};
  bool at_response = false;

  bool fits(std::string_view at_url, std::string_view of_type, bool response) const;
};

/// What one session has asked to intercept.
struct FetchWish {
  std::vector<FetchPattern> patterns{FetchPattern{}};
  bool auth = false;
  std::string params{"{}"};  ///< raw, of its Fetch.enable

  /// Nothing where it is for Chrome to say what is wrong.
  static std::optional<FetchWish> read(std::string_view params);
  bool fits(std::string_view url, std::string_view type, bool response) const;
};

/// The params of the Fetch.enable by which Chrome stops at all that any of them wants to see.
std::string together(std::vector<FetchWish const*> const& wishes);

struct PausedRequest {
  std::uint64_t serial = 0;
  FetchStage stage = FetchStage::request;
  bool alone = false;                 ///< there was one session to ask: nothing below is filled but `asked`
  bool answering = false;             ///< Chrome has been told and has not answered
  std::optional<SessionKey> asked{};  ///< whose turn it is
  std::vector<SessionKey> rest{};     ///< who is yet to be asked, in order
  std::vector<SessionKey> past{};     ///< at the request's stage: who has had it, in order, the one asked included
  std::map<SessionKey, bool> wants_response{};
  std::string method{}, params{};       ///< raw, as Chrome told it
  std::string url{}, type{};            ///< as the next one sees it
  boost::json::object changes{};        ///< for Fetch.continueRequest
  boost::json::object response{};       ///< for Fetch.continueResponse
  std::optional<std::string> failed{};  ///< errorReason
  std::optional<boost::json::object> fulfilled{};

  /// The params as the next one sees them.
  std::string shown() const;
  /// What Chrome is told in the end.
  std::pair<std::string_view, std::string> end(std::string_view id) const;
  bool response_wanted() const;
  /// Takes over what a session has decided. An error is Chrome's own.
  std::optional<Failure> decide(SessionKey const& by, std::string_view verb, boost::json::object const& params);
};

}  // namespace any::cdp
