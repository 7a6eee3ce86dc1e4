#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>

#include "cli/checks.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace {

namespace json = boost::json;

Environment with(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](std::string const& name) -> std::optional<std::string> {
    auto const found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Verdict proxy(std::string const& no_proxy, std::string const& host = "127.0.0.1") {
  auto const found = check_proxy(with({{"http_proxy", "http://p:1"}, {"no_proxy", no_proxy}}), host);
  return found.size() == 1 ? found[0].verdict : Verdict::problem;
}

TEST(Doctor, AProxyIsANoteUnlessNoProxySparesTheDaemonsHost) {
  EXPECT_TRUE(check_proxy(with({}), "127.0.0.1").empty());
  EXPECT_TRUE(check_proxy(with({{"http_proxy", ""}}), "127.0.0.1").empty());
  for (char const* list : {"127.0.0.1", "*", "a, 127.0.0.1 ,b", "127.0.0.0/8"})
    EXPECT_EQ(proxy(list), Verdict::ok) << list;
  for (char const* list : {"", "localhost", "127.0.0.10", "example.com"}) EXPECT_EQ(proxy(list), Verdict::note) << list;
  EXPECT_EQ(proxy("localhost", "localhost"), Verdict::ok);
  EXPECT_EQ(proxy("::1", "::1"), Verdict::ok);
}

TEST(Doctor, VersionsAreComparedNumberByNumber) {
  EXPECT_TRUE(check_versions("0.10.0", "0.10.0").empty());
  ASSERT_EQ(check_versions("0.10.0", "0.9.3").size(), 1U);
  EXPECT_NE(check_versions("0.10.0", "0.9.3")[0].text.find("newer than the daemon"), std::string::npos);
  EXPECT_NE(check_versions("0.9.3", "0.10.0")[0].text.find("older than the daemon"), std::string::npos);
}

TEST(Doctor, TheExitCodeIsThatOfTheFirstProblem) {
  EXPECT_EQ(exit_code(Findings{{"browser.extension", Verdict::note, "", ""}}), exit_ok);
  EXPECT_EQ(exit_code(Findings{{"browser.gone", Verdict::problem, "", ""}, {"localhost", Verdict::problem, "", ""}}),
            exit_no_browser);
  EXPECT_EQ(exit_code(Findings{{"daemon.port", Verdict::problem, "", ""}}), exit_no_daemon);
}

TEST(Doctor, OfBrowsersThatAreGoneTheLastOneIsNamedAndNoneWhereOneIsLinked) {
  auto const gone = json::parse(R"([
    {"label":"a","linked":false,"last_seen":"2026-01-01T00:00:00.000Z"},
    {"label":"b","linked":false,"last_seen":"2026-01-02T00:00:00.000Z"}])");
  auto const found = check_browsers(gone.as_array(), "0.1.0");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].check, "browser.gone");
  EXPECT_NE(found[0].text.find("\"b\" is gone since 2026-01-02T00:00:00.000Z"), std::string::npos);
  auto all = gone.as_array();
  all.push_back(json::parse(R"({"label":"c","linked":true,"extension":"0.1.0","since":"2026-01-03T00:00:00.000Z",
    "capabilities":{"user_scripts":true,"incognito":true,"file_urls":true},"ordinary_tabs":2})"));
  auto const one = check_browsers(all, "0.1.0");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].check, "browser.linked");
}

TEST(Doctor, AProxyOfABrowserThatIsGoneIsNamedAsTheLikelyCause) {
  auto const gone =
      json::parse(R"([{"label":"a","linked":false,"last_seen":"2026-01-01T00:00:00.000Z","proxy":"http://p:1"}])");
  auto const found = check_browsers(gone.as_array(), "0.1.0");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].check, "browser.proxy");
  EXPECT_NE(found[1].text.find("http://p:1"), std::string::npos);
  EXPECT_NE(found[1].text.find("2026-01-01T00:00:00.000Z"), std::string::npos);
}

TEST(Terminal, EachErrorHasTheExitCodeOfItsKind) {
  EXPECT_EQ(exit_code(ErrorName::ScriptError), exit_script);
  EXPECT_EQ(exit_code(ErrorName::NotSerializableError), exit_script);
  EXPECT_EQ(exit_code(ErrorName::BadRequestError), exit_usage);
  EXPECT_EQ(exit_code(ErrorName::PausedError), exit_no_browser);
  EXPECT_EQ(exit_code(ErrorName::TimeoutError), exit_timeout);
  EXPECT_EQ(exit_code(ErrorName::TabClosedError), exit_infrastructure);
  EXPECT_EQ(exit_code(ErrorName::CancelledError), exit_cancelled);
  EXPECT_EQ(exit_code(ErrorName::DiskFullError), exit_refused);
}

TEST(Terminal, ControlCharactersOfAPageAreWrittenOut) {
  EXPECT_EQ(harmless("a\x1b[31mb\tc\nd\x7f"), "a\\x1b[31mb\tc\nd\\x7f");
}

TEST(Terminal, TheSecondSetOfControlCharactersIsWrittenOutToo) {
  EXPECT_EQ(harmless("a\xc2\x9b"
                     "31mb\xc2\x80\xc2\x9f"),
            "a\\x9b31mb\\x80\\x9f");
  EXPECT_EQ(harmless("\xc2\xa0 \xc3\x9f \xe2\x80\x9b \xf0\x9f\x98\x80"),
            "\xc2\xa0 \xc3\x9f \xe2\x80\x9b \xf0\x9f\x98\x80")
      << "bytes that belong to other characters stay";
  EXPECT_EQ(harmless("a\x9b"
                     "b \xc3\x9f\x9b \xc3"),
            "a\\x9bb \xc3\x9f\\x9b \xc3")
      << "alone, such a byte is a control character to some terminals";
}

TEST(Terminal, WhereALineIsAllTheRoomNoTextBeginsAnother) {
  EXPECT_EQ(harmless_line("a\nb\tc\r\x1b"), "a\\nb\\tc\\x0d\\x1b");
  EXPECT_EQ(harmless_block("a\nb\n\nc", 3), "a\n   b\n   \n   c");
}

TEST(Terminal, ACellOfATableIsOneLineAndAsWideAsItIsWritten) {
  testing::internal::CaptureStdout();
  print_table({{"ID", "STATE"}, {"a\nforged", "x"}, {"b", "y\xc2\x9b"}});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "ID         STATE\na\\nforged  x\nb          y\\x9b\n");
}

TEST(Terminal, AnIsoTimeIsReadToTheMillisecond) {
  EXPECT_EQ(parse_iso("1970-01-02T00:00:01.250Z"), 86'401'250);
  EXPECT_EQ(parse_iso("yesterday"), 0);
  EXPECT_EQ(age(""), "never");
}

}  // namespace
}  // namespace any::cli
