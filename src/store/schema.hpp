#pragma once
// The journal's tables, and the steps from older versions of them to this one.

#include <string>

#include "store/sqlite.hpp"

namespace any::store {

inline constexpr int schema_version = 2;

/// Sets the connection up for one careful writer and brings the tables to this version. Throws std::runtime_error where
/// the file is something else or newer, SqliteFailure where it cannot be read or written.
enum class Syncs : unsigned char { off, on };
void prepare_schema(Connection const& connection, std::string const& path, Syncs syncs = Syncs::on);

/// Makes an empty journal under another name, syncs it once and gives it its name: a journal is there whole or not at
/// all. The name is on disk when the folder has been synced. Throws as prepare_schema() does.
void create_journal(std::string const& path, std::string const& vfs);

}  // namespace any::store
