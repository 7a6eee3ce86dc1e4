#pragma once
// Heads of messages, as text: how they are read and written.

#include <string>
#include <string_view>

#include "net/http_server.hpp"

namespace any::net {

/// Equal but for upper and lower case (ASCII).
bool same_word(std::string_view a, std::string_view b) noexcept;
/// Whether a comma-separated header value holds that word.
bool has_token(std::string_view list, std::string_view token) noexcept;
/// Fills in path and query from head.target; false where it cannot be read.
bool read_target(Head& head);

enum class Framing : unsigned char { length, chunked, until_close };

/// The head of an answer, ready to be sent. Headers that hold line breaks are left out.
std::string response_head(Response const& response, Framing framing, bool close, bool http_1_0);

}  // namespace any::net
