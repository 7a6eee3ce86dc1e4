#pragma once
// The examples' pages, embedded, on a port of their own: what is served as HTML never shares the daemon's origin.

#include "net/http_server.hpp"

namespace any::api {

net::Handler pages_handler();

}  // namespace any::api
