#pragma once
// What `any doctor` looks at, from the daemon outwards to the pages.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "cli/options.hpp"

namespace any::cli {

enum class Verdict : unsigned char { ok, note, problem };
std::string_view to_string(Verdict verdict) noexcept;

struct Finding {
  std::string check;  ///< a fixed name, e.g. "daemon.running"; its first word tells the part
  Verdict verdict = Verdict::ok;
  std::string text;  ///< what is so
  std::string next;  ///< what to do; empty where there is nothing to do
};
using Findings = std::vector<Finding>;

/// All findings, in the order in which a person should mend them; checks that need a part that is missing are left out.
Findings examine(Reach const& reach);

/// The exit code of `any doctor`: that of the first problem.
int exit_code(Findings const& findings) noexcept;

// Parts of examine().

/// How this program and the daemon that runs stand to each other.
Findings check_versions(std::string_view program, std::string_view daemon);
/// `browsers`: as browsers.list answers; `daemon_version`: of the daemon that answered.
Findings check_browsers(boost::json::array const& browsers, std::string_view daemon_version);
/// Extensions that the daemon does not let link, as its health names them.
Findings check_refused(boost::json::array const& ids);
/// Proxies that the environment names and that would catch calls to `host`, the daemon's.
Findings check_proxy(Environment const& environment, std::string_view host);
/// What the name localhost means here, and whether the daemon (`pid`) is found by it.
Findings check_localhost(Reach const& reach, std::string_view pid);

}  // namespace any::cli
