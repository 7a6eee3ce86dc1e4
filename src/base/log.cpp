#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace any::log {
namespace {

constexpr std::size_t max_lines = 2'000;
constexpr std::size_t max_bytes = std::size_t{4} << 20;
constexpr std::size_t kept_files = 3;                    // besides the one that is written
constexpr std::size_t max_text = std::size_t{64} << 10;  // of one line

// A page's or a script's text must not look like a line of ours: control characters, also those of Unicode that
// break or turn lines around, are written out.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  char hex[8];
  auto const escape = [&](char const* format, unsigned value) {
    std::snprintf(hex, sizeof hex, format, value);
    out += hex;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7F) {
      out += text[i];
      continue;
    }
    auto const next = [&](std::size_t n) { return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0U; };
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte <= 0x7F) {
      escape("\\x%02x", byte);
    } else if (byte == 0xC2 && next(1) >= 0x80 && next(1) < 0xA0) {  // C1
      escape("\\u%04x", next(1));
      i += 1;
    } else if (byte == 0xE2 && next(1) == 0x80 &&
               (next(2) == 0xA8 || next(2) == 0xA9 || (next(2) >= 0xAA && next(2) <= 0xAE))) {
      escape("\\u%04x", 0x2000U | (next(2) & 0x3FU));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string as_text(Line const& line) {
  auto out = iso_time(line.wall);
  auto level = std::string{to_string(line.level)};
  level.resize(5, ' ');
  out.append(" ").append(level).append(" ");
  std::string about;
  if (!line.task.empty()) about += "task " + line.task;
  if (!line.browser.empty()) about.append(about.empty() ? "" : " ").append("browser ").append(line.browser);
  if (line.from_extension) about += about.empty() ? "extension" : " extension";
  if (!about.empty()) out.append("[").append(printable(about)).append("] ");
  return out.append(printable(line.text));
}

std::string as_json(Line const& line) {
  boost::json::object json{{"time", iso_time(line.wall)}, {"level", to_string(line.level)}};
  json["source"] = line.from_extension ? "extension" : "daemon";
  if (line.task.empty()) {
    json["task"] = nullptr;
  } else {
    json["task"] = line.task;
  }
  if (line.browser.empty()) {
    json["browser"] = nullptr;
  } else {
    json["browser"] = line.browser;
  }
  json["text"] = line.text;
  return boost::json::serialize(json);
}

// The text of pages is nobody else's; a file that was there already keeps the mode that it has.
void own_if_new(spdlog::filename_t const&, std::FILE* file) {
  struct stat now {};
  if (::fstat(::fileno(file), &now) == 0 && now.st_size == 0) ::fchmod(::fileno(file), 0600);
}

class Journal {
 public:
  Journal() { open({}); }

  void configure(Options const& options) {
    std::lock_guard const lock{mutex_};
    open(options);
  }

  void add(Line line) {
    std::lock_guard const lock{mutex_};
    if (line.level < options_.level) return;
    if (line.text.size() > max_text) {
      auto end = max_text;
      while (end > 0 && (static_cast<unsigned char>(line.text[end]) & 0xC0U) == 0x80U) --end;
      line.text.resize(end);
      line.text += "…";
    }
    sink_->log(spdlog::level::info, options_.json ? as_json(line) : as_text(line));
    line.seq = ++last_;
    bytes_ += size_of(line);
    ring_.push_back(std::move(line));
    while (ring_.size() > max_lines || (bytes_ > max_bytes && ring_.size() > 1)) {
      bytes_ -= size_of(ring_.front());
      ring_.pop_front();
    }
    // A copy: a follower may stop following, or write a line, while it is called.
    auto const told = ring_.back();
    auto const followers = followers_;
    for (auto const& [token, follower] : followers)
      if (followers_.count(token) != 0) follower(told);
  }

  std::vector<Line> recent(std::size_t limit, std::uint64_t since) {
    std::lock_guard const lock{mutex_};
    auto const newer =
        std::partition_point(ring_.begin(), ring_.end(), [&](Line const& line) { return line.seq <= since; });
    auto const count = std::min(limit, static_cast<std::size_t>(ring_.end() - newer));
    return {ring_.end() - static_cast<std::ptrdiff_t>(count), ring_.end()};
  }

  std::uint64_t follow(std::function<void(Line const&)> sink) {
    std::lock_guard const lock{mutex_};
    followers_.emplace(++tokens_, std::move(sink));
    return tokens_;
  }

  void unfollow(std::uint64_t token) {
    std::lock_guard const lock{mutex_};
    followers_.erase(token);
  }

 private:
  static std::size_t size_of(Line const& line) {
    return sizeof line + line.task.size() + line.browser.size() + line.text.size();
  }

  void open(Options const& options) {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      spdlog::file_event_handlers handlers;
      handlers.after_open = own_if_new;
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, options.max_file_bytes, kept_files,
                                                                    false, handlers);
    }
    options_ = options;
    sink_ = std::make_unique<spdlog::logger>("any", std::move(sink));
    sink_->set_pattern("%v");
    sink_->flush_on(spdlog::level::trace);
  }

  std::recursive_mutex mutex_;
  Options options_;
  std::unique_ptr<spdlog::logger> sink_;
  std::deque<Line> ring_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0, tokens_ = 0;
  std::map<std::uint64_t, std::function<void(Line const&)>> followers_;
};

std::atomic<Level> lowest{Options{}.level};

Journal& journal() {
  static Journal* const the = new Journal;  // never destroyed: the last lines come from destructors
  return *the;
}

}  // namespace

std::string_view to_string(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "info";
}

bool takes(Level level) noexcept {
  return level >= lowest.load(std::memory_order_relaxed);
}

void configure(Options const& options) {
  lowest = options.level;
  journal().configure(options);
}

void write(Level level, std::string_view text, About about) {
  if (!takes(level)) return;
  Line line{0,
            SystemClock{}.now().wall,
            level,
            false,
            std::string{about.task},
            std::string{about.browser},
            std::string{text}};
  journal().add(std::move(line));
}

void write_extension(Millis wall, Level level, std::string_view browser, std::string_view task, std::string_view text) {
  Line line{0, wall, level, true, std::string{task}, std::string{browser}, std::string{text}};
  journal().add(std::move(line));
}

std::vector<Line> recent(std::size_t limit, std::uint64_t since) {
  return journal().recent(limit, since);
}

std::uint64_t follow(std::function<void(Line const&)> sink) {
  return journal().follow(std::move(sink));
}

void unfollow(std::uint64_t token) {
  journal().unfollow(token);
}

}  // namespace any::log
