// Who is at the other end of a loopback connection, and who holds a port: the kernel's own tables tell.

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "net/http_server.hpp"

namespace any::net {
namespace {

constexpr unsigned every_state = 0xFFFFFFFF;
constexpr int tcp_listen = 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_{fd} {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

// One socket, asked for by its four numbers. The kernel shows uid 0 for a socket whose process has let go of it
// already: such a one has no inode, and counts as not told.
std::optional<unsigned> uid_by_netlink(Peer const& peer) {
  struct {
    nlmsghdr head;
    inet_diag_req_v2 question;
  } message{};
  auto& id = message.question.id;
  auto const v6 = peer.address.find(':') != std::string::npos;
  auto const family = v6 ? AF_INET6 : AF_INET;
  if (::inet_pton(family, peer.address.c_str(), id.idiag_src) != 1) return std::nullopt;
  if (::inet_pton(family, peer.local_address.c_str(), id.idiag_dst) != 1) return std::nullopt;
  id.idiag_sport = htons(peer.port);
  id.idiag_dport = htons(peer.local_port);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  message.question.sdiag_family = static_cast<__u8>(family);
  message.question.sdiag_protocol = IPPROTO_TCP;
  message.question.idiag_states = every_state;
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.head.nlmsg_flags = NLM_F_REQUEST;

  Descriptor const socket{::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  if (socket.get() < 0 || ::send(socket.get(), &message, sizeof message, 0) < 0) return std::nullopt;
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  auto const size = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  nlmsghdr head{};
  inet_diag_msg found{};
  if (size < static_cast<ssize_t>(NLMSG_HDRLEN + sizeof found)) return std::nullopt;
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  if (found.idiag_inode == 0) return std::nullopt;
  return found.idiag_uid;
}

struct TableRow {
  std::string local, remote;  // "0100007F:223E"
  int state = 0;
  unsigned uid = 0;
  unsigned long inode = 0;
};

template <class Visit>
void each_row(char const* file, Visit visit) {
  std::ifstream table{file};
  std::string line;
  std::getline(table, line);  // the headings
  while (std::getline(table, line)) {
    std::istringstream words{line};
    TableRow row;
    std::string number, state, queues, timer, retransmits, timeout;
    words >> number >> row.local >> row.remote >> state >> queues >> timer >> retransmits >> row.uid >> timeout >>
        row.inode;
    if (!words) continue;
    row.state = static_cast<int>(std::strtol(state.c_str(), nullptr, 16));
    if (visit(row)) return;
  }
}

// An address as the tables write it: 32-bit words in the machine's byte order, in hex.
std::string table_address(std::string const& address, std::uint16_t port) {
  auto const v6 = address.find(':') != std::string::npos;
  std::array<std::uint32_t, 4> words{};
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), words.data()) != 1) return {};
  std::string text;
  std::array<char, 16> hex{};
  for (std::size_t i = 0; i < (v6 ? 4U : 1U); ++i) {
    std::snprintf(hex.data(), hex.size(), "%08X", words[i]);
    text += hex.data();
  }
  std::snprintf(hex.data(), hex.size(), ":%04X", static_cast<unsigned>(port));
  return text + hex.data();
}

std::optional<unsigned> uid_by_table(Peer const& peer) {
  auto const local = table_address(peer.address, peer.port);
  auto const remote = table_address(peer.local_address, peer.local_port);
  if (local.empty() || remote.empty()) return std::nullopt;
  std::optional<unsigned> uid;
  each_row(peer.address.find(':') != std::string::npos ? "/proc/net/tcp6" : "/proc/net/tcp", [&](TableRow const& row) {
    if (row.local != local || row.remote != remote || row.inode == 0) return false;
    uid = row.uid;
    return true;
  });
  return uid;
}

std::string process_with(std::set<std::string> const& sockets) {
  auto const close_directory = [](DIR* directory) { ::closedir(directory); };
  using Directory = std::unique_ptr<DIR, decltype(close_directory)>;
  Directory const processes{::opendir("/proc"), close_directory};
  if (!processes) return {};
  while (auto const* process = ::readdir(processes.get())) {
    std::string const pid = static_cast<char const*>(process->d_name);
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    Directory const files{::opendir(("/proc/" + pid + "/fd").c_str()), close_directory};
    if (!files) continue;  // another user's
    while (auto const* file = ::readdir(files.get())) {
      std::array<char, 64> target{};
      auto const length =
          ::readlinkat(::dirfd(files.get()), static_cast<char const*>(file->d_name), target.data(), target.size());
      if (length <= 0 || sockets.count(std::string(target.data(), static_cast<std::size_t>(length))) == 0) continue;
      std::ifstream command{"/proc/" + pid + "/comm"};
      std::string name;
      std::getline(command, name);
      return "pid " + pid + (name.empty() ? "" : " (" + name + ")");
    }
  }
  return {};
}

}  // namespace

std::optional<unsigned> peer_uid(Peer const& peer) {
  auto const told = uid_by_netlink(peer);
  return told ? told : uid_by_table(peer);
}

std::string port_holder(std::uint16_t port) {
  std::array<char, 8> hex{};
  std::snprintf(hex.data(), hex.size(), ":%04X", static_cast<unsigned>(port));
  std::set<std::string> sockets;
  std::string owner;
  for (auto const* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    each_row(file, [&](TableRow const& row) {
      if (row.state == tcp_listen && row.local.ends_with(hex.data())) {
        sockets.insert("socket:[" + std::to_string(row.inode) + "]");
        owner = "a program of user " + std::to_string(row.uid);
      }
      return false;
    });
  }
  if (sockets.empty()) return "another program";
  auto const process = process_with(sockets);
  return process.empty() ? owner : process;
}

}  // namespace any::net
