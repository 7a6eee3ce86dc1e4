#pragma once
// Moves and reads files away from the io thread: a large one on another file system takes seconds.

#include <functional>
#include <string>

#include "async/pool.hpp"
#include "cdp/protocol/transport.hpp"

namespace any::service {

/// Moves one file, also to another file system; makes the folder it goes to and replaces what has its name there.
/// What is wrong, in words; empty where nothing is. Half a file is never seen under its new name.
std::string move_file(std::string const& from, std::string const& to);
/// The same, and the file stays where it was too.
std::string copy_file(std::string const& from, std::string const& to);

/// A text file in a folder, as cdp::Files::read_text has it.
boost::system::result<std::string, cdp::Failure> read_text_file(std::string const& folder, std::string const& name);

class FileMover {
 public:
  explicit FileMover(async::Pool& pool) : pool_{pool} {}

  /// `done` is called on the io thread with what move_file() says, never before this has returned.
  void move(std::string from, std::string to, std::function<void(std::string const&)> done);
  /// The same for copy_file().
  void copy(std::string from, std::string to, std::function<void(std::string const&)> done);
  /// The same for read_text_file().
  void read(std::string folder, std::string name,
            std::function<void(boost::system::result<std::string, cdp::Failure> const&)> done);

 private:
  using Transfer = std::string (*)(std::string const&, std::string const&);
  void transfer(std::string what, Transfer work, std::string from, std::string to,
                std::function<void(std::string const&)> done);

  async::Pool& pool_;
};

}  // namespace any::service
