#include <iostream>

#include "cli/commands.hpp"

namespace any::cli {
namespace {

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string names(std::vector<CommandWords> const& commands) {
  std::vector<std::string> out;
  out.reserve(commands.size());
  for (auto const& command : commands) out.push_back(command.name);
  return joined(out);
}

/// What stands where a value is due: task ids and browsers are asked of the daemon, and only of one that runs.
constexpr char const* dynamic_words = R"(  case $prev in
    task|result|cancel) words=$(any tasks --limit 50 --json 2>/dev/null | grep -o '"id":"[^"]*"' | cut -d'"' -f4) ;;
    --browser) words=$(any browsers --json 2>/dev/null | grep -o '"label":"[^"]*"' | cut -d'"' -f4) ;;
    --world) words="main isolated user" ;;
    --status) words="queued dispatched running completed failed cancelled" ;;
    --log-format) words="text json" ;;
    completion) words="bash zsh fish" ;;
)";

void bash(std::vector<CommandWords> const& commands) {
  std::cout << "# any: completion for bash. In ~/.bashrc:  eval \"$(any completion bash)\"\n"
               "_any() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
            << dynamic_words << "  esac\n"
            << "  if [[ -z $words && $COMP_CWORD == 1 ]]; then words=\"" << names(commands) << "\"; fi\n"
            << "  if [[ -z $words && $cur == -* ]]; then case ${COMP_WORDS[1]} in\n";
  for (auto const& command : commands)
    std::cout << "    " << command.name << ") words=\"" << joined(command.flags) << "\" ;;\n";
  std::cout << "  esac; fi\n"
               "  if [[ -n $words ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")); else COMPREPLY=($(compgen "
               "-f -- \"$cur\")); fi\n"
               "}\ncomplete -o filenames -F _any any\n";
}

std::string quoted(std::string const& text) {
  std::string out = "'";
  for (char const c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void zsh(std::vector<CommandWords> const& commands) {
  std::cout << "#compdef any\n# any: completion for zsh. In ~/.zshrc, after compinit:  eval \"$(any completion zsh)\"\n"
               "_any() {\n  local -a commands\n  commands=(\n";
  for (auto const& command : commands) std::cout << "    " << quoted(command.name + ":" + command.help) << '\n';
  std::cout << "  )\n  if (( CURRENT == 2 )); then _describe 'command' commands; return; fi\n  case $words[2] in\n";
  for (auto const& command : commands) {
    std::cout << "    " << command.name << ") [[ $words[CURRENT] == -* ]] && { compadd -- " << joined(command.flags)
              << "; return } ;;\n";
  }
  std::cout << "  esac\n  _files\n}\ncompdef _any any\n";
}

void fish(std::vector<CommandWords> const& commands) {
  std::cout << "# any: completion for fish. In ~/.config/fish/config.fish:  any completion fish | source\n";
  for (auto const& command : commands) {
    std::cout << "complete -c any -n __fish_use_subcommand -f -a " << command.name << " -d " << quoted(command.help)
              << '\n';
    for (auto const& flag : command.flags) {
      std::cout << "complete -c any -n '__fish_seen_subcommand_from " << command.name << "' -l " << flag.substr(2)
                << '\n';
    }
  }
}

}  // namespace

int completion(std::string const& shell, std::vector<CommandWords> const& commands) {
  if (shell == "bash") bash(commands);
  if (shell == "zsh") zsh(commands);
  if (shell == "fish") fish(commands);
  return exit_ok;
}

}  // namespace any::cli
