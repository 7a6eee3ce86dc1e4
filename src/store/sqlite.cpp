#include "store/sqlite.hpp"

namespace any::store {
namespace {

[[noreturn]] void fail(sqlite3* handle, int code) {
  throw SqliteFailure{handle ? sqlite3_extended_errcode(handle) : code,
                      handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code)};
}

}  // namespace

Rows::~Rows() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Rows::next() {
  auto const code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(sqlite3_db_handle(statement_), code);
  return false;
}

std::string_view Rows::text(int column) const noexcept {
  auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement_, column));
  return bytes ? std::string_view{bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))}
               : std::string_view{};
}

Statement::Statement(Connection const& connection, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  auto const code = sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                                       SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) fail(connection.handle(), code);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement_.get()), code);
}

void Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind(int index, std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), index, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}

void Statement::bind(int index, Blob blob) {
  check(sqlite3_bind_blob64(statement_.get(), index, blob.bytes.data() ? blob.bytes.data() : "", blob.bytes.size(),
                            SQLITE_STATIC));
}

void Statement::bind(int index, std::nullptr_t) {
  check(sqlite3_bind_null(statement_.get(), index));
}

Connection::Connection(std::string const& path, std::string const& vfs) {
  sqlite3* handle = nullptr;
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                        SQLITE_OPEN_EXRESCODE;
  auto const code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(handle, code);
}

void Connection::exec(char const* sql) const {
  auto const code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
}

std::string Connection::text_of(std::string_view sql) const {
  Statement statement{*this, sql};
  auto rows = statement.rows();
  return rows.next() ? std::string{rows.text(0)} : std::string{};
}

std::int64_t Connection::integer_of(std::string_view sql) const {
  Statement statement{*this, sql};
  auto rows = statement.rows();
  return rows.next() ? rows.integer(0) : 0;
}

}  // namespace any::store
