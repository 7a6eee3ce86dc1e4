// What a store does while its disk is full: the double that the tests of the journal and of the service stand on, and
// the daemon's own.

#include <gmock/gmock.h>

#include "store/played_store.hpp"
#include "store/tasks.hpp"
#include "store/watched_vfs.hpp"

namespace any::store {
namespace {
using namespace store_test;
using testing::ElementsAre;

class FullDisk : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    watched_vfs::reset();
    if (GetParam() == "double") {
      store_ = std::make_unique<PlayedStore>(disk_);
    } else {
      store_ = open_sqlite({.folder = folder_.state(), .vfs = watched_vfs::name});
    }
    BrowserRow row;
    row.id = "b";
    row.label = "first";
    must(store_->put_browser(row));
    must(store_->put_meta("m", "first"));
    must(store_->apply({task::InsertTask{queued("live")}, task::InsertTask{queued("ended")}}, true));
    must(store_->apply({finish("ended", "1")}, true));
  }
  void fill(bool full) {
    disk_.set(&PlayedDisk::full, full);
    full ? watched_vfs::fail_at(1, false, true) : watched_vfs::fail_no_more();
  }
  /// Everything that can be written, one after the other: what each is answered.
  std::vector<std::string> write_all() {
    std::vector<std::string> said;
    auto const say = [&](auto const& done) { said.push_back(done ? "" : std::string(to_string(done.error().name))); };
    for (bool const sync : {true, false}) {
      say(store_->apply({event("live", sync ? 1 : 2), task::InsertTask{queued(sync ? "synced" : "lazy")}}, sync));
    }
    BrowserRow row;
    row.id = "b";
    row.label = "second";
    say(store_->put_browser(row));
    say(store_->put_meta("m", "second"));
    say(store_->prune(10'000, std::numeric_limits<std::uint64_t>::max()));
    say(store_->forget_browser("b"));
    return said;
  }

  PlayedDisk disk_;
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TEST_SUITE_P(Each, FullDisk, testing::Values("double", "sqlite"),
                         [](auto const& info) { return info.param; });

TEST_P(FullDisk, RefusesEveryWriteByNameAndKeepsWhatThereWas) {
  fill(true);
  EXPECT_THAT(write_all(), testing::Each("DiskFullError"));
  EXPECT_EQ(store_->get("synced").error().name, ErrorName::NotFoundError);
  EXPECT_EQ(store_->get("lazy").error().name, ErrorName::NotFoundError);
  EXPECT_TRUE(store_->events("live", 0).value().empty());
  EXPECT_THAT(ids(store_->load_live().value()), ElementsAre("live"));
  EXPECT_EQ(store_->get("ended").value().result, "1");
  EXPECT_EQ(store_->totals().value().completed, 1U);
  EXPECT_EQ(store_->browsers().value().at(0).label, "first");
  EXPECT_EQ(store_->meta("m").value(), "first");
}

TEST_P(FullDisk, WritesOnOnceThereIsRoom) {
  fill(true);
  write_all();
  fill(false);
  EXPECT_THAT(write_all(), testing::Each(""));
  EXPECT_THAT(ids(store_->load_live().value()), testing::UnorderedElementsAre("live", "synced", "lazy"));
  EXPECT_EQ(store_->events("live", 0).value().size(), 2U);
  EXPECT_EQ(store_->get("ended").error().name, ErrorName::NotFoundError) << "pruned";
  EXPECT_TRUE(store_->browsers().value().empty());
  EXPECT_EQ(store_->meta("m").value(), "second");
}

}  // namespace
}  // namespace any::store
