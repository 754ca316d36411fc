#pragma once
/// @file
/// The journal of a shard: results appended and synced batch by batch, so that an interrupted run can go on.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <xsift/data/results.hpp>

namespace xsift::pipeline {

/// Append-only file of batches of results. Each record carries its length and checksum; a torn or damaged
/// tail is dropped on resume. The file is locked: a second run on the same output is refused. Every attempt
/// has a file of its own, into which it copies the sound records of the one before: where locks do not hold,
/// the latest attempt goes on alone, and an earlier one cannot write into it.
class Journal {
  public:
    /// Opens `path`. With `resume` and a journal of the same identity its sound records are kept, else it
    /// starts empty.
    /// @param identity what the results depend on (survey, configuration, range of sources)
    /// @throws Error (usage, "OUTPUT_BUSY") when another process holds it; (usage, "RESUME_MISMATCH") when
    /// resuming a
    ///         journal of another survey, configuration or shard; (usage, "UNWRITABLE").
    Journal(std::string path, const std::string& identity, bool resume);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Sources journalled so far.
    std::int64_t size() const;
    /// Appends a batch and syncs it. @throws Error (internal, "DISK_FULL" or "WRITE_FAILED"; usage,
    /// "SUPERSEDED").
    void append(std::span<const SourceResult> results);
    /// Calls the visitor for every result in the order of appending.
    void replay(const std::function<void(SourceResult&)>& visitor) const;
    /// @throws Error (usage, "SUPERSEDED") when a newer attempt has taken the output over. To be asked right
    /// before anything is put in its place.
    void require_ours() const;
    /// Deletes the file, unless a newer attempt owns it: its catalogue is complete.
    void remove();

    struct Implementation;

  private:
    std::unique_ptr<Implementation> implementation_;
};

/// What a journal holds, read without disturbing the run that writes it.
struct JournalSummary {
    std::int64_t batches = 0, sources = 0;
    bool whole = true;  ///< false: the last record is torn or damaged (or just being written)
};

bool looks_like_journal(const std::string& path);
/// @throws Error (usage, "UNREADABLE"; corrupt_file, "CORRUPT_JOURNAL").
JournalSummary describe_journal(const std::string& path);

}  // namespace xsift::pipeline
