#pragma once
/// @file
/// Joining surveys: parts that were ingested side by side become one.

#include <cstdint>
#include <string>
#include <vector>

namespace xsift::pipeline {

struct JoinSummary {
    std::int64_t parts = 0, sources = 0;
    std::int64_t joined = 0;  ///< sources whose data came from more than one part
};

/// Writes the sources of all parts, in the order of the parts; a source that is in several gets the data of
/// all. Quarantine rows and inputs are taken over. Memory is bounded by one batch and 24 bytes a source.
/// @throws Error (usage, "JOIN_COLUMNS") when the parts carry different further columns of source lists,
///         (usage, "JOIN_EMPTY") without parts; those of reading and writing surveys.
JoinSummary join_surveys(const std::vector<std::string>& parts, const std::string& output,
                         bool compress = true);

}  // namespace xsift::pipeline
