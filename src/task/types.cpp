#include "task/types.hpp"

#include <algorithm>
#include <array>

namespace any::task {
namespace {

constexpr std::array<std::string_view, 6> states{"queued", "dispatched", "running", "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, 3> worlds{"main", "isolated", "user"};
constexpr std::array<std::string_view, 4> injections{"", "scripting", "userScripts", "debugger"};

template <class Enum, std::size_t N>
std::optional<Enum> from(std::array<std::string_view, N> const& names, std::string_view text) noexcept {
  auto const found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_string(State state) noexcept {
  return states[static_cast<std::size_t>(state)];
}
std::string_view to_string(World world) noexcept {
  return worlds[static_cast<std::size_t>(world)];
}
std::string_view to_string(Injection injection) noexcept {
  return injections[static_cast<std::size_t>(injection)];
}
std::optional<State> state_from(std::string_view text) noexcept {
  return from<State>(states, text);
}
std::optional<World> world_from(std::string_view text) noexcept {
  return from<World>(worlds, text);
}
std::optional<Injection> injection_from(std::string_view text) noexcept {
  return from<Injection>(injections, text);
}

std::string const& client_id(Request const& request) {
  auto const given = request.labels.find(std::string(client_id_label));
  return request.door == Door::prototype && given != request.labels.end() ? given->second : request.id;
}

}  // namespace any::task
