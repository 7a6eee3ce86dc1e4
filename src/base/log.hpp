#pragma once
// Log lines: time, level, the task or browser they speak of. To stderr (text or JSON), to a bounded ring that
// `any logs` reads, and to whoever follows.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace any::log {

enum class Level : unsigned char { debug, info, warn, error };
std::string_view to_string(Level level) noexcept;

/// What a line speaks of; empty where it speaks of the daemon itself.
struct About {
  std::string_view task{};
  std::string_view browser{};
};

struct Line {
  std::uint64_t seq = 0;
  Millis wall = 0;
  Level level = Level::info;
  bool from_extension = false;
  std::string task, browser, text;
};

struct Options {
  bool json = false;
  Level level = Level::info;
  std::string file;  ///< empty: stderr
  /// A longer file becomes NAME.1.log (three are kept), and a new one is begun.
  std::size_t max_file_bytes = std::size_t{16} << 20;
};

/// Once, at start; before it lines go to stderr as text.
void configure(Options const& options);
/// Whether lines of that level are kept: what is dear to put in words can be left out where they are not.
bool takes(Level level) noexcept;
void write(Level level, std::string_view text, About about = {});
inline void debug(std::string_view text, About about = {}) {
  write(Level::debug, text, about);
}
inline void info(std::string_view text, About about = {}) {
  write(Level::info, text, about);
}
inline void warn(std::string_view text, About about = {}) {
  write(Level::warn, text, about);
}
inline void error(std::string_view text, About about = {}) {
  write(Level::error, text, about);
}
/// A line of an extension's black box, with the time it had there.
void write_extension(Millis wall, Level level, std::string_view browser, std::string_view task, std::string_view text);

/// The newest `limit` lines with seq > since, oldest first. Thread-safe.
std::vector<Line> recent(std::size_t limit, std::uint64_t since = 0);
/// Calls `sink` with each further line on the writer's thread; returns a token for unfollow.
std::uint64_t follow(std::function<void(Line const&)> sink);
void unfollow(std::uint64_t token);

}  // namespace any::log
