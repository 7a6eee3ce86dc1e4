#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "service/cdp_files.hpp"

namespace any::service {
namespace {

namespace fs = std::filesystem;

class ReadText : public testing::Test {
 protected:
  ReadText() {
    fs::create_directories(folder / "deep");
    write(folder / "deep" / "a.js", "text\n");
  }
  ~ReadText() override { fs::remove_all(root); }
  static void write(fs::path const& path, std::string const& text) { std::ofstream(path) << text; }
  std::string why(std::string const& name) const {
    auto const read = read_text_file(folder, name);
    return read ? "it was read" : read.error().data;
  }
  fs::path root = fs::temp_directory_path() / ("any-read-" + std::to_string(::getpid()));
  fs::path folder = root / "folder";
};

TEST_F(ReadText, AFileBelowItsFolderIsReadAlsoThroughLinksThatStayThere) {
  EXPECT_EQ(read_text_file(folder, "deep/a.js").value(), "text\n");
  fs::create_symlink("deep/a.js", folder / "b.js");
  EXPECT_EQ(read_text_file(folder, "b.js").value(), "text\n");
  fs::create_directory_symlink(folder, root / "other");
  EXPECT_EQ(read_text_file(root / "other", "deep/../b.js").value(), "text\n");
}

TEST_F(ReadText, NothingLeadsOutOfTheFolder) {
  write(root / "secret", "s");
  fs::create_directories(root / "folder-like");
  write(root / "folder-like" / "secret", "s");
  fs::create_symlink(root / "secret", folder / "link");
  for (auto const& name : {std::string("../secret"), std::string("link"), std::string("../folder-like/secret"),
                           (root / "secret").string()}) {
    EXPECT_NE(why(name).find("lies outside its folder"), std::string::npos) << name << ": " << why(name);
  }
}

TEST_F(ReadText, WhatIsWrongIsSaid) {
  EXPECT_EQ(why("none"), "none: No such file or directory.");
  EXPECT_EQ(why("deep"), "deep is no ordinary file.");
  fs::resize_file(folder / "deep" / "a.js", (16U << 20) + 1);
  EXPECT_EQ(why("deep/a.js"), "deep/a.js is larger than 16 MiB.");
  EXPECT_EQ(read_text_file(root / "nowhere", "a").error().code, cdp::no_folder);
  EXPECT_EQ(read_text_file("relative", "a").error().code, cdp::no_folder);
}

}  // namespace
}  // namespace any::service
