#pragma once
// How words reach a person: results on stdout, everything else on stderr, colour on a terminal only.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace any::cli {

/// True where that stream is a terminal that takes colour (NO_COLOR unset, TERM not "dumb").
bool colour_on_stderr();
bool stdout_is_terminal();

enum class Ink { plain, dim, red, yellow, green, bold };
/// The text in that colour on a colour terminal, else as it is.
std::string inked(Ink ink, std::string_view text);
/// Text from a page or a file made harmless for a terminal: control characters (C0 but tab and newline, DEL, C1) become
/// \xNN, and so do bytes in 0x80-0xBF that belong to no character.
std::string harmless(std::string_view text);
/// The same with further lines indented by so much: none of them can be taken for a line of ours.
std::string harmless_block(std::string_view text, std::size_t indent);
/// The same where a line or a cell is all the room it may take: newline and tab become \n and \t.
std::string harmless_line(std::string_view text);

/// One line on stderr: "any: …".
void say(std::string_view text);
/// A line that the next status or line replaces, on a terminal only.
void status(std::string_view text);
void clear_status();

/// Prints the error with its cause, position, hint and what to do; returns the exit code for its name.
int fail(Error const& error);
int exit_code(ErrorName name) noexcept;

/// Columns as wide as they must be, the last one cut to the terminal's width; the first row is the heading.
void print_table(std::vector<std::vector<std::string>> rows);
/// "3 s ago", "2 h ago", "never" for an empty time; `iso` is the protocol's time.
std::string age(std::string_view iso);
/// Wall milliseconds of the protocol's time text; 0 where it is none.
long long parse_iso(std::string_view iso);

}  // namespace any::cli
