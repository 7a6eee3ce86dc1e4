// What is read, changed and said of a paused request.

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/encoding.hpp"
#include "cdp/intercept/fetch.hpp"
#include "cdp/protocol/command.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

bool matches(std::string_view text, std::string_view pattern) {
  // All places in the pattern at once, so that no pattern takes more than text × pattern steps.
  struct Step {
    char kind;  // '*', '?' or 'c' for the character itself
    char sign;
  };
  std::vector<Step> steps;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '*' || pattern[at] == '?') {
      steps.push_back({pattern[at], 0});
    } else if (pattern[at] != '\\') {
      steps.push_back({'c', pattern[at]});
    } else if (++at < pattern.size()) {
      steps.push_back({'c', pattern[at]});
    }
  }
  std::vector<char> now(steps.size() + 1, 0), next;
  auto const skip = [&steps](std::vector<char>& places) {
    for (std::size_t at = 0; at < steps.size(); ++at) {
      if (places[at] && steps[at].kind != 'c') places[at + 1] = 1;
    }
  };
  now[0] = 1;
  skip(now);
  for (char const sign : text) {
    next.assign(now.size(), 0);
    bool any = false;
    for (std::size_t at = 0; at < steps.size(); ++at) {
      if (!now[at] || (steps[at].kind == 'c' && steps[at].sign != sign)) continue;
      next[steps[at].kind == '*' ? at : at + 1] = 1;
      any = true;
    }
    if (!any) return false;
    skip(next);
    now.swap(next);
  }
  return now.back() != 0;
}

bool is_header(json::value const& row, std::string& name) {
  auto const* header = row.if_object();
  if (!header || !header->contains("name") || !header->contains("value")) return false;
  name = text_in(*header, "name");
  auto const value = text_in(*header, "value");
  static constexpr std::string_view apart = "()<>@,;:\\\"/[]?={}";
  bool const token = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < '\x7f' && apart.find(c) == std::string_view::npos;
  });
  return token && value.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos;
}

std::optional<Failure> check_headers(json::object const& params, std::string_view key) {
  auto const* rows = params.if_contains(key);
  if (!rows) return std::nullopt;
  if (!rows->is_array()) return bad_params("Failed to deserialize params." + std::string(key));
  for (auto const& row : rows->get_array()) {
    std::string name;
    if (!is_header(row, name)) return Failure{code::bad_params, "Invalid header: " + name};
  }
  return std::nullopt;
}

std::optional<Failure> check_texts(json::object const& params) {
  for (auto const* key : {"url", "method", "postData"}) {
    auto const* value = params.if_contains(key);
    if (value && !value->is_string()) return bad_params("Failed to deserialize params." + std::string(key));
  }
  if (params.contains("postData") && !from_base64(text_in(params, "postData"))) {
    return bad_params("Failed to deserialize params.postData - BINDINGS: invalid base64 string");
  }
  return std::nullopt;
}

bool known_reason(std::string_view reason) {
  constexpr std::array reasons{"Failed",
                               "Aborted",
                               "TimedOut",
                               "AccessDenied",
                               "ConnectionClosed",
                               "ConnectionReset",
                               "ConnectionRefused",
                               "ConnectionAborted",
                               "ConnectionFailed",
                               "NameNotResolved",
                               "InternetDisconnected",
                               "AddressUnreachable",
                               "BlockedByClient",
                               "BlockedByResponse"};
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

std::string phrase_of(std::int64_t status) {
  static std::unordered_map<std::int64_t, std::string> const phrases{{100, "Continue"},
                                                                     {101, "Switching Protocols"},
                                                                     {200, "OK"},
                                                                     {201, "Created"},
                                                                     {202, "Accepted"},
                                                                     {203, "Non-Authoritative Information"},
                                                                     {204, "No Content"},
                                                                     {205, "Reset Content"},
                                                                     {206, "Partial Content"},
                                                                     {300, "Multiple Choices"},
                                                                     {301, "Moved Permanently"},
                                                                     {302, "Found"},
                                                                     {303, "See Other"},
                                                                     {304, "Not Modified"},
                                                                     {307, "Temporary Redirect"},
                                                                     {308, "Permanent Redirect"},
                                                                     {400, "Bad Request"},
                                                                     {401, "Unauthorized"},
                                                                     {403, "Forbidden"},
                                                                     {404, "Not Found"},
                                                                     {405, "Method Not Allowed"},
                                                                     {408, "Request Timeout"},
                                                                     {409, "Conflict"},
                                                                     {410, "Gone"},
                                                                     {418, "I'm a teapot"},
                                                                     {422, "Unprocessable Content"},
                                                                     {429, "Too Many Requests"},
                                                                     {500, "Internal Server Error"},
                                                                     {501, "Not Implemented"},
                                                                     {502, "Bad Gateway"},
                                                                     {503, "Service Unavailable"},
                                                                     {504, "Gateway Timeout"}};
  auto const found = phrases.find(status);
  return found == phrases.end() ? std::string() : found->second;
}

json::array response_headers(json::object const& said) {
  if (auto const* rows = said.if_contains("responseHeaders"); rows && rows->is_array()) return rows->get_array();
  json::array rows;
  auto const raw = from_base64(text_in(said, "binaryResponseHeaders")).value_or("");
  for (std::string_view rest = raw; !rest.empty();) {
    auto const line = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    auto const colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    rows.push_back(json::object{{"name", line.substr(0, colon)}, {"value", value}});
  }
  return rows;
}

bool overrides_response(json::object const& params) {
  return params.contains("responseCode") || params.contains("responsePhrase") || params.contains("responseHeaders") ||
         params.contains("binaryResponseHeaders");
}

void show_status(json::object& shown, json::object const& said) {
  auto const status = number_in(said, "responseCode").value_or(0);
  auto phrase = text_in(said, "responsePhrase");
  shown["responseStatusCode"] = status;
  shown["responseStatusText"] = phrase.empty() ? phrase_of(status) : std::move(phrase);
  shown["responseHeaders"] = response_headers(said);
}

}  // namespace

bool FetchPattern::fits(std::string_view at_url, std::string_view of_type, bool response) const {
  return response == at_response && (resource.empty() || resource == of_type) && matches(at_url, url);
}

std::optional<FetchWish> FetchWish::read(std::string_view params) {
  auto const value = wire::parse_strict(params, {256});
  if (!value || !value->is_object()) return std::nullopt;
  auto const& object = value->get_object();
  FetchWish wish;
  wish.params = params;
  wish.auth = flag_in(object, "handleAuthRequests");
  if (auto const* auth = object.if_contains("handleAuthRequests"); auth && !auth->is_bool()) return std::nullopt;
  auto const* patterns = object.if_contains("patterns");
  if (!patterns) return wish;
  if (!patterns->is_array() || (wish.auth && patterns->get_array().empty())) return std::nullopt;
  wish.patterns.clear();
  for (auto const& row : patterns->get_array()) {
    auto const* pattern = row.if_object();
    if (!pattern) return std::nullopt;
    for (auto const* key : {"urlPattern", "resourceType", "requestStage"}) {
      if (auto const* text = pattern->if_contains(key); text && !text->is_string()) return std::nullopt;
    }
    FetchPattern read;
    if (pattern->contains("urlPattern")) read.url = text_in(*pattern, "urlPattern");
    read.resource = text_in(*pattern, "resourceType");
    auto const stage = text_in(*pattern, "requestStage");
    if (!stage.empty() && stage != "Request" && stage != "Response") return std::nullopt;
    read.at_response = stage == "Response";
    wish.patterns.push_back(std::move(read));
  }
  return wish;
}

bool FetchWish::fits(std::string_view url, std::string_view type, bool response) const {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](FetchPattern const& pattern) { return pattern.fits(url, type, response); });
}

std::string together(std::vector<FetchWish const*> const& wishes) {
  if (wishes.size() == 1) return wishes.front()->params;
  json::array patterns;
  bool auth = false;
  for (auto const* wish : wishes) {
    auth = auth || wish->auth;
    for (auto const& pattern : wish->patterns) {
      json::object row{{"urlPattern", pattern.url}, {"requestStage", pattern.at_response ? "Response" : "Request"}};
      if (!pattern.resource.empty()) row["resourceType"] = pattern.resource;
      if (std::find(patterns.begin(), patterns.end(), json::value(row)) == patterns.end()) patterns.push_back(row);
    }
  }
  return json::serialize(json::object{{"patterns", patterns}, {"handleAuthRequests", auth}});
}

std::string PausedRequest::shown() const {
  if (changes.empty() && response.empty() && !failed && !fulfilled) return params;
  auto seen = object_of(params);
  auto request = object_in(seen, "request");
  for (auto const* key : {"url", "method"}) {
    if (auto const* value = changes.if_contains(key)) request[key] = *value;
  }
  if (changes.contains("url")) request.erase("urlFragment");
  if (auto const* rows = changes.if_contains("headers")) {
    json::object headers;
    for (auto const& row : rows->get_array()) {
      headers[text_in(row.get_object(), "name")] = text_in(row.get_object(), "value");
    }
    request["headers"] = headers;
  }
  if (auto const* body = changes.if_contains("postData")) {
    auto const bytes = from_base64(text_in(changes, "postData")).value_or("");
    request.erase("postData");
    if (wire::check_json(wire::quote(bytes)))
      request["postData"] = object_of(R"({"t":)" + wire::quote(bytes) + "}")["t"];
    request["hasPostData"] = true;
    request["postDataEntries"] = json::array{json::object{{"bytes", *body}}};
  }
  seen["request"] = std::move(request);
  if (failed) {
    for (auto const* key : {"responseStatusCode", "responseStatusText", "responseHeaders"}) seen.erase(key);
    seen["responseErrorReason"] = *failed;
  } else if (fulfilled) {
    seen.erase("responseErrorReason");
    show_status(seen, *fulfilled);
  } else if (!response.empty()) {
    show_status(seen, response);
  }
  return json::serialize(seen);
}

bool PausedRequest::response_wanted() const {
  return std::any_of(wants_response.begin(), wants_response.end(), [](auto const& row) { return row.second; });
}

std::pair<std::string_view, std::string> PausedRequest::end(std::string_view id) const {
  json::object said;
  std::string_view verb = "Fetch.continueRequest";
  if (stage == FetchStage::auth) {
    verb = "Fetch.continueWithAuth";
    said["authChallengeResponse"] = json::object{{"response", "Default"}};
  } else if (failed) {
    verb = "Fetch.failRequest";
    said["errorReason"] = *failed;
  } else if (fulfilled) {
    verb = "Fetch.fulfillRequest";
    said = *fulfilled;
  } else if (stage == FetchStage::response && !response.empty()) {
    verb = "Fetch.continueResponse";
    said = response;
  } else if (stage == FetchStage::request && !alone) {
    said = changes;
    said["interceptResponse"] = response_wanted();
  }
  said["requestId"] = id;
  return {verb, json::serialize(said)};
}

std::optional<Failure> PausedRequest::decide(SessionKey const& by, std::string_view verb, json::object const& said) {
  bool const with_auth = verb == "Fetch.continueWithAuth";
  if (stage == FetchStage::auth) {
    if (!with_auth) return Failure{code::bad_params, "authChallengeResponse required."};
    return std::nullopt;
  }
  if (with_auth) return Failure{code::bad_params, "authChallengeResponse not expected."};
  if (verb == "Fetch.continueRequest") {
    if (auto wrong = check_texts(said)) return wrong;
    if (auto wrong = check_headers(said, "headers")) return wrong;
    if (stage != FetchStage::request) return std::nullopt;
    for (auto const* key : {"url", "method", "postData", "headers"}) {
      if (auto const* value = said.if_contains(key)) changes[key] = *value;
    }
    if (changes.contains("url")) url = text_in(changes, "url").substr(0, text_in(changes, "url").find('#'));
    if (said.contains("interceptResponse")) wants_response[by] = flag_in(said, "interceptResponse");
  } else if (verb == "Fetch.continueResponse") {
    if (!overrides_response(said)) return std::nullopt;
    if (!said.contains("responseCode") ||
        (!said.contains("responseHeaders") && !said.contains("binaryResponseHeaders"))) {
      return Failure{code::server_error, "Cannot override only status or headers, both should be provided"};
    }
    if (auto wrong = check_headers(said, "responseHeaders")) return wrong;
    if (stage != FetchStage::response) return std::nullopt;
    auto& into = fulfilled ? *fulfilled : response;
    for (auto const* key : {"responseCode", "responsePhrase", "responseHeaders", "binaryResponseHeaders"}) {
      into.erase(key);
      if (auto const* value = said.if_contains(key)) into[key] = *value;
    }
    if (fulfilled) return std::nullopt;
    failed.reset();
  } else if (verb == "Fetch.failRequest") {
    auto reason = text_in(said, "errorReason");
    if (!known_reason(reason)) return Failure{code::bad_params, "Unknown errorReason"};
    failed = std::move(reason);
    fulfilled.reset();
  } else {  // Fetch.fulfillRequest
    auto const status = number_in(said, "responseCode");
    if (!status) return bad_params("Failed to deserialize params.responseCode - BINDINGS: mandatory field missing");
    if (*status < 100 || *status > 999) return Failure{code::bad_params, "Invalid http status code or phrase"};
    if (auto wrong = check_headers(said, "responseHeaders")) return wrong;
    if (said.contains("body") && !from_base64(text_in(said, "body"))) {
      return bad_params("Failed to deserialize params.body - BINDINGS: invalid base64 string");
    }
    auto made = said;
    // Without a body of its own it is the one that the former one made, if any.
    if (auto const* body = fulfilled ? fulfilled->if_contains("body") : nullptr; body && !made.contains("body")) {
      made["body"] = *body;
    }
    made.erase("requestId");
    fulfilled = std::move(made);
    failed.reset();
  }
  return std::nullopt;
}

}  // namespace any::cdp
