// Thousands of random batches, right and wrong ones, on disk and in memory: both tell the same, also after reopening.

#include <gtest/gtest.h>

#include <random>

#include "store/memory_store.hpp"
#include "store/tasks.hpp"

namespace any::store {
namespace {
using namespace store_test;

class Chance {
 public:
  explicit Chance(unsigned seed) : random_{seed} {}
  unsigned below(unsigned n) { return random_() % n; }
  bool one_in(unsigned n) { return below(n) == 0; }

 private:
  std::mt19937 random_;
};

constexpr unsigned ids_in_use = 150;

task::Write random_write(Chance& chance) {
  auto const id = "t" + std::to_string(chance.below(ids_in_use));
  auto const created = Millis{1000} + static_cast<Millis>(chance.below(40));
  auto const size = chance.one_in(20) ? 700U : chance.below(60);
  auto const dress = [&](task::Record record) {
    record.browser = chance.one_in(2) ? "" : "b" + std::to_string(chance.below(3));
    record.request.labels = {{"k", id.substr(id.size() - 1)}};
    return record;
  };
  switch (chance.below(8)) {
    case 0:
    case 1:
    case 2:
      return task::InsertTask{dress(queued(id, created, std::string(size, 's')))};
    case 3:
      return task::UpdateTask{
          dress(later(id, chance.one_in(2) ? task::State::running : task::State::dispatched, created))};
    case 4: {
      auto end = finish(id, std::string(size, 'r'), created, created + static_cast<Millis>(chance.below(1000)));
      end.record = dress(end.record);
      end.record.state = static_cast<task::State>(3 + chance.below(3));
      if (chance.one_in(4)) end.result.reset();
      if (chance.one_in(4)) end.screenshot = std::string(size, 'p');
      return end;
    }
    default:
      return event(id, 1 + chance.below(6), "progress", R"({"value":)" + std::to_string(chance.below(100)) + "}");
  }
}

template <class T>
ErrorName name_of(Result<T> const& result) {
  return result ? ErrorName::ProtocolError : result.error().name;
}

void same_lists(Store& a, Store& b, ListQuery const& query) {
  auto const left = a.list(query), right = b.list(query);
  ASSERT_EQ(name_of(left), name_of(right));
  if (left) ASSERT_EQ(ids(*left), ids(*right));
}

void same(Store& a, Store& b, Chance& chance) {
  for (unsigned i = 0; i < ids_in_use; ++i) {
    auto const id = "t" + std::to_string(i);
    auto const left = a.get(id), right = b.get(id);
    ASSERT_EQ(name_of(left), name_of(right)) << id;
    if (!left) continue;
    ASSERT_EQ(left->record.state, right->record.state) << id;
    ASSERT_EQ(left->record.request.script, right->record.request.script) << id;
    ASSERT_EQ(left->record.browser, right->record.browser) << id;
    ASSERT_EQ(left->record.progress, right->record.progress) << id;
    ASSERT_EQ(left->record.ended, right->record.ended) << id;
    ASSERT_EQ(left->result, right->result) << id;
    auto const shot = a.screenshot(id), other = b.screenshot(id);
    ASSERT_EQ(name_of(shot), name_of(other)) << id;
    if (shot) ASSERT_EQ(*shot, *other);
    auto const events = a.events(id, 2).value(), others = b.events(id, 2).value();
    ASSERT_EQ(events.size(), others.size()) << id;
    for (std::size_t k = 0; k < events.size(); ++k) {
      ASSERT_EQ(events[k].seq, others[k].seq);
      ASSERT_EQ(events[k].data, others[k].data);
    }
  }
  auto const totals = a.totals().value(), others = b.totals().value();
  ASSERT_EQ(totals.completed, others.completed);
  ASSERT_EQ(totals.failed, others.failed);
  ASSERT_EQ(totals.cancelled, others.cancelled);
  ASSERT_EQ(ids(a.load_live().value()).size(), ids(b.load_live().value()).size());
  for (int i = 0; i < 12; ++i) {
    ListQuery query;
    if (chance.one_in(2)) query.state = static_cast<task::State>(chance.below(6));
    if (chance.one_in(2)) query.browser = "b" + std::to_string(chance.below(3));
    if (chance.one_in(2)) query.labels = {{"k", std::to_string(chance.below(10))}};
    if (chance.one_in(2)) query.before = "t" + std::to_string(chance.below(ids_in_use));
    query.limit = 1 + static_cast<int>(chance.below(60));
    same_lists(a, b, query);
  }
}

class RandomBatches : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Seed, RandomBatches, testing::Range(1U, 9U));

TEST_P(RandomBatches, DoTheSameOnDiskAsInMemory) {
  Chance chance{GetParam()};
  TemporaryFolder folder;
  auto const open = [&] {
    return open_sqlite({.folder = folder.state(), .vfs = {}, .inline_limit = 300, .checkpoint_pages = 40});
  };
  auto disk = open();
  MemoryStore memory;
  int refused = 0;
  for (int batch = 0; batch < 800; ++batch) {
    std::vector<task::Write> writes;
    for (auto count = 1 + chance.below(5); count > 0; --count) writes.push_back(random_write(chance));
    auto const done = disk->apply(writes, chance.one_in(10)), expected = memory.apply(writes, true);
    ASSERT_EQ(name_of(done), name_of(expected)) << "batch " << batch;
    refused += done.has_error();
    if (chance.one_in(60)) {
      auto const before = Millis{1000} + static_cast<Millis>(chance.below(300));
      constexpr auto any_bytes = std::numeric_limits<std::uint64_t>::max();
      while (disk->prune(before, any_bytes).value()) {
      }
      while (memory.prune(before, any_bytes).value()) {
      }
    }
    if (chance.one_in(100)) {
      disk.reset();
      disk = open();
    }
    if (batch % 50 == 49) {
      same(*disk, memory, chance);
      if (HasFatalFailure()) FAIL() << "seed " << GetParam() << ", batch " << batch;
    }
  }
  EXPECT_GT(refused, 50);
  EXPECT_LT(refused, 750);
}

}  // namespace
}  // namespace any::store
