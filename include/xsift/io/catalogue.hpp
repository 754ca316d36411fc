#pragma once
/// @file
/// The catalogue: a FITS file with SOURCES, PERIODS, SPECTRAL_FITS, QUARANTINE, PROVENANCE, CONFIG.
///
/// The bytes depend on the survey and the configuration alone, never on shards, threads, time or host.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <xsift/data/results.hpp>

namespace xsift::io {

/// What a catalogue says about itself. Kept in header keywords of the primary HDU and in PROVENANCE and CONFIG.
struct CatalogueInfo {
    std::string survey_checksum;       ///< of the survey it was made from
    std::int64_t survey_sources = 0;   ///< sources in the survey
    std::int64_t first_source = 0;     ///< first survey index in this file
    std::int64_t n_sources = 0;        ///< sources in this file
    bool selection = false;            ///< made with --sources: cannot be merged
    std::vector<ExtraColumn> extra_columns;
    std::string configuration;         ///< the resolved TOML
    std::vector<std::pair<std::string, std::string>> provenance;  ///< key, value; the same for all shards
    /// Inputs and sources that were quarantined at ingest. Those of a source of this file stand before its own rows;
    /// those without a source stand first, in the file that holds survey index 0.
    std::vector<QuarantineRow> ingest_quarantine;
};

using ResultVisitor = std::function<void(const SourceResult&)>;
/// Calls the visitor for every result, in survey order. Is called more than once.
using ResultReplay = std::function<void(const ResultVisitor&)>;

/// Writes a catalogue (temporary file, fsync, rename, fsync of the folder). Memory is bounded whatever the number of
/// results. @throws Error (internal, "DISK_FULL" / usage, "UNWRITABLE").
void write_catalogue(const std::string& path, const CatalogueInfo& info, const ResultReplay& replay);

/// Merges shard catalogues into one. Refuses an overlap, a gap, another survey or another configuration
/// (Error usage "MERGE_OVERLAP", "MERGE_GAP", "MERGE_CONFIGURATION", "MERGE_SURVEY"; corrupt_file for damaged shards).
/// The order of the arguments does not matter; the result is byte for byte what an unsharded run writes.
void merge_catalogues(const std::vector<std::string>& shards, const std::string& output);

/// Checks a catalogue: structure, checksums of all HDUs, every source once, rows of other tables belong to sources.
/// Returns findings, empty when sound. @throws Error (corrupt_file) when it is no catalogue at all.
std::vector<std::string> verify_catalogue(const std::string& path);

/// A row of SOURCES and the rows that go with it, read back for tables on the terminal and reports.
struct CatalogueSummary {
    CatalogueInfo info;
    std::int64_t n_periods = 0, n_fits = 0, n_quarantine = 0;
};
CatalogueSummary describe_catalogue(const std::string& path);

/// Reads results back (sources [first, first + count) of the file's rows) with candidates, fits and quarantine rows.
std::vector<SourceResult> read_results(const std::string& path, std::int64_t first, std::int64_t count);

}  // namespace xsift::io
