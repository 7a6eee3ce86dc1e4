#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "base/clock.hpp"
#include "cli/options.hpp"

namespace any::cli {
namespace {

bool takes_colour(int stream) {
  char const* term = std::getenv("TERM");
  return isatty(stream) == 1 && std::getenv("NO_COLOR") == nullptr &&
         (term == nullptr || std::string_view(term) != "dumb");
}

bool status_shown = false;

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 0;
}

/// Characters, not bytes: UTF-8 continuation bytes do not count.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string cut(std::string_view text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) continue;
    if (++seen > columns) return std::string(text.substr(0, at)) + "…";
  }
  return std::string(text);
}

}  // namespace

bool colour_on_stderr() {
  static bool const colour = takes_colour(STDERR_FILENO);
  return colour;
}

bool stdout_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}

std::string inked(Ink ink, std::string_view text) {
  if (!colour_on_stderr() || ink == Ink::plain) return std::string(text);
  char const* code = "0";
  switch (ink) {
    case Ink::dim:
      code = "2";
      break;
    case Ink::red:
      code = "31";
      break;
    case Ink::yellow:
      code = "33";
      break;
    case Ink::green:
      code = "32";
      break;
    case Ink::bold:
      code = "1";
      break;
    case Ink::plain:
      break;
  }
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::string harmless(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  unsigned awaited = 0;  // continuation bytes of the character that has begun
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto const byte = static_cast<unsigned char>(text[at]);
    bool const goes_on = (byte & 0xC0U) == 0x80U;
    // U+0080 to U+009F, which a terminal obeys as it does ESC: written as the second of their two bytes is.
    auto const next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {
      awaited = 0;
    } else if ((goes_on && awaited == 0) || (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7F) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      out += hex;
      awaited = 0;
    } else {
      out += text[at];
      awaited = goes_on ? awaited - 1 : byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
    }
  }
  return out;
}

std::string harmless_block(std::string_view text, std::size_t indent) {
  std::string out;
  for (char const c : harmless(text)) {
    out += c;
    if (c == '\n') out.append(indent, ' ');
  }
  return out;
}

std::string harmless_line(std::string_view text) {
  std::string out;
  for (char const c : harmless(text)) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else
      out += c;
  }
  return out;
}

void clear_status() {
  if (!status_shown) return;
  std::cerr << "\r\033[K" << std::flush;
  status_shown = false;
}

void status(std::string_view text) {
  if (!colour_on_stderr()) return;
  std::cerr << "\r\033[K" << inked(Ink::dim, text) << std::flush;
  status_shown = true;
}

void say(std::string_view text) {
  clear_status();
  std::cerr << "any: " << harmless(text) << '\n';
}

int exit_code(ErrorName name) noexcept {
  switch (name) {
    case ErrorName::ScriptError:
    case ErrorName::NotSerializableError:
    case ErrorName::ResultTooLargeError:
      return exit_script;
    case ErrorName::BadRequestError:
      return exit_usage;
    case ErrorName::NoBrowserError:
    case ErrorName::PausedError:
      return exit_no_browser;
    case ErrorName::TimeoutError:
      return exit_timeout;
    case ErrorName::CancelledError:
      return exit_cancelled;
    case ErrorName::TabNotFoundError:
    case ErrorName::FrameNotFoundError:
    case ErrorName::ForbiddenPageError:
    case ErrorName::WorldUnavailableError:
    case ErrorName::NavigatedError:
    case ErrorName::TabClosedError:
    case ErrorName::PageCrashedError:
    case ErrorName::BrowserLostError:
      return exit_infrastructure;
    case ErrorName::UnavailableError:
    case ErrorName::ProtocolError:
      return exit_no_daemon;
    default:
      return exit_refused;
  }
}

int fail(Error const& error) {
  clear_status();
  auto const text = [&](char const* member) -> std::string {
    auto const* value = error.extra.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
  };
  std::cerr << inked(Ink::red, to_string(error.name)) << ": " << harmless(error.message) << '\n';
  if (auto const stack = text("stack"); !stack.empty() && stack != error.message) {
    std::cerr << inked(Ink::dim, harmless(stack)) << '\n';
  }
  if (auto const path = text("path"); !path.empty() && error.message.find(path) == std::string::npos) {
    std::cerr << "  at " << harmless(path) << '\n';
  }
  if (auto const hint = text("hint"); !hint.empty()) std::cerr << "  " << harmless(hint) << '\n';
  if (auto const* list = error.extra.if_contains("tabs");
      list != nullptr && list->is_array() && !list->as_array().empty()) {
    std::cerr << "  open tabs:\n";
    for (auto const& entry : list->as_array()) {
      auto const* tab = entry.if_object();
      if (tab == nullptr) continue;
      auto const member = [&](char const* name) {
        auto const* value = tab->if_contains(name);
        if (value == nullptr) return std::string();
        return value->is_string()  ? harmless_line(value->as_string())
               : value->is_int64() ? std::to_string(value->as_int64())
                                   : std::string();
      };
      std::cerr << "    " << member("id") << "  " << cut(member("url"), 80) << "  " << cut(member("title"), 40) << '\n';
    }
  }
  return exit_code(error.name);
}

void print_table(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (auto& cell : row) cell = harmless_line(cell);
  }
  std::vector<std::size_t> widths;
  for (auto const& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], width(row[column]));
  }
  auto const room = stdout_is_terminal() ? terminal_width() : 0;
  for (auto const& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column];
      if (column + 1 < row.size()) line.append(widths[column] - width(row[column]) + 2, ' ');
    }
    std::cout << (room > 0 && width(line) > room ? cut(line, room - 1) : line) << '\n';
  }
}

long long parse_iso(std::string_view iso) {
  std::tm parts{};
  int millis = 0;
  if (std::sscanf(std::string(iso).c_str(), "%d-%d-%dT%d:%d:%d.%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &millis) != 7) {
    return 0;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<long long>(timegm(&parts)) * 1000 + millis;
}

std::string age(std::string_view iso) {
  auto const then = parse_iso(iso);
  if (then == 0) return "never";
  auto const seconds = std::max<long long>(0, (SystemClock{}.now().wall - then) / 1000);
  constexpr long long minute = 60, hour = 60 * minute, day = 24 * hour;
  if (seconds < 90) return std::to_string(seconds) + " s ago";
  if (seconds < 90 * minute) return std::to_string(seconds / minute) + " min ago";
  if (seconds < 36 * hour) return std::to_string(seconds / hour) + " h ago";
  return std::to_string(seconds / day) + " days ago";
}

}  // namespace any::cli
