#include "service/outbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace any::service {
namespace {

/// A journal whose writes end when the test says so, and everything that left.
struct Bench {
  std::vector<Outbox::Written> writing;
  std::vector<std::size_t> batches;  // writes in each durable batch
  std::size_t lazily = 0, retries = 0;
  std::vector<std::string> left;
  std::string throws;  // the output that fails
  std::vector<std::string> undone;
  std::vector<bool> troubles;
  std::map<std::string, std::uint64_t> links{{"b", 1}};
  task::Step after_undo;
  Outbox outbox{{
      .write =
          [this](auto const& writes, Outbox::Written written) {
            batches.push_back(writes.size());
            writing.push_back(std::move(written));
          },
      .write_lazily = [this](auto writes) { lazily += writes.size(); },
      .written = [](auto const&) {},
      .link = [this](std::string const& browser) { return links.contains(browser) ? links[browser] : 0; },
      .release =
          [this](task::Output& output) {
            if (name(output) == throws) throw std::runtime_error("it broke");
            left.push_back(name(output));
          },
      .undo =
          [this](std::string const& task) {
            undone.push_back(task);
            return std::exchange(after_undo, {});
          },
      .retry_later = [this] { ++retries; },
      .trouble = [this](auto const& trouble) { troubles.push_back(trouble.has_value()); },
  }};

  static std::string name(task::Output const& output) {
    if (auto const* start = std::get_if<task::SendStart>(&output)) return "start " + start->run.task;
    if (auto const* ack = std::get_if<task::AckFinish>(&output)) return "ack " + std::to_string(ack->token);
    if (auto const* publish = std::get_if<task::Publish>(&output)) return "event " + publish->task;
    return "other";
  }
  void disk(Result<void> const& result = {}) {
    ASSERT_EQ(writing.size(), 1U) << "one durable write at a time";
    auto const written = std::move(writing.front());
    writing.clear();
    written(result);
  }
};

Error const full{ErrorName::DiskFullError, "The disk is full."};

task::InsertTask insert(std::string id) {
  task::Record record;
  record.request.id = std::move(id);
  return {record};
}
task::FinishTask finish(std::string id) {
  return {insert(std::move(id)).record, {}, {}};
}
task::SendStart start(std::string id, std::string browser = "b") {
  task::SendStart sent;
  sent.browser = std::move(browser);
  sent.run.task = std::move(id);
  return sent;
}
task::Publish event(std::string id) {
  return {std::move(id), {}};
}
task::Step submit_step(std::string const& id) {
  return {{insert(id)}, {start(id)}, true};
}
task::Step finish_step(std::string const& id, std::uint64_t token) {
  return {{finish(id)}, {task::AckFinish{"b", token}}, true};
}

using Left = std::vector<std::string>;

TEST(Outbox, NothingLeavesBeforeTheWritesItDependsOnAreOnDisk) {
  Bench bench;
  bench.outbox.push(finish_step("t", 7));
  EXPECT_TRUE(bench.left.empty());
  bench.disk();
  EXPECT_EQ(bench.left, Left{"ack 7"});
  EXPECT_TRUE(bench.outbox.idle());
}

TEST(Outbox, ALaterStepNeverOvertakesAnEarlierOneThatIsHeld) {
  Bench bench;
  bench.outbox.push(finish_step("t", 1));
  bench.outbox.push({{}, {event("u")}, false});
  bench.outbox.push({{task::AppendEvent{"v", {}}}, {event("v")}, false});
  EXPECT_TRUE(bench.left.empty());
  bench.disk();
  EXPECT_EQ(bench.left, (Left{"ack 1", "event u", "event v"}));
}

TEST(Outbox, AStepThatNeedsNoDiskLeavesAtOnceWhereNothingIsHeld) {
  Bench bench;
  bench.outbox.push({{task::AppendEvent{"v", {}}}, {event("v")}, false});
  EXPECT_EQ(bench.left, Left{"event v"});
  EXPECT_EQ(bench.lazily, 1U);
  EXPECT_TRUE(bench.batches.empty());
}

TEST(Outbox, StepsThatComeDuringAWriteShareTheNextOne) {
  Bench bench;
  for (std::uint64_t token = 1; token <= 4; ++token) bench.outbox.push(finish_step("t" + std::to_string(token), token));
  EXPECT_EQ(bench.batches, std::vector<std::size_t>{1});
  bench.disk();
  EXPECT_EQ(bench.batches, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(bench.left, Left{"ack 1"});
  bench.disk();
  EXPECT_EQ(bench.left, (Left{"ack 1", "ack 2", "ack 3", "ack 4"}));
}

TEST(Outbox, WhatWasMeantForAnEarlierLinkDoesNotReachALaterOne) {
  Bench bench;
  bench.outbox.push({{finish("t")}, {start("u"), task::AckFinish{"b", 3}, event("t")}, true});
  bench.links["b"] = 2;
  bench.disk();
  EXPECT_EQ(bench.left, Left{"event t"});
}

TEST(Outbox, ASubmitThatCannotBeWrittenIsUndoneAndNothingOfItLeaves) {
  Bench bench;
  std::optional<Error> told;
  bench.outbox.push_submit("t", submit_step("t"), [&](auto const& result) { told = result.error(); });
  bench.outbox.push({{}, {event("t"), event("u")}, false});
  bench.disk(full);
  EXPECT_EQ(bench.undone, Left{"t"});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->name, ErrorName::DiskFullError);
  EXPECT_EQ(bench.left, Left{"event u"});
  EXPECT_TRUE(bench.outbox.idle());
  EXPECT_FALSE(bench.outbox.trouble()) << "one large script that does not fit is no trouble of the journal";
}

TEST(Outbox, UndoingASubmitLetsTheNextTaskGo) {
  Bench bench;
  bench.after_undo = {{task::UpdateTask{insert("u").record}}, {start("u"), event("t")}, false};
  bench.outbox.push_submit("t", submit_step("t"), nullptr);
  bench.disk(full);
  EXPECT_EQ(bench.left, Left{"start u"});
  EXPECT_EQ(bench.lazily, 1U);
}

TEST(Outbox, AnEndThatCannotBeWrittenIsHeldAndTriedUntilItCan) {
  Bench bench;
  bench.outbox.push(finish_step("t", 1));
  bench.disk(full);
  EXPECT_TRUE(bench.left.empty());
  EXPECT_TRUE(bench.outbox.trouble());
  EXPECT_EQ(bench.retries, 1U);
  bench.outbox.push({{}, {event("u")}, false});
  EXPECT_TRUE(bench.writing.empty()) << "nothing is tried before the second is over";
  bench.outbox.retry();
  bench.disk(full);
  EXPECT_EQ(bench.retries, 2U);
  bench.outbox.retry();
  bench.disk();
  EXPECT_EQ(bench.left, (Left{"ack 1", "event u"}));
  EXPECT_FALSE(bench.outbox.trouble());
  EXPECT_EQ(bench.troubles, (std::vector<bool>{true, false}));
}

TEST(Outbox, BehindAnEndThatCannotBeWrittenTheNewestProgressReplacesTheOlder) {
  Bench bench;
  bench.outbox.push(finish_step("t", 1));
  bench.disk(full);
  auto const news = [](std::string const& task) {
    task::Event value{.seq = 1, .kind = "progress", .journaled = false};
    return task::Step{{task::UpdateTask{insert(task).record}}, {task::Publish{task, value}}, false};
  };
  for (int i = 0; i < 1000; ++i) {
    bench.outbox.push(news("u"));
    bench.outbox.push({{}, {event("v")}, false});  // one of the history: none of these is left out
    if (i == 500) {
      bench.outbox.retry();
      bench.outbox.push(news("w"));
      bench.outbox.push(news("u"));
      bench.disk(full);
    }
  }
  bench.outbox.retry();
  bench.disk();
  auto const told = [&](std::string const& what) { return std::count(bench.left.begin(), bench.left.end(), what); };
  EXPECT_EQ(told("event u"), 1);
  EXPECT_EQ(told("event w"), 1);
  EXPECT_EQ(told("event v"), 1000);
  EXPECT_EQ(bench.lazily, 2U);
  EXPECT_TRUE(bench.outbox.idle());
}

TEST(Outbox, AnOutputThatThrowsKeepsNothingElseBack) {
  Bench bench;
  bench.throws = "event t";
  bench.outbox.push({{}, {event("t"), event("u")}, false});
  bench.outbox.push({{}, {event("v")}, false});
  EXPECT_EQ(bench.left, (Left{"event u", "event v"}));
  EXPECT_TRUE(bench.outbox.idle());
}

TEST(Outbox, WhereABatchFailsEachOfItsStepsIsTriedAlone) {
  Bench bench;
  std::vector<std::string> answers;
  auto const note = [&](std::string id) {
    return [&answers, id](auto const& result) { answers.push_back(id + (result ? " on disk" : " refused")); };
  };
  bench.outbox.push(finish_step("first", 1));
  bench.outbox.push_submit("large", submit_step("large"), note("large"));
  bench.outbox.push_submit("small", submit_step("small"), note("small"));
  bench.outbox.push(finish_step("last", 2));
  bench.disk();
  bench.disk(full);  // large, small and last together
  bench.disk(full);  // large
  bench.disk();      // small
  bench.disk();      // last
  EXPECT_EQ(bench.batches, (std::vector<std::size_t>{1, 3, 1, 1, 1}));
  EXPECT_EQ(answers, (std::vector<std::string>{"large refused", "small on disk"}));
  EXPECT_EQ(bench.left, (Left{"ack 1", "start small", "ack 2"}));
  EXPECT_TRUE(bench.outbox.idle());
}

TEST(Outbox, SubmitsBehindAnEndThatCannotBeWrittenAreRefusedAtOnce) {
  Bench bench;
  bool refused = false;
  bench.outbox.push(finish_step("t", 1));
  bench.outbox.push_submit("u", submit_step("u"), [&](auto const& result) { refused = !result; });
  bench.disk(full);
  EXPECT_TRUE(refused);
  EXPECT_EQ(bench.undone, Left{"u"});
}

}  // namespace
}  // namespace any::service
