#pragma once
// A task's words as JSON and back: the request of the doors, the record they answer with, the journal's own text.

#include <boost/json/value.hpp>

#include "task/types.hpp"

namespace any::task {

/// Nesting allowed in `args`, and anywhere when the journal is read back.
inline constexpr std::size_t max_json_depth = 512;

/// The body of POST /v1/tasks. `id` is empty where the body gives none. BadRequestError with `path` for an unknown
/// field, a wrong type, a value out of range, a script that is missing.
Result<Request> request_from_json(boost::json::value const& body);
/// The same text for two bodies that ask the same (the id aside; order of members and fields left at their default do
/// not count).
std::string request_to_canonical(Request const& request);

/// The record of docs/protocol.md as JSON text. `result`: raw JSON put in as it is; nothing: null.
std::string record_to_json(Record const& record, std::optional<std::string_view> result = std::nullopt);
/// The record of a list: without result, console and args.
std::string summary_to_json(Record const& record);
/// {"seq","time","kind", …data} as JSON text.
std::string event_to_json(Event const& event);

/// Compact text for the journal, without script and args.
std::string to_journal(Record const& record);
/// Reads it back; InternalError where the text is damaged.
Result<Record> from_journal(std::string_view text);
/// Adds to a record what a journaled event with seq > record.last_seq says (console lines, progress); older ones change
/// nothing.
void fold(Record& record, Event const& event);

/// "*://*.example.com/*", "<all_urls>", … as Chrome takes them. BadRequestError with `path`.
Result<void> check_match_pattern(std::string_view pattern, std::string_view path);

/// A JSON string, with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(std::string_view text);
/// The data of a "console" event.
std::string console_data(ConsoleLine const& line);

}  // namespace any::task
