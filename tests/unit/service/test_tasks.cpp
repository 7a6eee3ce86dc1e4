// The service on a real io thread and a real journal, whose store does as the test says.

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "service/task_service.hpp"
#include "store/played_store.hpp"

namespace any::service {
namespace {

using store_test::PlayedDisk;

struct Sent final : browser::TaskCommands {
  std::vector<task::SendStart> starts;
  std::vector<std::uint64_t> acks;
  void start(task::SendStart const& start) override { starts.push_back(start); }
  int cancels = 0;
  void cancel(task::SendCancel const&) override { ++cancels; }
  void forget(task::SendForget const&) override {}
  void acknowledge(task::AckFinish const& ack) override { acks.push_back(ack.token); }
};

class ServiceTest : public testing::Test {
 protected:
  ~ServiceTest() override {
    disk.let(true);
    service.stop();
    journal.close();
  }

  template <class T>
  struct Answer {
    std::shared_ptr<std::optional<Result<T>>> slot = std::make_shared<std::optional<Result<T>>>();
    bool here() const { return slot->has_value(); }
    Result<T>& operator*() const { return **slot; }
  };
  template <class T>
  static Async<void> fill(Async<Result<T>> asked, std::shared_ptr<std::optional<Result<T>>> slot) {
    *slot = co_await std::move(asked);
  }
  template <class T>
  Answer<T> ask(Async<Result<T>> asked) {
    Answer<T> answer;
    boost::asio::co_spawn(io, fill(std::move(asked), answer.slot), boost::asio::detached);
    return answer;
  }
  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  /// Runs what can be run without the disk.
  void pump() {
    io.restart();
    while (io.poll() > 0) {
    }
  }
  template <class T>
  Result<T>& get(Answer<T> const& answer) {
    EXPECT_TRUE(until([&] { return answer.here(); }));
    kept.push_back(answer.slot);
    return *answer;
  }
  static task::Request request(std::string id, std::string script = "return 1") {
    task::Request asked;
    asked.id = std::move(id);
    asked.script = std::move(script);
    return asked;
  }
  void link() { service.up({.id = "b"}, "i", {}); }
  task::RunKey run(std::string id) { return {std::move(id), 1, 0}; }

  std::vector<std::shared_ptr<void>> kept;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  SystemClock clock;
  PlayedDisk disk;
  Sent sent;
  store::Journal journal{std::make_unique<store_test::PlayedStore>(disk),
                         [this](std::function<void()> call) { boost::asio::post(io, std::move(call)); }};
  TaskService service{io, clock, journal, sent, task::Limits{}};
};

TEST_F(ServiceTest, NeitherTheAnswerNorTheStartLeavesBeforeTheTaskIsOnDisk) {
  link();
  disk.let(false);
  auto const answer = ask(service.submit(request("t")));
  pump();
  EXPECT_FALSE(answer.here());
  EXPECT_TRUE(sent.starts.empty());
  disk.let(true);
  ASSERT_TRUE(get(answer));
  EXPECT_TRUE((*answer)->created);
  EXPECT_EQ(sent.starts.size(), 1U);
  EXPECT_THAT(disk.get(&PlayedDisk::synced), testing::Contains(true));
}

TEST_F(ServiceTest, AnEndIsAcknowledgedOnlyWhenItIsOnDisk) {
  link();
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  service.accepted("b", run("t"), {5, "u", "t"});
  service.started("b", run("t"), std::nullopt, task::Injection::scripting);
  disk.let(false);
  auto const waiting = ask(service.get("t", 60'000));
  service.finished("b", run("t"), {.value = "7"}, 9);
  pump();
  EXPECT_TRUE(sent.acks.empty());
  EXPECT_FALSE(waiting.here());
  disk.let(true);
  auto const ended = get(waiting);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->result, "7");
  EXPECT_EQ(sent.acks, std::vector<std::uint64_t>{9});
}

TEST_F(ServiceTest, OfTwoSubmitsOfOneIdOneIsANewTask) {
  disk.let(false);
  auto const first = ask(service.submit(request("t")));
  auto const same = ask(service.submit(request("t")));
  auto const other = ask(service.submit(request("t", "return 2")));
  pump();
  EXPECT_FALSE(same.here()) << "the first is not on disk yet";
  disk.let(true);
  EXPECT_TRUE(get(first)->created);
  ASSERT_TRUE(get(same));
  EXPECT_FALSE((*same)->created);
  ASSERT_FALSE(get(other));
  EXPECT_EQ((*other).error().name, ErrorName::ConflictError);
  EXPECT_EQ(service.counts().queued, 1U);
}

TEST_F(ServiceTest, ARefusedSubmitIsTroubleUntilTheDiskTakesWritesAgain) {
  EXPECT_FALSE(service.trouble());
  disk.set(&PlayedDisk::full, true);
  EXPECT_FALSE(get(ask(service.submit(request("t")))));
  ASSERT_TRUE(service.trouble());
  EXPECT_EQ(service.trouble()->name, ErrorName::DiskFullError);
  disk.set(&PlayedDisk::full, false);
  EXPECT_TRUE(until([&] { return !service.trouble(); })) << "nobody need submit for that";
  EXPECT_TRUE(get(ask(service.submit(request("t")))));
}

TEST_F(ServiceTest, ACancelIsAnsweredOnlyWhenItIsOnDisk) {
  link();
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  service.accepted("b", run("t"), {5, "u", "t"});
  disk.let(false);
  auto const cancelled = ask(service.cancel("t"));
  pump();
  EXPECT_FALSE(cancelled.here());
  EXPECT_EQ(sent.cancels, 0);
  disk.let(true);
  EXPECT_TRUE(get(cancelled));
  EXPECT_EQ(sent.cancels, 1);
}

TEST_F(ServiceTest, ACancelThatCannotBeWrittenSaysSo) {
  link();
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  service.accepted("b", run("t"), {5, "u", "t"});
  disk.set(&PlayedDisk::full, true);
  auto const refused = get(ask(service.cancel("t")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, ErrorName::DiskFullError);
  disk.set(&PlayedDisk::full, false);
}

TEST_F(ServiceTest, ASubmitOnAFullDiskIsRefusedAndTheTaskNeverRuns) {
  link();
  disk.set(&PlayedDisk::full, true);
  auto const refused = get(ask(service.submit(request("t"))));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, ErrorName::DiskFullError);
  EXPECT_EQ(get(ask(service.get("t", 0))).error().name, ErrorName::NotFoundError);
  EXPECT_TRUE(sent.starts.empty());
  EXPECT_EQ(service.counts().queued + service.counts().dispatched, 0U);
  disk.set(&PlayedDisk::full, false);
  auto const again = get(ask(service.submit(request("t"))));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->created);
  EXPECT_TRUE(until([&] { return sent.starts.size() == 1; }));
}

TEST_F(ServiceTest, ASubmitThatEndsAtOnceOnAFullDiskLeavesNothingOfItsIdBehind) {
  disk.set(&PlayedDisk::full, true);
  auto at_once = request("t");
  at_once.queue_timeout = 0;
  ASSERT_FALSE(get(ask(service.submit(at_once))));
  disk.set(&PlayedDisk::full, false);
  ASSERT_TRUE(until([&] { return !service.trouble(); }));
  auto const asked = ask(service.get("t", 0));
  auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(5);  // half of the wait for an end
  ASSERT_TRUE(until([&] { return asked.here() || std::chrono::steady_clock::now() > end; }));
  ASSERT_TRUE(asked.here()) << "it waits for an end that will never be written";
  EXPECT_EQ((*asked).error().name, ErrorName::NotFoundError);
  EXPECT_TRUE(get(ask(service.submit(at_once))));
}

TEST_F(ServiceTest, AnEndOnAFullDiskIsWrittenWhenThereIsRoom) {
  link();
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  service.accepted("b", run("t"), {5, "u", "t"});
  disk.set(&PlayedDisk::full, true);
  service.finished("b", run("t"), {.value = "7"}, 9);
  ASSERT_TRUE(until([&] { return service.trouble().has_value(); }));
  EXPECT_TRUE(sent.acks.empty());
  EXPECT_EQ(get(ask(service.submit(request("u")))).error().name, ErrorName::DiskFullError);
  disk.set(&PlayedDisk::full, false);
  ASSERT_TRUE(until([&] { return !sent.acks.empty(); }));
  EXPECT_FALSE(service.trouble());
  EXPECT_EQ(get(ask(service.get("t", 0)))->result, "7");
  EXPECT_EQ(service.counts().completed, 1U);
}

TEST_F(ServiceTest, AWatcherSeesEachEventOnceWhereverItComesFrom) {
  link();
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  service.accepted("b", run("t"), {5, "u", "t"});
  service.started("b", run("t"), std::nullopt, task::Injection::scripting);
  std::vector<std::uint64_t> seen;
  std::string last;
  auto note = [&](task::Event const& event) {
    seen.push_back(event.seq);
    last = event.kind;
  };
  auto const watch = ask(service.watch("t", 0, note));
  for (int i = 0; i < 20; ++i) service.progress("b", run("t"), std::to_string(i));
  ASSERT_TRUE(get(watch));
  for (int i = 0; i < 20; ++i) service.progress("b", run("t"), std::to_string(i));
  service.finished("b", run("t"), {.value = "7"}, 9);
  ASSERT_TRUE(until([&] { return last == "end"; }));
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i + 1);
  EXPECT_GE(seen.size(), 43U);

  seen.clear();
  auto const late = ask(service.watch("t", 40, note));
  ASSERT_TRUE(get(late));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.front(), 41U);
  auto const end = seen.back();
  seen.clear();
  ASSERT_TRUE(get(ask(service.watch("t", end, note))));
  EXPECT_EQ(seen, std::vector<std::uint64_t>{end}) << "the end once more, so that nobody waits for ever";
}

TEST_F(ServiceTest, WaitingForATaskEndsWithTheTimeGiven) {
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  auto const waited = get(ask(service.get("t", 30)));
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->record.state, task::State::queued);
}

TEST_F(ServiceTest, ACancelIsAnsweredOnceAndThenRefused) {
  ASSERT_TRUE(get(ask(service.submit(request("t")))));
  auto const cancelled = get(ask(service.cancel("t")));
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->record.state, task::State::cancelled);
  EXPECT_EQ(get(ask(service.cancel("t"))).error().name, ErrorName::ConflictError);
  EXPECT_EQ(get(ask(service.cancel("nothing"))).error().name, ErrorName::NotFoundError);
}

TEST_F(ServiceTest, OnlyWhatThePrototypeGotCanBeEndedOnItsDoor) {
  auto asked = request("p");
  asked.door = task::Door::prototype;
  ASSERT_TRUE(get(ask(service.submit(asked))));
  EXPECT_EQ(get(ask(service.finish_prototype("p", {"1"}))).error().name, ErrorName::ForbiddenError);
  service.up({.id = "prototype-1", .kind = task::BrowserKind::prototype}, "prototype-1", {});
  ASSERT_TRUE(until([&] { return sent.starts.size() == 1; }));
  auto const ended = get(ask(service.finish_prototype("p", {R"({"a":1})"})));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->result, R"({"a":1})");
  EXPECT_EQ(get(ask(service.finish_prototype("p", {"2"}))).error().name, ErrorName::ConflictError);
}

TEST(SameRequest, LooksAtEveryFieldAndNotAtTheOrderOfArgs) {
  task::Request a;
  a.args = R"({"x":1,"y":[2]})";
  auto b = a;
  b.args = R"({"y":[2],"x":1})";
  EXPECT_TRUE(same_request(a, b));
  b.args = R"({"y":[3],"x":1})";
  EXPECT_FALSE(same_request(a, b));
  b = a;
  b.labels["k"] = "v";
  EXPECT_FALSE(same_request(a, b));
  b = a;
  b.frame.kind = task::FrameSpec::Kind::all;
  EXPECT_FALSE(same_request(a, b));
}

}  // namespace
}  // namespace any::service
