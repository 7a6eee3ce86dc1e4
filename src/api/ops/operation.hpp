#pragma once
// An operation: one thing that a caller can have done, and all that the doors have to know of it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.hpp"
#include "api/event_stream.hpp"
#include "api/live.hpp"
#include "api/ops/input.hpp"
#include "api/refused_extensions.hpp"

namespace any::api {

constexpr std::string_view json_type = "application/json";
constexpr Millis longest_wait = 300'000;  ///< of one call

/// What the operations work on.
struct Context {
  Services const& services;
  RefusedExtensions const& refused;
  bool token_demanded;
  Metrics& metrics;
  Live const& live;
};

/// A caller that can be told of what comes later: one on the RPC socket.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  /// The task's events with seq > after, anew where it was watched already. They are held until open_task().
  virtual Async<Result<void>> watch_task(std::string id, std::uint64_t after) = 0;
  virtual void open_task(std::string const& id) = 0;
  virtual void unwatch_task(std::string const& id) = 0;
  /// The log's lines with seq > since.
  virtual void watch_log(std::uint64_t since) = 0;
  /// The events of this CDP client, which is kept until the socket ends or another takes its place.
  virtual void watch_cdp(std::shared_ptr<service::CdpClient> client, std::string pattern) = 0;
};

/// What goes on after REST's answer has begun.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// Until the stream has ended.
  virtual Async<void> serve(EventStream& events, net::Stream& stream) = 0;
};

struct Answer {
  std::string body = "{}";
  std::string_view type = json_type;
  int status = 200;                       ///< of REST's answer
  std::string watched{};                  ///< the task to open when the answer has gone
  std::unique_ptr<EventSource> events{};  ///< there: REST answers with server-sent events
};

struct Call {
  Context const& context;
  Input in;
  Subscriber* subscriber = nullptr;  ///< on the RPC socket
};

/// What a call may change.
enum class Effect : unsigned char {
  reads,       ///< nothing
  repeatable,  ///< twice is as good as once
  once,        ///< whoever does not know whether it was done must not simply ask again
};

struct Route {
  std::string_view method{};   ///< empty: it has no route
  std::string_view pattern{};  ///< "/v1/tasks/{id}"
  std::string_view resume{};   ///< the field that the header Last-Event-ID fills
};

/// For /openapi.json.
struct Reply {
  int status = 0;
  std::string_view about{};
  std::string_view schema = "Failure";  ///< name in openapi/schemas.json; empty: any
  std::string_view type = json_type;    ///< empty: no body
};

struct Operation {
  std::string_view name;
  std::string_view about;
  Effect effect = Effect::once;
  /// Of a GET the fields that are not in the path come in the query, else in the body.
  Schema input = R"({"additionalProperties": false})";
  std::string_view output{};  ///< name in openapi/schemas.json; empty: any
  Route route{};
  bool rpc = true;               ///< false: its answer is not JSON alone
  std::vector<Reply> replies{};  ///< further ones than 200 with `output`, or instead of it where they have a success
  Async<Result<Answer>> (*run)(Call) = nullptr;
};

}  // namespace any::api
