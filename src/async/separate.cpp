// Asio's own code, compiled once for the whole house.
#include <boost/asio/impl/src.hpp>
