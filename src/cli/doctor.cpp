#include <algorithm>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/checks.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace {

void print(Finding const& finding) {
  char const* mark = "ok  ";
  auto ink = Ink::green;
  if (finding.verdict == Verdict::note) mark = "note", ink = Ink::yellow;
  if (finding.verdict == Verdict::problem) mark = "BAD ", ink = Ink::red;
  std::cout << (stdout_is_terminal() ? inked(ink, mark) : mark) << "  " << harmless_line(finding.text) << '\n';
  if (!finding.next.empty()) std::cout << "      → " << harmless_line(finding.next) << '\n';
}

void print_json(Findings const& findings) {
  boost::json::array all;
  for (auto const& [check, verdict, text, next] : findings)
    all.push_back(
        boost::json::object{{"check", check}, {"verdict", to_string(verdict)}, {"text", text}, {"next", next}});
  std::cout << boost::json::serialize(all) << '\n';
}

}  // namespace

int doctor(Reach const& reach, DoctorOptions const& options) {
  auto const findings = examine(reach);
  auto const code = exit_code(findings);
  if (options.json) {
    print_json(findings);
    return code;
  }
  std::for_each(findings.begin(), findings.end(), print);
  if (code == exit_ok) std::cout << "nothing stands in the way: try  any eval 'return document.title'\n";
  return code;
}

}  // namespace any::cli
