#pragma once
/// @file
/// Files that are absent or complete: written beside the target, synced, renamed, folder synced.

#include <string>

namespace xsift::io {

/// Owns a temporary name beside a target. commit() syncs and renames; the destructor removes what was not committed.
class AtomicFile {
  public:
    /// @throws Error (usage, "UNWRITABLE") when the folder does not exist or cannot be written.
    explicit AtomicFile(std::string target);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    const std::string& temporary() const { return temporary_; }
    /// The file must be closed. @throws Error (internal, "DISK_FULL" or "WRITE_FAILED").
    void commit();

  private:
    std::string target_, temporary_;
    bool committed_ = false;
};

/// Writes a small text file atomically.
void write_text_file(const std::string& path, const std::string& text);

}  // namespace xsift::io
