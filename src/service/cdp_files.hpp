#pragma once
// Moves and reads files away from the io thread: a large one on another file system takes seconds.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <optional>
#include <string>

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
  explicit FileMover(boost::asio::any_io_executor io) : io_{std::move(io)} {}
  /// Waits for the move that is under way; the others are not done.
  ~FileMover();
  FileMover(FileMover const&) = delete;
  FileMover& operator=(FileMover const&) = delete;

  /// `done` is called on the io thread with what move_file() says, never before this has returned.
  void move(std::string from, std::string to, std::function<void(std::string const&)> done);
  /// The same for copy_file().
  void copy(std::string from, std::string to, std::function<void(std::string const&)> done);
  /// The same for read_text_file().
  void read(std::string folder, std::string name,
            std::function<void(boost::system::result<std::string, cdp::Failure> const&)> done);

 private:
  template <class Said>
  using Work = Said (*)(std::string const&, std::string const&);
  template <class Said>
  void start(Work<Said> work, std::string first, std::string second, std::function<void(Said const&)> done);

  boost::asio::any_io_executor io_;
  std::optional<boost::asio::thread_pool> worker_;  // made when first needed
};

}  // namespace any::service
