#include "cdp/protocol/transport.hpp"

#include <stdexcept>

namespace any::cdp {

void throw_exception_from_error(Failure const& failure, boost::source_location const&) {
  throw std::logic_error("the value of a failed CDP call was taken: " + failure.message);
}

}  // namespace any::cdp
