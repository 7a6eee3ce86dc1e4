#include "async/post.hpp"

#include <boost/asio/post.hpp>

#include "base/guard.hpp"

namespace any::async {

void post(boost::asio::any_io_executor const& executor, std::string what, std::function<void()> call) {
  boost::asio::post(executor, [what = std::move(what), call = std::move(call)] { guarded(what, call); });
}

}  // namespace any::async
