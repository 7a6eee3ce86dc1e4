#pragma once
// The coroutine type of everything that waits, and the one loop it runs on.

#include <boost/asio/awaitable.hpp>

namespace any {

template <class T>
using Async = boost::asio::awaitable<T>;

}  // namespace any
