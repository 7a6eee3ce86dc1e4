// Downloads: what a page tells, joined with what chrome.downloads tells.

#include <gmock/gmock.h>

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DownloadsOfPages : public Stage {
 protected:
  void SetUp() override {
    attach_answers();
    join(1);
    session = attach_all(1).at(std::string(page_1));
    transport.always("Runtime.evaluate", "{}");
    say(1, 1, "Runtime.evaluate", R"({"expression":"1"})", session);  // attaches
    told();
  }
  void want(ClientId client, std::string_view behavior, std::string_view path = "/art", bool events = true) {
    say(client, 2, "Browser.setDownloadBehavior",
        R"({"behavior":")" + std::string(behavior) + R"(","downloadPath":")" + std::string(path) +
            R"(","eventsEnabled":)" + (events ? "true" : "false") + "}");
    told(client);
  }
  void begins(std::string_view guid = "g1", std::string_view url = "http://a.example/f") {
    gateway.debugger_event({.tab = 1}, "", "Page.downloadWillBegin",
                           R"({"frameId":"F","guid":")" + std::string(guid) + R"(","url":")" + std::string(url) +
                               R"(","suggestedFilename":"../rep ort.bin"})");
  }
  void progress(std::string_view state, std::string_view guid = "g1") {
    gateway.debugger_event({.tab = 1}, "", "Page.downloadProgress",
                           R"({"guid":")" + std::string(guid) + R"(","totalBytes":5,"receivedBytes":5,"state":")" +
                               std::string(state) + "\"}");
  }
  void item(int id = 7, std::string_view url = "http://a.example/f") {
    gateway.chrome_event("downloads.onCreated", R"([{"id":)" + std::to_string(id) +
                                                    R"(,"url":"http://first.example/","finalUrl":")" +
                                                    std::string(url) + R"(","filename":""}])");
  }
  void found(std::string_view state = "complete", std::string_view file = "/home/p/Downloads/rep ort.bin") {
    if (state == "complete") files.texts[std::string(file)] = "bytes";
    transport.answer("downloads.search", R"([{"id":7,"state":")" + std::string(state) +
                                             R"(","fileSize":5,"filename":")" + std::string(file) + "\"}]");
  }
  /// Where the finished download lies after all that was asked is done.
  std::vector<std::string> places() {
    files.settle();
    std::vector<std::string> all;
    for (auto const& [path, text] : files.texts) all.push_back(path);
    return all;
  }
  /// The last message of the client, whole.
  std::string last(ClientId client = 1) {
    auto const all = sockets.rest(client);
    return all.empty() ? "" : all.back();
  }
  std::string session;
};

TEST_F(DownloadsOfPages, are_told_complete_only_when_the_file_lies_where_the_client_wants_it) {
  want(1, "allowAndName");
  begins();
  EXPECT_EQ(
      last(),
      R"({"method":"Browser.downloadWillBegin","params":{"frameId":"F","guid":"g1","url":"http://a.example/f","suggestedFilename":"../rep ort.bin"}})");
  item();
  progress("inProgress");
  EXPECT_THAT(last(), HasSubstr(R"("state":"inProgress")"));
  progress("completed");
  EXPECT_EQ(last(), "") << "not there yet";
  found();
  EXPECT_EQ(last(), "");
  EXPECT_THAT(places(), ElementsAre("/art/g1"));
  EXPECT_EQ(
      last(),
      R"({"method":"Browser.downloadProgress","params":{"guid":"g1","totalBytes":5,"receivedBytes":5,"state":"completed","filePath":"/art/g1"}})");
}

TEST_F(DownloadsOfPages, keep_their_own_name_with_allow_and_never_leave_the_folder) {
  want(1, "allow", "/down/");
  item();
  begins();
  gateway.chrome_event("downloads.onChanged", R"([{"id":7,"state":{"current":"complete"}}])");
  found();
  EXPECT_THAT(places(), ElementsAre("/down/rep ort.bin"));
  EXPECT_THAT(last(), HasSubstr(R"("filePath":"/down/rep ort.bin")"));
  progress("completed");
  EXPECT_EQ(last(), "") << "said once";
}

TEST_F(DownloadsOfPages, get_a_name_that_a_file_can_have) {
  want(1, "allow", "/down");
  item();
  std::string letters;
  for (int i = 0; i < 100; ++i) letters += "\u540d";
  gateway.debugger_event(
      {.tab = 1}, "", "Page.downloadWillBegin",
      R"({"frameId":"F","guid":"g1","url":"http://a.example/f","suggestedFilename":")" + letters + R"(.txt"})");
  progress("completed");
  found();
  EXPECT_THAT(places(), ElementsAre("/down/" + letters.substr(0, 78 * 3) + ".txt"));
}

TEST_F(DownloadsOfPages, are_saved_without_asking_as_long_as_a_client_wants_them) {
  using Said = std::vector<std::string>;
  want(1, "deny");
  EXPECT_EQ(transport.naming, Said{}) << "what is denied needs no name";
  want(1, "allow");
  want(1, "allowAndName");
  EXPECT_EQ(transport.naming, Said{"regular"});
  transport.link_down(gateway);
  transport.link_up(gateway, {.browser_id = "b"});
  EXPECT_EQ(transport.naming, (Said{"regular", "regular"})) << "the browser forgets it with the link";
  gateway.gone(1);
  EXPECT_EQ(transport.naming, (Said{"regular", "regular", ""}));
}

TEST_F(DownloadsOfPages, that_wait_for_the_person_say_what_for) {
  want(1, "allowAndName");
  say(1, 9, "Log.enable", "{}", session);
  begins();
  item();
  last();
  clock.pass(3'000);
  gateway.tick();
  transport.answer("downloads.search", R"([{"id":7,"state":"in_progress","danger":"safe","filename":""}])");
  EXPECT_THAT(last(), HasSubstr("asks the person where to save"));
  gateway.chrome_event("downloads.onChanged", R"([{"id":7,"danger":{"current":"file"}}])");
  transport.answer("downloads.search", R"([{"id":7,"state":"in_progress","danger":"file","filename":"/d/x"}])");
  EXPECT_THAT(last(), HasSubstr("holds \\\"rep ort.bin\\\" back as dangerous (file)"));
  progress("canceled");
  last();
  transport.answer("downloads.search", R"([{"id":7,"state":"interrupted","error":"USER_CANCELED","filename":""}])");
  EXPECT_THAT(last(), HasSubstr("chrome://settings/downloads"));
}

TEST_F(DownloadsOfPages, that_a_server_ends_have_nothing_to_say_of_the_person) {
  want(1, "allowAndName");
  say(1, 9, "Log.enable", "{}", session);
  begins();
  item();
  progress("canceled");
  last();
  transport.answer("downloads.search", R"([{"id":7,"state":"interrupted","error":"SERVER_FAILED","filename":""}])");
  EXPECT_EQ(last(), "");
}

TEST_F(DownloadsOfPages, stay_where_they_are_by_default) {
  want(1, "default");
  begins();
  item();
  progress("completed");
  found();
  EXPECT_THAT(last(), HasSubstr(R"("filePath":"/home/p/Downloads/rep ort.bin")"));
  EXPECT_THAT(files.asked, IsEmpty());
}

TEST_F(DownloadsOfPages, are_cancelled_where_denied_even_if_they_were_quicker) {
  want(1, "deny");
  begins();
  item();
  EXPECT_EQ(transport.answer("downloads.cancel"), "[7]");
  progress("completed");
  found();
  EXPECT_EQ(transport.answer("downloads.removeFile"), "[7]");
  EXPECT_THAT(last(), HasSubstr(R"("state":"canceled")"));
}

TEST_F(DownloadsOfPages, come_to_each_client_that_asked_for_them) {
  join(2);
  want(1, "allowAndName", "/one");
  want(2, "allowAndName", "/two");
  begins();
  item();
  progress("completed");
  found();
  EXPECT_THAT(places(), ElementsAre("/one/g1", "/two/g1"));
  EXPECT_THAT(last(1), HasSubstr(R"("filePath":"/one/g1")"));
  EXPECT_THAT(last(2), HasSubstr(R"("filePath":"/two/g1")"));
}

TEST_F(DownloadsOfPages, that_cannot_be_moved_do_not_look_complete) {
  want(1, "allowAndName");
  begins();
  item();
  progress("completed");
  say(1, 9, "Log.enable", "{}", session);
  files.full = true;
  found();
  EXPECT_THAT(places(), ElementsAre("/home/p/Downloads/rep ort.bin"));
  auto const heard = sockets.rest(1);
  ASSERT_GE(heard.size(), 2U);
  EXPECT_THAT(heard[heard.size() - 2], HasSubstr(R"("level":"warning","text":"any: )"));
  EXPECT_THAT(heard.back(), HasSubstr(R"("state":"canceled")"));
}

TEST_F(DownloadsOfPages, of_two_with_one_url_each_gets_its_own_file) {
  want(1, "allowAndName");
  begins("g1");
  begins("g2");
  item(7);
  item(8);
  progress("completed", "g2");
  EXPECT_EQ(transport.answer("downloads.search", "[]"), R"([{"id":8}])");
}

TEST_F(DownloadsOfPages, are_cancelled_on_demand) {
  want(1, "allowAndName");
  begins();
  item();
  told();
  say(1, 3, "Browser.cancelDownload", R"({"guid":"g1"})");
  EXPECT_EQ(transport.answer("downloads.cancel"), "[7]");
  EXPECT_EQ(told(), std::vector<std::string>{"id 3: {}"});
  progress("canceled");
  EXPECT_THAT(last(), HasSubstr(R"("state":"canceled")"));
  say(1, 4, "Browser.cancelDownload", R"({"guid":"g1"})");
  EXPECT_EQ(told(), std::vector<std::string>{"id 4: error No download item found for the given GUID"});
}

TEST_F(DownloadsOfPages, may_be_several_from_the_site_that_a_client_drives) {
  want(1, "allowAndName");
  begins();
  EXPECT_EQ(transport.answer("contentSettings.automaticDownloads.set"),
            R"([{"primaryPattern":"http://a.example/*","setting":"allow","scope":"regular"}])");
  begins("g2");
  EXPECT_FALSE(transport.waits("contentSettings.automaticDownloads.set")) << "once a site";
  gateway.gone(1);
  EXPECT_EQ(transport.answer("contentSettings.automaticDownloads.clear"), R"([{"scope":"regular"}])");
}

TEST_F(DownloadsOfPages, that_ended_while_the_link_was_down_are_told_when_it_is_back) {
  want(1, "allowAndName");
  begins();
  item();
  told();
  transport.link_down(gateway);
  transport.link_up(gateway, {.browser_id = "b"});
  transport.settle();
  found();
  EXPECT_THAT(places(), ElementsAre("/art/g1"));
  EXPECT_THAT(last(), HasSubstr(R"("state":"completed")"));
}

TEST_F(DownloadsOfPages, that_chrome_never_tells_of_end_as_cancelled) {
  want(1, "allowAndName");
  begins();
  progress("completed");
  last();
  clock.pass(1'000);
  gateway.tick();
  EXPECT_THAT(last(), HasSubstr(R"("state":"canceled")"));
}

TEST_F(DownloadsOfPages, are_told_only_to_sessions_that_asked_for_events) {
  want(1, "allowAndName", "/art", false);
  begins();
  EXPECT_EQ(last(), "");
  EXPECT_EQ(sockets.closed.size(), 0U);
}

TEST_F(DownloadsOfPages, are_told_by_pages_that_no_client_has_told_to_tell) {
  auto const calls = [this](std::string_view call) {
    return std::count(transport.all.begin(), transport.all.end(), call);
  };
  join(2);
  EXPECT_EQ(calls("Page.enable {}"), 0);
  want(2, "allowAndName");
  EXPECT_EQ(calls("Page.enable {}"), 1);
  begins();
  EXPECT_THAT(last(2), HasSubstr("Browser.downloadWillBegin"));
  EXPECT_EQ(last(1), "") << "it has enabled nothing";
  say(1, 7, "Page.enable", "{}", session);
  say(1, 8, "Page.disable", "{}", session);
  EXPECT_EQ(told(), (std::vector<std::string>{"id 7: {}", "id 8: {}"}));
  EXPECT_EQ(calls("Page.disable {}"), 0) << "the other client wants to hear";
  gateway.debugger_event({.tab = 1}, "", "Inspector.detached", R"({"reason":"target_closed"})");
  auto const before = calls("Page.enable {}");
  say(1, 9, "Runtime.evaluate", R"({"expression":"1"})", session);
  EXPECT_EQ(calls("Page.enable {}"), before + 1) << "an attachment anew";
  gateway.gone(2);
  EXPECT_EQ(calls("Page.disable {}"), 1);
}

TEST_F(DownloadsOfPages, are_still_heard_by_a_page_when_those_that_want_them_go) {
  say(1, 7, "Page.enable", "{}", session);
  want(1, "allow");
  want(1, "default", "", false);
  EXPECT_EQ(std::count(transport.all.begin(), transport.all.end(), "Page.disable {}"), 0) << "the client's own";
  begins();
  EXPECT_EQ(told(), std::vector<std::string>{"Page.downloadWillBegin"});
}

TEST_F(DownloadsOfPages, need_a_path_to_be_allowed) {
  say(1, 5, "Page.setDownloadBehavior", R"({"behavior":"allow"})", session);
  EXPECT_EQ(told(), std::vector<std::string>{"id 5: error downloadPath not provided"});
  say(1, 6, "Browser.setDownloadBehavior", R"({"behavior":"deny","browserContextId":"x"})");
  EXPECT_EQ(told(), std::vector<std::string>{"id 6: error Failed to find browser context for id x"});
}

}  // namespace any::cdp::test
