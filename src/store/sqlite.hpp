#pragma once
// SQLite, held by owners: a connection, its statements, the rows of one run. Failures are thrown as SqliteFailure and
// become Results where the store answers.

#include <sqlite3.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace any::store {

class SqliteFailure final : public std::exception {
 public:
  SqliteFailure(int code, std::string message) : code_{code}, message_{std::move(message)} {}
  int code() const noexcept { return code_; }  ///< extended
  int primary() const noexcept { return code_ & 0xFF; }
  char const* what() const noexcept override { return message_.c_str(); }

 private:
  int code_;
  std::string message_;
};

/// Bytes, bound as BLOB; a plain string_view is bound as TEXT.
struct Blob {
  std::string_view bytes;
};

/// One run of a statement. The next run begins when this one has gone.
class Rows {
 public:
  explicit Rows(sqlite3_stmt* statement) noexcept : statement_{statement} {}
  ~Rows();
  Rows(Rows const&) = delete;
  Rows& operator=(Rows const&) = delete;

  bool next();
  bool is_null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }
  /// TEXT or BLOB; valid until next().
  std::string_view text(int column) const noexcept;

 private:
  sqlite3_stmt* statement_;
};

class Connection;

/// A prepared statement, kept for the life of its connection. Bound texts must live until the run is over.
class Statement {
 public:
  Statement(Connection const& connection, std::string_view sql);

  template <class... Values>
  Rows rows(Values const&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return Rows{statement_.get()};
  }
  /// For values that are known one by one.
  class Bound {
   public:
    explicit Bound(Statement& statement) noexcept : statement_{statement} {}
    template <class Value>
    Bound& add(Value const& value) {
      statement_.bind(++index_, value);
      return *this;
    }
    Rows rows() const { return Rows{statement_.statement_.get()}; }

   private:
    Statement& statement_;
    int index_ = 0;
  };
  Bound bound() { return Bound{*this}; }

  template <class... Values>
  void run(Values const&... values) {
    auto run = rows(values...);
    while (run.next()) {
    }
  }

 private:
  void bind(int index, std::int64_t value);
  void bind(int index, std::string_view text);
  void bind(int index, Blob blob);
  void bind(int index, std::nullptr_t);
  void bind(int index, bool value) { bind(index, std::int64_t{value}); }
  template <class T>
  void bind(int index, std::optional<T> const& value) {
    value ? bind(index, *value) : bind(index, nullptr);
  }
  void check(int code) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Connection {
 public:
  Connection(std::string const& path, std::string const& vfs);

  void exec(char const* sql) const;
  /// The first column of the first row.
  std::string text_of(std::string_view sql) const;
  std::int64_t integer_of(std::string_view sql) const;
  bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle_.get()) == 0; }
  /// Rows changed since it was opened.
  std::int64_t changes() const noexcept { return sqlite3_total_changes64(handle_.get()); }
  std::int64_t last_row() const noexcept { return sqlite3_last_insert_rowid(handle_.get()); }
  sqlite3* handle() const noexcept { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace any::store
