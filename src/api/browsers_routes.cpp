// Answers about a browser that are not JSON.
#include "api/rest.hpp"

namespace any::api {

Async<void> Rest::browser_forget(Call call) {
  auto const gone = co_await operations_.browsers_forget(std::move(call.fields));
  auto response = gone.has_error() ? failure_response(gone.error()) : json_response(204, "");
  co_await call.exchange.respond(std::move(response));
}

}  // namespace any::api
