// What whoever has to do with files keeps (cdp::Files): the double that the gateway's tests stand on, and the daemon's
// own.
#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>

#include "service/cdp_service.hpp"
#include "unit/cdp/fake_files.hpp"
#include "unit/service/fake_browsers.hpp"

namespace any::contracts {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Rig {
 public:
  virtual ~Rig() = default;
  virtual cdp::Files& files() = 0;
  /// A folder of the test's own, absolute; there once something is in it.
  virtual std::string folder() = 0;
  virtual void write(std::string const& path, std::string text) = 0;
  /// Nothing where there is no such file.
  virtual std::optional<std::string> read(std::string const& path) = 0;
  /// Until so many calls are answered.
  virtual void settle(std::function<bool()> const& all_answered) = 0;
};

class DoubleRig final : public Rig {
 public:
  cdp::Files& files() override { return files_; }
  std::string folder() override { return "/files"; }
  void write(std::string const& path, std::string text) override { files_.texts[path] = std::move(text); }
  std::optional<std::string> read(std::string const& path) override {
    auto const found = files_.texts.find(path);
    return found == files_.texts.end() ? std::nullopt : std::optional(found->second);
  }
  void settle(std::function<bool()> const&) override { files_.settle(); }

 private:
  cdp::test::FakeFiles files_;
};

/// The daemon's own; its browser is not linked, which is no matter of files.
class BridgeRig final : public Rig {
 public:
  BridgeRig()
      : bridge_(std::make_shared<service::CdpBridge>(
            "b", io_.get_executor(), clock_, browsers_, mover_, [] {}, cdp::Limits{}, service::CdpBridge::Times{})) {}
  ~BridgeRig() override { fs::remove_all(folder()); }
  cdp::Files& files() override { return *bridge_; }
  std::string folder() override { return fs::temp_directory_path() / ("any-files-" + std::to_string(::getpid())); }
  void write(std::string const& path, std::string text) override {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }
  std::optional<std::string> read(std::string const& path) override {
    std::ifstream file(path);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void settle(std::function<bool()> const& all_answered) override {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!all_answered() && std::chrono::steady_clock::now() < end) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(10));
    }
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  SystemClock clock_;
  service::FakeBrowsers browsers_{io_};
  async::Pool pool_{io_.get_executor()};
  service::FileMover mover_{pool_};
  std::shared_ptr<service::CdpBridge> bridge_;
};

template <class Made>
class Files : public testing::Test {
 protected:
  cdp::Answered note() {
    ++asked;
    return [this](cdp::Answer const& answer) {
      EXPECT_TRUE(returned) << "a call was answered before it had returned";
      heard.push_back(answer ? std::string(*answer) : std::to_string(answer.error().code));
      failures.push_back(answer ? cdp::Failure{} : answer.error());
    };
  }
  void settle() {
    returned = true;
    rig.settle([this] { return heard.size() >= asked; });
    returned = false;
  }
  std::string in(std::string const& name) { return rig.folder() + "/" + name; }
  std::string move(std::string const& from, std::string const& to) {
    rig.files().move(from, to, note());
    settle();
    return heard.back();
  }
  std::string copy(std::string const& from, std::string const& to) {
    rig.files().copy(from, to, note());
    settle();
    return heard.back();
  }
  std::string read_text(std::string folder, std::string name) {
    rig.files().read_text(std::move(folder), std::move(name), note());
    settle();
    return heard.back();
  }

  std::size_t asked = 0;
  bool returned = false;
  std::vector<std::string> heard;
  std::vector<cdp::Failure> failures;
  Made rig;
};

using Made = testing::Types<DoubleRig, BridgeRig>;
class Name {
 public:
  template <class Rig>
  static std::string GetName(int) {
    return std::is_same_v<Rig, DoubleRig> ? "double" : "bridge";
  }
};
TYPED_TEST_SUITE(Files, Made, Name);

std::string const refused = "-32000";

TYPED_TEST(Files, a_moved_file_lies_in_a_folder_made_for_it_in_place_of_what_was_there) {
  this->rig.write(this->in("a"), "new");
  EXPECT_EQ(this->move(this->in("a"), this->in("deep/er/b")), "{}");
  EXPECT_EQ(this->rig.read(this->in("deep/er/b")), "new");
  EXPECT_EQ(this->rig.read(this->in("a")), std::nullopt);
  this->rig.write(this->in("a"), "newer");
  EXPECT_EQ(this->move(this->in("a"), this->in("deep/er/b")), "{}");
  EXPECT_EQ(this->rig.read(this->in("deep/er/b")), "newer");
}

TYPED_TEST(Files, a_copied_file_lies_at_both_places) {
  this->rig.write(this->in("a"), "text");
  EXPECT_EQ(this->copy(this->in("a"), this->in("deep/b")), "{}");
  EXPECT_EQ(this->rig.read(this->in("deep/b")), "text");
  EXPECT_EQ(this->rig.read(this->in("a")), "text");
}

TYPED_TEST(Files, a_file_that_is_to_go_where_it_is_stays_there) {
  this->rig.write(this->in("a"), "text");
  EXPECT_EQ(this->move(this->in("a"), this->in("a")), "{}");
  EXPECT_EQ(this->copy(this->in("a"), this->in("a")), "{}");
  EXPECT_EQ(this->rig.read(this->in("a")), "text");
}

TYPED_TEST(Files, what_cannot_be_moved_or_copied_stays_where_it_is_and_why_is_said) {
  this->rig.write(this->in("a"), "text");
  this->rig.write(this->in("file"), "");
  for (bool const moved : {true, false}) {
    auto const go = [&](std::string const& from, std::string const& to) {
      return moved ? this->move(from, to) : this->copy(from, to);
    };
    EXPECT_EQ(go(this->in("none"), this->in("b")), refused);
    EXPECT_EQ(go(this->in("a"), "b"), refused) << "a path that is not absolute";
    EXPECT_EQ(go("a", this->in("b")), refused);
    EXPECT_EQ(go(this->in("a"), this->in("file/b")), refused) << "its folder cannot be made";
  }
  for (auto const& failure : this->failures) EXPECT_NE(failure.message, "");
  EXPECT_EQ(this->rig.read(this->in("a")), "text");
  EXPECT_EQ(this->rig.read(this->in("b")), std::nullopt);
}

TYPED_TEST(Files, a_text_in_a_folder_is_read_to_the_letter) {
  this->rig.write(this->in("deep/a.js"), "text\n\"\xC3\xA4\"");
  this->rig.write(this->in("empty"), "");
  EXPECT_EQ(this->read_text(this->rig.folder(), "deep/a.js"), "text\n\"\xC3\xA4\"");
  EXPECT_EQ(this->read_text(this->rig.folder() + "/", "deep/a.js"), "text\n\"\xC3\xA4\"");
  EXPECT_EQ(this->read_text(this->rig.folder(), "deep/../empty"), "");
}

TYPED_TEST(Files, a_text_that_is_not_there_or_not_in_the_folder_or_none_is_refused_with_the_reason) {
  this->rig.write(this->in("inside/a"), "text");
  this->rig.write(this->in("secret"), "text");
  this->rig.write(this->in("inside/large"), std::string((std::size_t{16} << 20) + 1, 'x'));
  for (auto const* name : {"none", "../secret", "../none", "..", "large"}) {
    EXPECT_EQ(this->read_text(this->in("inside"), name), refused) << name;
  }
  EXPECT_EQ(this->read_text(this->in("inside"), this->in("secret")), refused);
  EXPECT_EQ(this->read_text(this->rig.folder(), "inside"), refused) << "a folder";
  for (auto const& failure : this->failures) EXPECT_NE(failure.data, "");
}

TYPED_TEST(Files, of_a_folder_that_is_not_there_it_is_said_so) {
  this->rig.write(this->in("a"), "text");
  auto const none = std::to_string(cdp::no_folder);
  EXPECT_EQ(this->read_text(this->in("nowhere"), "a"), none);
  EXPECT_EQ(this->read_text("relative", "a"), none);
  for (auto const& failure : this->failures) EXPECT_NE(failure.data, "");
}

}  // namespace
}  // namespace any::contracts
