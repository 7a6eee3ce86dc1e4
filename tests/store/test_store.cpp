// What every store does.

#include <gmock/gmock.h>

#include "store/memory_store.hpp"
#include "store/tasks.hpp"

namespace any::store {
namespace {
using namespace store_test;
using testing::ElementsAre;
using testing::IsEmpty;

class AnyStore : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      store_ = std::make_unique<MemoryStore>();
    } else {
      store_ = open_sqlite({.folder = folder_.state(), .vfs = {}, .inline_limit = 100, .checkpoint_pages = 50});
    }
  }
  Store& store() { return *store_; }
  void apply(std::vector<task::Write> const& writes) { must(store_->apply(writes, false)); }
  std::vector<std::string> listed(ListQuery const& query = {}) { return ids(store_->list(query).value()); }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TEST_SUITE_P(Each, AnyStore, testing::Values("memory", "sqlite"),
                         [](auto const& info) { return info.param; });

TEST_P(AnyStore, GivesBackATaskAsItWasWritten) {
  auto record = queued("a", 5, "return args.n");
  record.request.args = R"({"n":1})";
  record.request.labels = {{"k", "v"}};
  record.request.browser = "work";
  record.request.priority = -3;
  record.request.timeout = std::nullopt;
  record.request.tab = {.kind = task::TabSpec::Kind::open, .url = "https://a.example/"};
  apply({task::InsertTask{record}});
  auto const stored = store().get("a").value();
  EXPECT_EQ(stored.record.request.script, "return args.n");
  EXPECT_EQ(stored.record.request.args, R"({"n":1})");
  EXPECT_EQ(stored.record.request.labels, record.request.labels);
  EXPECT_EQ(stored.record.request.browser, "work");
  EXPECT_EQ(stored.record.request.priority, -3);
  EXPECT_EQ(stored.record.request.timeout, std::nullopt);
  EXPECT_EQ(stored.record.request.tab.url, "https://a.example/");
  EXPECT_EQ(stored.record.created, 5);
  EXPECT_FALSE(stored.result);
}

TEST_P(AnyStore, KeepsScriptAndArgsWhenTheTaskIsWrittenAgainWithoutThem) {
  auto record = queued("a");
  record.request.args = "[1]";
  apply({task::InsertTask{record}});
  auto again = later("a", task::State::running);
  again.browser = "b1";
  apply({task::UpdateTask{again}});
  auto const stored = store().get("a").value();
  EXPECT_EQ(stored.record.request.script, "return 1");
  EXPECT_EQ(stored.record.request.args, "[1]");
  EXPECT_EQ(stored.record.state, task::State::running);
  EXPECT_EQ(stored.record.browser, "b1");
}

TEST_P(AnyStore, KeepsResultAndScreenshotOfAnEndedTask) {
  apply({task::InsertTask{queued("a")}});
  auto end = finish("a", R"({"x":[1,2]})");
  end.screenshot = std::string("\x89PNG\0\n", 6);
  end.record.has_screenshot = true;
  apply({end});
  auto const stored = store().get("a").value();
  EXPECT_EQ(stored.record.state, task::State::completed);
  EXPECT_EQ(stored.result, R"({"x":[1,2]})");
  EXPECT_TRUE(stored.record.has_screenshot);
  EXPECT_EQ(store().screenshot("a").value(), end.screenshot);
}

TEST_P(AnyStore, TellsAnUndefinedResultFromNull) {
  apply({task::InsertTask{queued("a")}, task::InsertTask{queued("b")}, finish("a", std::nullopt), finish("b", "null")});
  EXPECT_FALSE(store().get("a").value().result);
  EXPECT_EQ(store().get("b").value().result, "null");
}

TEST_P(AnyStore, GivesBackValuesOfAnySize) {
  for (std::size_t const size : {0U, 1U, 99U, 100U, 101U, 5'000U, 3'000'000U}) {
    auto const id = "size" + std::to_string(size);
    auto record = queued(id, 1000, std::string(size, 's'));
    record.request.args = "\"" + std::string(size, 'a') + "\"";
    auto end = finish(id, "\"" + std::string(size, 'r') + "\"");
    end.screenshot = std::string(size, '\0');
    apply({task::InsertTask{record}});
    apply({end});
    auto const stored = store().get(id).value();
    EXPECT_EQ(stored.record.request.script, record.request.script);
    EXPECT_EQ(stored.record.request.args, record.request.args);
    EXPECT_EQ(stored.result, end.result);
    if (size > 0) {
      EXPECT_EQ(store().screenshot(id).value(), end.screenshot);
    }
  }
}

TEST_P(AnyStore, SaysNotFoundForWhatIsNotThere) {
  EXPECT_EQ(store().get("no").error().name, ErrorName::NotFoundError);
  EXPECT_EQ(store().events("no", 0).error().name, ErrorName::NotFoundError);
  EXPECT_EQ(store().screenshot("no").error().name, ErrorName::NotFoundError);
  apply({task::InsertTask{queued("a")}});
  EXPECT_EQ(store().screenshot("a").error().name, ErrorName::NotFoundError);
  EXPECT_EQ(store().list({.before = "no"}).error().name, ErrorName::NotFoundError);
}

TEST_P(AnyStore, RefusesASecondTaskOfOneIdAndKeepsTheFirst) {
  apply({task::InsertTask{queued("a", 1, "first")}});
  auto const done = store().apply({task::InsertTask{queued("b")}, task::InsertTask{queued("a", 1, "second")}}, true);
  ASSERT_TRUE(done.has_error());
  EXPECT_EQ(done.error().name, ErrorName::ConflictError);
  EXPECT_EQ(store().get("a").value().record.request.script, "first");
  EXPECT_EQ(store().get("b").error().name, ErrorName::NotFoundError);
}

TEST_P(AnyStore, LeavesNothingOfABatchThatIsWrongSomewhere) {
  apply({task::InsertTask{queued("a")}});
  for (task::Write const& wrong : std::vector<task::Write>{task::UpdateTask{later("no", task::State::running)},
                                                           finish("no", "1"), event("no", 1)}) {
    auto const done = store().apply({finish("a", std::string(500, '1')), event("a", 1), wrong}, true);
    ASSERT_TRUE(done.has_error());
    EXPECT_EQ(done.error().name, ErrorName::NotFoundError);
  }
  EXPECT_EQ(store().get("a").value().record.state, task::State::queued);
  EXPECT_FALSE(store().get("a").value().result);
  EXPECT_THAT(store().events("a", 0).value(), IsEmpty());
  EXPECT_EQ(store().totals().value().completed, 0U);
}

TEST_P(AnyStore, CountsTheFirstEndAlone) {
  apply({task::InsertTask{queued("a")}, finish("a", "1")});
  auto second = finish("a", "2");
  second.record.state = task::State::failed;
  apply({second});
  apply({task::UpdateTask{later("a", task::State::running)}});
  auto const stored = store().get("a").value();
  EXPECT_EQ(stored.record.state, task::State::completed);
  EXPECT_EQ(stored.result, "1");
  EXPECT_EQ(store().totals().value().completed, 1U);
  EXPECT_EQ(store().totals().value().failed, 0U);
}

TEST_P(AnyStore, KeepsEventsInOrderEachOnce) {
  apply({task::InsertTask{queued("a")}, task::InsertTask{queued("b")}});
  apply({event("a", 1, "queued", "{}"), event("a", 3, "console", R"({"text":"c"})"), event("b", 1), event("a", 2)});
  apply({event("a", 2, "again", "{}"), event("a", 4)});
  auto const events = store().events("a", 1).value();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].seq, 2U);
  EXPECT_EQ(events[0].kind, "progress");
  EXPECT_EQ(events[1].data, R"({"text":"c"})");
  EXPECT_EQ(events[1].time, 1000);
  EXPECT_EQ(events[2].seq, 4U);
  EXPECT_EQ(store().events("a", 0).value().size(), 4U);
  EXPECT_THAT(store().events("a", 4).value(), IsEmpty());
  EXPECT_THAT(store().events("a", std::numeric_limits<std::uint64_t>::max()).value(), IsEmpty());
}

TEST_P(AnyStore, FoldsWhatOnlyTheEventsSayIntoTheRecord) {
  apply({task::InsertTask{queued("a")}, event("a", 1, "progress", R"({"value":{"done":7}})"),
         event("a", 2, "console", R"({"level":"log","text":"hello","line":3,"column":1})")});
  auto const live = store().load_live().value();
  ASSERT_EQ(live.size(), 1U);
  for (auto const& record : {live[0], store().get("a").value().record}) {
    EXPECT_EQ(record.progress, R"({"done":7})");
    ASSERT_EQ(record.console.size(), 1U);
    EXPECT_EQ(record.console[0].text, "hello");
    EXPECT_EQ(record.last_seq, 2U);
  }
}

TEST_P(AnyStore, LoadsTheTasksThatHaveNotEndedOldestFirst) {
  apply({task::InsertTask{queued("new", 30, "3")}, task::InsertTask{queued("old", 10, "1")},
         task::InsertTask{queued("mid", 20, "2")}, task::InsertTask{queued("done", 5)}});
  apply({task::UpdateTask{later("new", task::State::running, 30)},
         task::UpdateTask{later("mid", task::State::dispatched, 20)}, finish("done", "1", 5)});
  auto const live = store().load_live().value();
  EXPECT_THAT(ids(live), ElementsAre("old", "mid", "new"));
  EXPECT_EQ(live[0].request.script, "1");
  EXPECT_EQ(live[1].state, task::State::dispatched);
  EXPECT_EQ(live[2].request.script, "3");
}

TEST_P(AnyStore, ListsNewestFirstAndGoesOnBehindTheLastOfAPage) {
  apply({task::InsertTask{queued("a", 10)}, task::InsertTask{queued("c", 20)}, task::InsertTask{queued("b", 20)},
         task::InsertTask{queued("e", 5)}, task::InsertTask{queued("d", 30)}});
  EXPECT_THAT(listed(), ElementsAre("d", "c", "b", "a", "e"));
  EXPECT_THAT(listed({.limit = 2}), ElementsAre("d", "c"));
  EXPECT_THAT(listed({.before = "c", .limit = 2}), ElementsAre("b", "a"));
  EXPECT_THAT(listed({.before = "e"}), IsEmpty());
}

TEST_P(AnyStore, ListsWithoutScriptArgsAndConsole) {
  auto record = queued("a", 1, "return 1");
  record.request.args = "[1]";
  record.console = {{.time = 1, .level = "log", .text = "x"}};
  apply({task::InsertTask{record}});
  auto const listed = store().list({}).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].request.script, "");
  EXPECT_EQ(listed[0].request.args, "null");
  EXPECT_THAT(listed[0].console, IsEmpty());
  EXPECT_EQ(store().get("a").value().record.console.size(), 1U);
}

TEST_P(AnyStore, ListsByStateBrowserAndLabelsTogether) {
  int n = 0;
  for (auto const state : {task::State::queued, task::State::completed, task::State::failed}) {
    for (std::string const browser : {"x", "y"}) {
      for (std::string const shop : {"s1", "s2"}) {
        auto record = queued("t" + std::to_string(100 + n), 1000 + n);
        record.request.labels = {{"shop", shop}, {"all", "yes"}};
        apply({task::InsertTask{record}});
        auto next = later(record.request.id, state, 1000 + n);
        next.request.labels = record.request.labels;
        next.browser = browser;
        apply({task::UpdateTask{next}});
        ++n;
      }
    }
  }
  using Labels = std::map<std::string, std::string>;
  EXPECT_THAT(listed({.state = task::State::failed}), ElementsAre("t111", "t110", "t109", "t108"));
  EXPECT_THAT(listed({.browser = "y"}), ElementsAre("t111", "t110", "t107", "t106", "t103", "t102"));
  EXPECT_THAT(listed({.labels = Labels{{"shop", "s1"}}, .limit = 3}), ElementsAre("t110", "t108", "t106"));
  EXPECT_THAT(listed({.state = task::State::completed, .browser = "x"}), ElementsAre("t105", "t104"));
  EXPECT_THAT(listed({.state = task::State::completed, .labels = Labels{{"all", "yes"}, {"shop", "s2"}}}),
              ElementsAre("t107", "t105"));
  EXPECT_THAT(listed({.labels = Labels{{"all", "yes"}, {"shop", "s2"}}, .browser = "x", .before = "t109"}),
              ElementsAre("t105", "t101"));
  EXPECT_THAT(listed({.labels = Labels{{"all", "no"}}}), IsEmpty());
  EXPECT_THAT(listed({.browser = ""}), IsEmpty());
}

TEST_P(AnyStore, CountsTheEnds) {
  for (int i = 0; i < 6; ++i) apply({task::InsertTask{queued("t" + std::to_string(i))}});
  apply({finish("t0", "1"), finish("t1", "1"), finish("t2", "1")});
  apply({task::FinishTask{.record = later("t3", task::State::failed), .result = {}, .screenshot = {}},
         task::FinishTask{.record = later("t4", task::State::cancelled), .result = {}, .screenshot = {}}});
  auto const totals = store().totals().value();
  EXPECT_EQ(totals.completed, 3U);
  EXPECT_EQ(totals.failed, 1U);
  EXPECT_EQ(totals.cancelled, 1U);
}

TEST_P(AnyStore, PrunesWhatEndedBeforeATimeAndNothingThatLives) {
  for (int i = 0; i < 300; ++i) {
    auto const id = "t" + std::to_string(i);
    auto record = queued(id, i);
    record.request.labels = {{"k", "v"}};
    auto end = finish(id, std::string(200, '1'), i, 1000 + i);
    end.record.request.labels = record.request.labels;
    apply({task::InsertTask{record}, event(id, 1), end});
  }
  apply({task::InsertTask{queued("alive", 0)}});
  constexpr auto any_bytes = std::numeric_limits<std::uint64_t>::max();
  while (store().prune(1200, any_bytes).value()) {
  }
  EXPECT_EQ(store().get("t199").error().name, ErrorName::NotFoundError);
  EXPECT_EQ(store().events("t199", 0).error().name, ErrorName::NotFoundError);
  EXPECT_TRUE(store().get("t200"));
  EXPECT_TRUE(store().get("alive"));
  EXPECT_EQ(listed({.limit = 1000}).size(), 101U);
  EXPECT_EQ(listed({.labels = {{"k", "v"}}, .limit = 1000}).size(), 100U);
  EXPECT_EQ(store().totals().value().completed, 300U);
  apply({task::InsertTask{queued("t5", 7)}});
  EXPECT_EQ(store().get("t5").value().record.created, 7);
  EXPECT_THAT(store().events("t5", 0).value(), IsEmpty());
}

TEST_P(AnyStore, PrunesTheOldestEndedUntilTheyFitAndNoMore) {
  for (int i = 0; i < 300; ++i) {
    auto const id = "t" + std::to_string(i);
    apply({task::InsertTask{queued(id, i)}, finish(id, std::string(20'000, '1'), i, 1000 + i)});
  }
  while (store().prune(0, 3'000'000).value()) {
  }
  EXPECT_EQ(store().get("t0").error().name, ErrorName::NotFoundError);
  EXPECT_TRUE(store().get("t299"));
  auto const left = listed({.limit = 1000}).size();
  EXPECT_GE(left, 70U);
  EXPECT_LE(left, 150U);
  while (store().prune(0, 0).value()) {
  }
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_P(AnyStore, KeepsBrowsersUntilTheyAreForgotten) {
  BrowserRow row{.id = "b1",
                 .label = "work",
                 .key = "k",
                 .product = "Chrome/156",
                 .platform = "linux",
                 .extension = "0.1.0",
                 .first_seen = 1,
                 .last_seen = 2,
                 .label_by_person = true,
                 .proxy = "http://p:1"};
  must(store().put_browser(row));
  must(store().put_browser({.id = "b0"}));
  row.last_seen = 9;
  must(store().put_browser(row));
  auto const rows = store().browsers().value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].id, "b0");
  EXPECT_FALSE(rows[0].label_by_person);
  EXPECT_EQ(rows[1].label, "work");
  EXPECT_EQ(rows[1].key, "k");
  EXPECT_EQ(rows[1].product, "Chrome/156");
  EXPECT_EQ(rows[1].platform, "linux");
  EXPECT_EQ(rows[1].extension, "0.1.0");
  EXPECT_EQ(rows[1].first_seen, 1);
  EXPECT_EQ(rows[1].last_seen, 9);
  EXPECT_TRUE(rows[1].label_by_person);
  EXPECT_EQ(rows[0].proxy, "");
  EXPECT_EQ(rows[1].proxy, "http://p:1");
  must(store().forget_browser("b1"));
  must(store().forget_browser("never"));
  EXPECT_EQ(store().browsers().value().size(), 1U);
}

TEST_P(AnyStore, KeepsSmallNamedValues) {
  EXPECT_EQ(store().meta("daemon").value(), "");
  must(store().put_meta("daemon", "x"));
  must(store().put_meta("daemon", "y"));
  EXPECT_EQ(store().meta("daemon").value(), "y");
}

TEST_P(AnyStore, TakesAnEmptyBatch) {
  must(store().apply({}, true));
  apply({task::InsertTask{queued("a")}});
  must(store().apply({}, true));
  EXPECT_TRUE(store().get("a"));
}

}  // namespace
}  // namespace any::store
