#pragma once
// Files that lie in the program itself (cmake/embed.cmake), so that one binary is the whole installation.

#include <span>
#include <string_view>

namespace any {

struct EmbeddedFile {
  std::string_view path;          ///< within its folder: "ui/popup.html"
  std::string_view content_type;  ///< "text/html; charset=utf-8"
  std::string_view bytes;
};

/// The files of that set ("extension", "pages", "api"), sorted by path; empty for a name that there is not.
/// Link any_embedded to have it.
std::span<EmbeddedFile const> embedded(std::string_view name) noexcept;
/// One file of a set, or null.
EmbeddedFile const* embedded_file(std::string_view name, std::string_view path) noexcept;

}  // namespace any
