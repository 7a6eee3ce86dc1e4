#pragma once
// Figures for Prometheus, in its text format.

#include <string>

#include "api/ops/operation.hpp"

namespace any::api {

std::string metrics_text(Context const& context);

}  // namespace any::api
