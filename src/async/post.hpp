#pragma once
// A call that is made later on the io thread.

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <string>

namespace any::async {

/// From any thread; calls are made in their order. What one throws is logged under `what`.
void post(boost::asio::any_io_executor const& executor, std::string what, std::function<void()> call);

}  // namespace any::async
