# Puts files into the program: any_embed(<target> <name> <folder> [<name> <folder> …]) makes a library that defines
# any::embedded (base/embedded.hpp) for those sets. The assembler copies the bytes, so size costs no compile time.
function(any_embed_type path out)
  set(type application/octet-stream)
  foreach(rule "html?=text/html; charset=utf-8" "m?js=text/javascript; charset=utf-8" "css=text/css; charset=utf-8"
               "json=application/json" "svg=image/svg+xml" "png=image/png" "txt|md=text/plain; charset=utf-8"
               "csv=text/csv; charset=utf-8" "ico=image/x-icon" "jpe?g=image/jpeg" "pdf=application/pdf" "xml=text/xml; charset=utf-8")
    string(REGEX MATCH "^([^=]+)=(.+)$" matched "${rule}")
    set(value "${CMAKE_MATCH_2}")
    if(path MATCHES "\\.(${CMAKE_MATCH_1})$")
      set(type "${value}")
    endif()
  endforeach()
  set(${out} "${type}" PARENT_SCOPE)
endfunction()

function(any_embed target)
  set(bytes "")
  set(tables "")
  set(cases "")
  set(depends "")
  set(number 0)
  set(sets ${ARGN})
  while(sets)
    list(POP_FRONT sets name folder)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS LIST_DIRECTORIES false RELATIVE ${folder} ${folder}/*)
    list(SORT files)
    set(rows "")
    set(count 0)
    foreach(file IN LISTS files)
      if(file MATCHES "(^|/)\\.|~$|\\.new$")
        continue()
      endif()
      any_embed_type("${file}" type)
      set(symbol any_file_${number})
      string(APPEND bytes "asm(\".section .rodata\\n.global ${symbol}_begin\\n.hidden ${symbol}_begin\\n${symbol}_begin:\\n.incbin \\\"${folder}/${file}\\\"\\n\"\n"
                          "    \".global ${symbol}_end\\n.hidden ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n.text\\n\");\n"
                          "extern \"C\" char const ${symbol}_begin[], ${symbol}_end[];\n")
      string(APPEND rows "      {\"${file}\", \"${type}\", text(${symbol}_begin, ${symbol}_end)},\n")
      list(APPEND depends "${folder}/${file}")
      math(EXPR number "${number} + 1")
      math(EXPR count "${count} + 1")
    endforeach()
    if(count GREATER 0)
      string(APPEND cases "  if (name == \"${name}\") {\n    static EmbeddedFile const files[] = {\n${rows}    };\n    return files;\n  }\n")
    endif()
  endwhile()
  set(source ${CMAKE_BINARY_DIR}/embedded/${target}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "// Made by cmake/embed.cmake.
#include \"base/embedded.hpp\"

${bytes}
namespace any {
namespace {
[[maybe_unused]] std::string_view text(char const* begin, char const* end) noexcept { return {begin, static_cast<std::size_t>(end - begin)}; }
}  // namespace

std::span<EmbeddedFile const> embedded(std::string_view name) noexcept {
${cases}  static_cast<void>(name);
  return {};
}

EmbeddedFile const* embedded_file(std::string_view name, std::string_view path) noexcept {
  for (auto const& file : embedded(name)) {
    if (file.path == path) return &file;
  }
  return nullptr;
}
}  // namespace any
")
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${depends}")
  add_library(${target} STATIC ${source})
  # The compiler's cache does not see what the assembler copies.
  set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "")
  target_link_libraries(${target} PUBLIC any_options)
endfunction()
