#pragma once
// What a caller can have done, one function each. REST and the RPC socket both call these, so that they cannot differ.

#include <boost/json/array.hpp>
#include <string>

#include "api/api.hpp"
#include "api/fields.hpp"
#include "api/refused_extensions.hpp"

namespace any::api {

/// The result as JSON text.
struct Answer {
  std::string json = "{}";
  bool created = false;  ///< tasks.submit: the id was new
};

class Operations {
 public:
  Operations(Services const& services, RefusedExtensions const& refused, bool token_demanded)
      : services_{services}, refused_{refused}, token_demanded_{token_demanded} {}

  using Operation = Async<Result<Answer>> (Operations::*)(Fields);

  Async<Result<Answer>> tasks_submit(Fields in);        ///< {…request, wait}
  Async<Result<service::Submitted>> submit(Fields in);  ///< {…request}
  Async<Result<Answer>> tasks_get(Fields in);           ///< {id, wait}
  Async<Result<Answer>> tasks_list(Fields in);          ///< {state, label, browser, limit, before}
  Async<Result<Answer>> tasks_cancel(Fields in);        ///< {id}

  Async<Result<Answer>> browsers_list(Fields in);
  Async<Result<Answer>> browsers_label(Fields in);   ///< {id, label}
  Async<Result<Answer>> browsers_forget(Fields in);  ///< {id}
  Async<Result<Answer>> browsers_chrome(Fields in);  ///< {id, path, args}
  Async<Result<Answer>> browsers_reload(Fields in);  ///< {id}
  Async<Result<Answer>> browsers_wait(Fields in);    ///< {timeout}
  Async<Result<Answer>> tabs_list(Fields in);        ///< {browser}

  Async<Result<Answer>> logs_list(Fields in);  ///< {limit, since}
  Async<Result<Answer>> health(Fields in);
  Async<Result<Answer>> shutdown(Fields in);

  Services const& services() const { return services_; }

  static constexpr Millis longest_wait = 300'000;

 private:
  Async<Result<boost::json::value>> chrome(std::string browser, std::string path, boost::json::array args);
  boost::json::object told(browser::Info const& info) const;
  Async<Result<void>> tabs_of(std::string browser, boost::json::array& into);

  Services const& services_;
  RefusedExtensions const& refused_;
  bool token_demanded_;
};

}  // namespace any::api
