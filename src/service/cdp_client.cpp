#include "service/cdp_client.hpp"

#include "base/guard.hpp"

namespace any::service {

namespace {

bool fits(std::string_view pattern, std::string_view method) {
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return pattern == method;
  pattern.remove_suffix(1);
  return method.starts_with(pattern);
}

}  // namespace

CdpClient::CdpClient(std::shared_ptr<CdpBridge> bridge, boost::asio::any_io_executor executor, cdp::ClientId id,
                     cdp::Entry entry)
    : bridge_(std::move(bridge)), executor_(std::move(executor)), id_(id) {
  bridge_->gateway().open(id_, std::move(entry), *this);
  bridge_->entered();
}

CdpClient::~CdpClient() {
  bridge_->gateway().gone(id_);
  bridge_->entered();
}

Async<CdpResult<std::string>> CdpClient::call(std::string method, std::string params, std::optional<Millis> deadline,
                                              std::string session) {
  if (closed_) co_return cdp::Failure{cdp::link_lost, *closed_};
  auto const id = std::to_string(++last_call_);
  auto const answer = waiting_.emplace(id, async::OneShot<CdpResult<std::string>>(executor_)).first->second;
  Finally const over([&] { waiting_.erase(id); });
  bridge_->gateway().receive({{id_, std::move(session), id}, method, std::move(params)});
  bridge_->entered();
  auto said = co_await answer.wait(deadline);
  if (said) co_return std::move(*said);
  co_return cdp::Failure{too_late,
                         method + " was not answered " +
                             (deadline ? "within " + std::to_string(*deadline) + " ms" : std::string("in time")) +
                             ": it may or may not have been carried out."};
}

void CdpClient::on_event(std::string pattern, OnEvent handler) {
  handlers_.push_back({std::move(pattern), std::move(handler)});
}

void CdpClient::answered(std::string_view id, cdp::Answer const& answer) {
  auto const found = waiting_.find(id);
  if (found == waiting_.end()) return;
  answer ? found->second.set(std::string(*answer)) : found->second.set(answer.error());
}

void CdpClient::event(std::string_view session, std::string_view method, std::string_view params) {
  for (auto const& handler : handlers_) {
    if (fits(handler.pattern, method)) handler.call(session, method, params);
  }
}

void CdpClient::closed(std::string_view reason) {
  if (closed_) return;
  closed_ = std::string(reason);
  for (auto const& [id, answer] : waiting_) answer.set(cdp::Failure{cdp::link_lost, *closed_});
  if (on_closed_) on_closed_();
}

}  // namespace any::service
