#pragma once
/// @file
/// Explains the JSON files that xsift writes beside surveys and catalogues.

#include <optional>
#include <string>

namespace xsift::pipeline {

/// What a run record, timeline, search costs, benchmark or dossier in JSON says, in lines of text; nothing
/// when the file is none of these.
std::optional<std::string> describe_record(const std::string& path);

}  // namespace xsift::pipeline
