#pragma once
/// @file
/// The inputs of an ingest: found, told apart, assigned to sources.

#include "file_finder.hpp"

#include <optional>
#include <string>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/data/results.hpp>
#include <xsift/io/fits_file.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/ingest.hpp>

namespace xsift::pipeline {

/// One input file and what becomes of it.
struct InputFile {
    std::string path;
    bool named = false;  ///< given by name, not found in a folder: must be understood
    io::InputRecord record;
    io::FileSummary summary;
    io::PpsName pps;
    std::string source_id;  ///< empty when it belongs to no source (yet)
    std::optional<QuarantineRow> problem;

    bool is_data() const;  ///< an event list, light curve or spectrum
};

/// Expands files, folders (recursive) and @lists; each file once, in the order of base names and paths.
/// @throws Error (usage, "NO_INPUTS", "BAD_LIST").
std::vector<InputFile> find_inputs(const std::vector<std::string>& arguments);

/// Tells what every file is; what cannot be understood gets its problem. Files that are the same twice (name
/// and content) are kept once.
void classify_inputs(std::vector<InputFile>& inputs, const ThreadPool& pool);

/// Spectra that others name as their background become backgrounds; data files get their source.
/// @param table path of a CSV file,source_id, or empty. @throws Error (usage, "BAD_ASSOCIATION").
void assign_sources(std::vector<InputFile>& inputs, const FileFinder& finder, const std::string& table);

/// The quarantine row of an exception about a file.
QuarantineRow quarantine_row(const InputFile& input, const std::exception& problem);

/// Name, size, checksum and kind of a file as it is on disk.
io::InputRecord record_of(const std::string& path, std::string_view kind);

}  // namespace xsift::pipeline
