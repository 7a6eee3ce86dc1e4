#pragma once
// Requests paused by Fetch in one target, where several sessions intercept: each decides in turn. As measured between
// two sessions of a raw Chrome: a request goes to the newest session first, its response to the oldest first; what one
// has changed the next one sees; what one has made up (fulfil, fail) is a response to those before it.

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
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

struct Interceptions {
  std::map<SessionKey, FetchWish> wishes;
  std::map<std::string, PausedRequest, std::less<>> paused;  ///< by requestId
  /// Who is to see the response of a request that has been let go, by requestId; bounded, the oldest are forgotten.
  std::deque<std::pair<std::string, std::vector<SessionKey>>> underway;
  std::string in_force;          ///< params of the Fetch.enable in force in Chrome; empty: none
  std::uint64_t attachment = 0;  ///< of which all but the wishes is true
  std::uint64_t last_serial = 0;
  int settling = 0;  ///< changes of the patterns that Chrome has not confirmed
};

}  // namespace any::cdp
