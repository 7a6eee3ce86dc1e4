// The addresses of a Chrome with a debugging port.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "api/cdp_paths.hpp"

namespace any::api {
namespace {

using Kind = CdpDoor::Kind;

net::Head head(std::string target, bool upgrade = false) {
  net::Head out{.method = "GET", .target = target, .upgrade = upgrade};
  auto const query = target.find('?');
  out.path = target.substr(0, query);
  auto rest = query == std::string::npos ? std::string() : target.substr(query + 1);
  while (!rest.empty()) {
    auto const end = std::min(rest.find('&'), rest.size());
    auto const part = rest.substr(0, end);
    auto const equals = std::min(part.find('='), part.size());
    out.query.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
    rest.erase(0, end + 1);
  }
  return out;
}

std::optional<Kind> kind(std::string target, bool upgrade = false) {
  auto const door = find_cdp_door(head(std::move(target), upgrade));
  return door ? std::optional(door->kind) : std::nullopt;
}

TEST(CdpPaths, EachCommandOfChromeHasItsDoorWithAndWithoutASlash) {
  for (std::string const end : {"", "/", "?x=1"}) {
    EXPECT_EQ(kind("/json" + end), Kind::list);
    EXPECT_EQ(kind("/json/list" + end), Kind::list);
    EXPECT_EQ(kind("/json/version" + end), Kind::version);
    EXPECT_EQ(kind("/json/protocol" + end), Kind::protocol);
    EXPECT_EQ(kind("/json/new" + end), Kind::create);
  }
  auto const closing = find_cdp_door(head("/json/close/AB/"));
  ASSERT_TRUE(closing);
  EXPECT_EQ(closing->kind, Kind::close);
  EXPECT_EQ(closing->id, "AB/") << "Chrome takes what follows for the id, slash and all";
  EXPECT_EQ(find_cdp_door(head("/json/activate/AB"))->id, "AB");
}

TEST(CdpPaths, ABrowserIsNamedByPathByQueryOrByTheIdOfItsSocket) {
  EXPECT_EQ(find_cdp_door(head("/browsers/work/json/list"))->browser, "work");
  EXPECT_EQ(find_cdp_door(head("/json/list?browser=work"))->browser, "work");
  EXPECT_EQ(find_cdp_door(head("/devtools/browser/B1", true))->browser, "B1");
  EXPECT_EQ(find_cdp_door(head("/browsers/work/devtools/browser/B1", true))->browser, "work");
  EXPECT_EQ(find_cdp_door(head("/browsers/work", true))->browser, "work");
  EXPECT_EQ(find_cdp_door(head("/json/list"))->browser, "");
}

TEST(CdpPaths, AnUpgradeOnABarePathOpensABrowsersSocket) {
  for (auto const* path : {"/", "/cdp", "/devtools/browser", "/devtools/browser/", "/browsers/work/"}) {
    EXPECT_EQ(kind(path, true), Kind::browser) << path;
  }
  auto const page = find_cdp_door(head("/devtools/page/T1", true));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->kind, Kind::page);
  EXPECT_EQ(page->id, "T1");
}

TEST(CdpPaths, OtherDoorsKeepTheirPaths) {
  for (auto const* path : {"/", "/cdp", "/health", "/v1/tasks", "/browsers/work", "/jsonx", "/devtools"}) {
    EXPECT_FALSE(kind(path)) << path;
  }
  for (auto const* path : {"/v1/rpc", "/v1", "/extension", "/events", "/health", "/metrics", "/mcp", "/a/b",
                           "/browsers", "/browsers/", "/devtools/x"}) {
    EXPECT_FALSE(kind(path, true)) << path;
  }
}

TEST(CdpPaths, TheAddressOfANewTabIsReadAsChromeReadsIt) {
  auto const url = [](std::string query) { return new_target_url(head("/json/new" + query)); };
  EXPECT_EQ(url("?http://x.example/a?b=1"), "http://x.example/a?b=1");
  EXPECT_EQ(url("?http%3A%2F%2Fx.example%2F%3Fa%3D1%26b"), "http://x.example/?a=1&b");
  EXPECT_EQ(url("?http://x.example/?a=1&b=2"), "http://x.example/?a=1");
  EXPECT_EQ(url("?http://x.example/a+b"), "http://x.example/a+b");
  EXPECT_EQ(url("?token=abc&http://x.example/"), "http://x.example/");
  for (auto const* nothing : {"", "?", "?notaurl", "?url=http://x.example/", "?for_tab", "?:x"}) {
    EXPECT_EQ(url(nothing), "about:blank") << nothing;
  }
}

TEST(CdpPaths, OptionsAreReadStrictlyAndCarriedOn) {
  auto const entry = read_cdp_entry(head("/?context=default&clear=profile"));
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->group_contexts);
  EXPECT_TRUE(entry->clear_profile);
  auto const plain = read_cdp_entry(head("/"));
  EXPECT_FALSE(plain->group_contexts || plain->clear_profile);
  for (auto const* wrong : {"/?context=none", "/?clear=", "/?clear=all"}) {
    auto const refused = read_cdp_entry(head(wrong));
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().name, ErrorName::BadRequestError);
  }
  EXPECT_EQ(carried_query(head("/json/version?browser=x&token=a/b&context=default")), "?context=default&token=a%2Fb");
  EXPECT_EQ(carried_query(head("/json/version?x=1")), "");
}

TEST(CdpPaths, AnswersAreLaidOutAsChromeLaysThemOutAndAreJson) {
  CdpRow const row{{"id", "T1"}, {"title", "a \"b\"\n<c>"}};
  EXPECT_EQ(cdp_object({{"id", "T1"}, {"url", "x"}}), "{\n   \"id\": \"T1\",\n   \"url\": \"x\"\n}");
  EXPECT_EQ(boost::json::parse(cdp_list({row, row})).as_array().size(), 2U);
  EXPECT_EQ(boost::json::parse(cdp_list({row})).as_array().at(0).at("title"), "a \"b\"\n<c>");
  EXPECT_TRUE(boost::json::parse(cdp_list({})).as_array().empty());
}

}  // namespace
}  // namespace any::api
