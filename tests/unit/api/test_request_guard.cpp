// Who may come in, one case a line.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <boost/json/parse.hpp>

#include "api/request_guard.hpp"
#include "base/embedded.hpp"
#include "base/ids.hpp"

namespace any::api {
namespace {

constexpr auto pinned = "chrome-extension://fiboagademobpcbeeblkmghchapdlnjd";
constexpr auto stranger = "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr auto allowed = "chrome-extension://bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

struct Case {
  std::string name;
  std::string path = "/v1/tasks";
  std::vector<net::Header> headers{{"Host", "127.0.0.1:8766"}};
  std::optional<ErrorName> refused{};
  std::string method = "GET";
  std::string token{};
  std::vector<std::pair<std::string, std::string>> query{};
  std::uint16_t port = 8766;
};

net::Head head_of(Case const& given) {
  net::Head head;
  head.method = given.method;
  head.target = head.path = given.path;
  head.headers = given.headers;
  head.query = given.query;
  head.peer.local_port = given.port;
  return head;
}

std::vector<net::Header> host(std::string value) {
  return {{"Host", std::move(value)}};
}
std::vector<net::Header> with(std::string name, std::string value) {
  return {{"Host", "127.0.0.1:8766"}, {std::move(name), std::move(value)}};
}

class Door : public testing::TestWithParam<Case> {};

TEST_P(Door, DecidesByTheHeadAlone) {
  GuardRules rules;
  rules.token = GetParam().token;
  rules.allow_extensions = {std::string(allowed).substr(19)};
  auto const checked = check_head(head_of(GetParam()), rules);
  if (GetParam().refused) {
    ASSERT_TRUE(checked.has_error()) << "it was let in";
    EXPECT_EQ(to_string(checked.error().name), to_string(*GetParam().refused)) << checked.error().message;
    EXPECT_FALSE(checked.error().message.empty());
  } else {
    EXPECT_TRUE(checked.has_value()) << checked.error().message;
  }
}

std::vector<Case> host_cases() {
  auto const no = ErrorName::ForbiddenError;
  return {
      {"HostByAddress", "/health", host("127.0.0.1:8766")},
      {"HostByName", "/health", host("localhost:8766")},
      {"HostByNameInAnyCase", "/health", host("LocalHost:8766")},
      {"HostByIpv6", "/health", host("[::1]:8766")},
      {"HostWithoutPortOnPort80", "/health", host("localhost"), {}, "GET", "", {}, 80},
      {"NoHost", "/health", {}, no},
      {"EmptyHost", "/health", host(""), no},
      {"HostWithoutPortFromAProgram", "/health", host("127.0.0.1")},
      {"HostByNameWithoutPortFromAProgram", "/json/version", host("Localhost")},
      {"HostByIpv6WithoutPortFromAProgram", "/json/version", host("[::1]")},
      {"HostWithoutPortFromThePageOfPort80",
       "/json/version",
       {{"Host", "127.0.0.1"}, {"Origin", "http://127.0.0.1"}},
       no},
      {"HostWithoutPortFromTheExtension", "/extension", {{"Host", "127.0.0.1"}, {"Origin", pinned}}, no},
      {"HostWithoutPortFromABrowser", "/json/version", {{"Host", "127.0.0.1"}, {"Sec-Fetch-Site", "none"}}, no},
      {"HostWithoutPortOfAStranger", "/json/version", host("evil.example"), no},
      {"HostWithAnEmptyPort", "/json/version", host("127.0.0.1:"), no},
      {"HostWithAnotherPort", "/health", host("127.0.0.1:8767"), no},
      {"HostOfAStranger", "/health", host("evil.example:8766"), no},
      {"HostThatResolvesToLoopback", "/health", host("127.0.0.1.nip.io:8766"), no},
      {"HostThatBeginsLikeOurs", "/health", host("localhost.evil.example:8766"), no},
      {"HostWithATrailingDot", "/health", host("localhost.:8766"), no},
      {"HostOfAnotherLoopbackAddress", "/health", host("127.0.0.2:8766"), no},
      {"HostAsANumber", "/health", host("2130706433:8766"), no},
      {"HostWithUser", "/health", host("user@127.0.0.1:8766"), no},
      {"HostUnspecified", "/health", host("0.0.0.0:8766"), no},
      {"HostTwice", "/health", {{"Host", "127.0.0.1:8766"}, {"host", "127.0.0.1:8766"}}, no},
      {"TargetWithoutAPath", "http://127.0.0.1:8766/health", host("127.0.0.1:8766"), ErrorName::BadRequestError},
      {"TargetStar", "*", host("127.0.0.1:8766"), ErrorName::BadRequestError, "OPTIONS"},
  };
}

std::vector<Case> origin_cases() {
  auto const no = ErrorName::ForbiddenError;
  std::vector<Case> cases{
      {"NoOrigin", "/v1/tasks", host("127.0.0.1:8766")},
      {"OwnOrigin", "/v1/tasks", with("Origin", "http://127.0.0.1:8766")},
      {"OwnOriginByName", "/v1/tasks", {{"Host", "localhost:8766"}, {"Origin", "http://localhost:8766"}}},
      {"OwnOriginByIpv6", "/v1/rpc", {{"Host", "[::1]:8766"}, {"Origin", "http://[::1]:8766"}}},
      {"OriginByAnotherLoopbackName", "/v1/tasks", with("Origin", "http://localhost:8766"), no},
      {"OriginWithAnotherScheme", "/v1/tasks", with("Origin", "https://127.0.0.1:8766"), no},
      {"OriginOfAnotherLoopbackPort", "/v1/tasks", with("Origin", "http://127.0.0.1:9000"), no},
      {"OriginWithoutPort", "/v1/tasks", with("Origin", "http://127.0.0.1"), no},
      {"OriginNull", "/v1/tasks", with("Origin", "null"), no},
      {"OriginEmpty", "/v1/tasks", with("Origin", ""), no},
      {"OriginOfAWebPage", "/v1/tasks", with("Origin", "https://evil.example"), no},
      {"OriginFile", "/v1/tasks", with("Origin", "file://"), no},
      {"OriginThatBeginsLikeOurs", "/v1/tasks", with("Origin", "http://127.0.0.1:8766.evil.example"), no},
      {"OriginTwice",
       "/v1/tasks",
       {{"Host", "127.0.0.1:8766"}, {"Origin", "http://127.0.0.1:8766"}, {"ORIGIN", "http://127.0.0.1:8766"}},
       no},
      {"OriginWithAPath", "/v1/tasks", with("Origin", "http://127.0.0.1:8766/"), no},
      {"PinnedExtensionPostsAPrototypesEnd", "/task/a", with("Origin", pinned), {}, "POST"},
      {"PinnedExtensionReadsAPrototypesTask", "/task/a", with("Origin", pinned), no},
      {"PinnedExtensionSubmits", "/v1/tasks", with("Origin", pinned), no, "POST"},
      {"PinnedExtensionOnRpc", "/v1/rpc", with("Origin", pinned), no},
      {"PinnedExtensionCreatesAPrototypesTask", "/task", with("Origin", pinned), no, "POST"},
      {"AllowedExtensionSubmits", "/v1/tasks", with("Origin", allowed), no, "POST"},
      {"ExtensionInUpperCase", "/extension", with("Origin", "CHROME-EXTENSION://FIBOAGADEMOBPCBEEBLKMGHCHAPDLNJD"), no},
      {"ExtensionWithMore", "/extension", with("Origin", std::string(pinned) + "/"), no},
      {"ExtensionOfFirefox", "/extension", with("Origin", "moz-extension://fiboagademobpcbeeblkmghchapdlnjd"), no},
  };
  for (std::string const path : {"/extension", "/events", "/health"}) {
    auto const name = path.substr(1);
    cases.push_back({"PinnedExtensionOn_" + name, path, with("Origin", pinned)});
    cases.push_back({"AllowedExtensionOn_" + name, path, with("Origin", allowed)});
    cases.push_back({"StrangeExtensionOn_" + name, path, with("Origin", stranger), no});
    cases.push_back({"WebPageOn_" + name, path, with("Origin", "http://127.0.0.1:9000"), no});
    cases.push_back({"NullOn_" + name, path, with("Origin", "null"), no});
  }
  return cases;
}

std::vector<Case> fetch_site_cases() {
  auto const no = ErrorName::ForbiddenError;
  auto const site = [](std::string value) { return with("Sec-Fetch-Site", std::move(value)); };
  std::vector<Case> cases{
      {"SiteNone", "/v1/tasks", site("none")},
      {"SiteSameOrigin", "/v1/tasks", site("same-origin")},
      {"SiteCross", "/v1/tasks", site("cross-site"), no},
      {"SiteSame", "/v1/tasks", site("same-site"), no},
      {"SiteCrossOnHealth", "/health", site("cross-site"), no},
      {"SiteUnknown", "/v1/tasks", site("something"), no},
      {"SiteSecondIsCross",
       "/v1/tasks",
       {{"Host", "127.0.0.1:8766"}, {"Sec-Fetch-Site", "none"}, {"sec-fetch-site", "cross-site"}},
       no},
      {"ActingGetFromAProgram", "/json/new", host("127.0.0.1:8766")},
      {"ActingPut", "/json/new", site("same-origin"), {}, "PUT"},
      {"ListIsNoActingGet", "/json/list", site("none")},
      {"NameThatBeginsLikeAnActingGet", "/json/newest", site("none")},
  };
  for (std::string const path : {"/json/new", "/json/close/17", "/json/activate/17", "/browsers/work/json/new",
                                 "/browsers/work/json/close/17"}) {
    auto name = path;
    for (auto& c : name) c = c == '/' ? '_' : c;
    for (std::string const value : {"none", "same-origin", "cross-site"}) {
      cases.push_back({"ActingGet" + name + "_" + value.substr(0, 4), path, site(value), no});
    }
    cases.push_back({"ActingHead" + name, path, site("none"), no, "HEAD"});
  }
  return cases;
}

std::vector<Case> token_cases() {
  auto const no = ErrorName::UnauthorizedError;
  auto const bare = host("127.0.0.1:8766");
  return {
      {"TokenMissing", "/v1/tasks", bare, no, "GET", "secret"},
      {"TokenMissingOnRpc", "/v1/rpc", bare, no, "GET", "secret"},
      {"TokenMissingOnEvents", "/events", bare, no, "GET", "secret"},
      {"TokenMissingOnMetrics", "/metrics", bare, no, "GET", "secret"},
      {"TokenMissingOnAnUnknownPath", "/nothing", bare, no, "GET", "secret"},
      {"TokenRight", "/v1/tasks", with("Authorization", "Bearer secret"), {}, "GET", "secret"},
      {"TokenRightWithASmallLetter", "/v1/tasks", with("authorization", "bearer secret"), {}, "GET", "secret"},
      {"TokenWrong", "/v1/tasks", with("Authorization", "Bearer secreT"), no, "GET", "secret"},
      {"TokenTooShort", "/v1/tasks", with("Authorization", "Bearer secre"), no, "GET", "secret"},
      {"TokenTooLong", "/v1/tasks", with("Authorization", "Bearer secrets"), no, "GET", "secret"},
      {"TokenEmpty", "/v1/tasks", with("Authorization", "Bearer "), no, "GET", "secret"},
      {"TokenAsBasic", "/v1/tasks", with("Authorization", "Basic secret"), no, "GET", "secret"},
      {"TokenInTheQuery", "/v1/rpc", bare, {}, "GET", "secret", {{"token", "secret"}}},
      {"TokenWrongInTheQuery", "/v1/rpc", bare, no, "GET", "secret", {{"token", "wrong"}}},
      {"TokenTwiceInTheQuery", "/v1/rpc", bare, no, "GET", "secret", {{"token", "wrong"}, {"token", "secret"}}},
      {"TokenRightInTheHeaderWrongInTheQuery",
       "/v1/tasks",
       with("Authorization", "Bearer secret"),
       no,
       "GET",
       "secret",
       {{"token", "wrong"}}},
      {"TokenNotNeededForHealth", "/health", bare, {}, "GET", "secret"},
      {"TokenNotNeededForTheLink", "/extension", bare, {}, "GET", "secret"},
      {"TokenDoesNotOpenForAWebPage",
       "/v1/tasks",
       {{"Host", "127.0.0.1:8766"}, {"Origin", "https://evil.example"}, {"Authorization", "Bearer secret"}},
       ErrorName::ForbiddenError,
       "GET",
       "secret"},
      {"NoTokenDemanded", "/v1/tasks", with("Authorization", "Bearer whatever"), {}},
  };
}

std::string name_of(testing::TestParamInfo<Case> const& info) {
  auto name = info.param.name;
  for (auto& c : name) c = std::isalnum(static_cast<unsigned char>(c)) || c == '_' ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Host, Door, testing::ValuesIn(host_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Origin, Door, testing::ValuesIn(origin_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(FetchSite, Door, testing::ValuesIn(fetch_site_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Token, Door, testing::ValuesIn(token_cases()), name_of);

TEST(DoorUser, OnlyTheDaemonsOwnUserIsServed) {
  auto const of = [](unsigned uid) { return net::Peer{"127.0.0.1", 40000, "127.0.0.1", 8766, uid}; };
  EXPECT_TRUE(check_user(of(1000), 1000).has_value());
  EXPECT_EQ(check_user(of(1001), 1000).error().name, ErrorName::ForbiddenError);
  EXPECT_EQ(check_user(of(0), 1000).error().name, ErrorName::ForbiddenError);
  EXPECT_EQ(check_user(of(65534), 0).error().name, ErrorName::ForbiddenError);
}

TEST(DoorUser, WhoeverCannotBeToldIsRefused) {
  auto const checked = check_user({}, 1000);
  ASSERT_TRUE(checked.has_error());
  EXPECT_EQ(checked.error().name, ErrorName::ForbiddenError);
}

TEST(DoorExtension, ThePinnedIdIsThatOfTheManifestsKey) {
  auto const* manifest = embedded_file("extension", "manifest.json");
  ASSERT_NE(manifest, nullptr);
  auto const key = std::string(boost::json::parse(manifest->bytes).at("key").as_string());
  std::string bytes(key.size(), '\0');
  auto const length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<unsigned char const*>(key.data()), static_cast<int>(key.size()));
  ASSERT_GT(length, 0);
  auto const padding = key.ends_with("==") ? 2U : key.ends_with("=") ? 1U : 0U;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  std::string id;
  for (char const hex : sha256_hex(bytes).substr(0, 32))
    id += static_cast<char>('a' + (hex <= '9' ? hex - '0' : hex - 'a' + 10));
  EXPECT_EQ(id, extension_id);
}

}  // namespace
}  // namespace any::api
