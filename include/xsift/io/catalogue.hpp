#pragma once
/// @file
/// The catalogue: a FITS file with SOURCES, PERIODS, SPECTRAL_FITS, VARIABILITY, FLARES,
/// COUNTERPARTS, CLASSES, QUARANTINE, PROVENANCE, CONFIG.
///
/// The bytes depend on the survey and the configuration alone, never on shards, threads, time or host.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <xsift/data/results.hpp>

namespace xsift::io {

/// How a column of the catalogue is stored and described. Extra columns of a source list follow those of
/// SOURCES.
struct CatalogueColumn {
    std::string extension, name;
    char type = 'D';  ///< of FITS: A text (as wide as the data need), D double, J 32-bit integer, L logical
    std::string unit, ucd, display, comment;
};

/// Every column that every catalogue has, in the order of the file.
std::vector<CatalogueColumn> catalogue_columns();

/// What a catalogue says about itself. Kept in header keywords of the primary HDU and in PROVENANCE and
/// CONFIG.
struct CatalogueInfo {
    std::string survey_checksum;      ///< of the survey it was made from
    std::int64_t survey_sources = 0;  ///< sources in the survey
    std::int64_t first_source = 0;    ///< first survey index in this file
    std::int64_t n_sources = 0;       ///< sources in this file
    bool selection = false;           ///< made with --sources: cannot be merged
    std::vector<ExtraColumn> extra_columns;
    /// Steps of the characterisation that were taken (column, distance, history, class): SOURCES holds the
    /// columns of these alone.
    std::vector<std::string> steps;
    std::string configuration;                                    ///< the resolved TOML
    std::vector<std::pair<std::string, std::string>> provenance;  ///< key, value; the same for all shards
    /// Inputs and sources that were quarantined at ingest. Those of a source of this file stand before its
    /// own rows; those without a source stand first, in the file that holds survey index 0. Rows of other
    /// sources of the survey may be among them: they are left to the files of those sources. A catalogue of
    /// selected sources holds the rows of its sources only. Read back, it holds the rows without a source.
    std::vector<QuarantineRow> ingest_quarantine;
};

using ResultVisitor = std::function<void(const SourceResult&)>;
/// Calls the visitor for every result, in survey order. Is called more than once.
using ResultReplay = std::function<void(const ResultVisitor&)>;

/// Writes a catalogue (temporary file, fsync, rename, fsync of the folder). Memory is bounded whatever the
/// number of results. @throws Error (internal, "DISK_FULL" / usage, "UNWRITABLE").
/// @param before_rename called when the file is whole and not yet in place; may throw to leave it so
void write_catalogue(const std::string& path, const CatalogueInfo& info, const ResultReplay& replay,
                     const std::function<void()>& before_rename = {});

/// What can be said of a source only when all of a catalogue are known.
class ResultReview {
  public:
    virtual ~ResultReview() = default;
    /// Is shown every source with its candidates, in any order; again from the start while again() says so.
    virtual void look(const SourceResult& result) = 0;
    virtual bool again() = 0;
    /// Whether any candidate is revised; otherwise it is rows of SOURCES alone.
    virtual bool revises_candidates() const = 0;
    /// Says it of a source: candidates' vetoes and flags, and what follows from them.
    virtual void revise(SourceResult& result) const = 0;
};

/// Merges shard catalogues into one. Refuses an overlap, a gap, another survey or another configuration
/// (Error usage "MERGE_OVERLAP", "MERGE_GAP", "MERGE_CONFIGURATION", "MERGE_SURVEY"), a catalogue of selected
/// sources
/// ("MERGE_SELECTION") and damaged shards (corrupt_file). One shard is open at a time.
/// The order of the arguments does not matter; with the review of an unsharded run the result is byte for
/// byte what that writes.
void merge_catalogues(const std::vector<std::string>& shards, const std::string& output,
                      ResultReview* review = nullptr);

/// Checks a catalogue: structure, checksums of all HDUs, every source once, rows of other tables belong to
/// sources. Returns findings, empty when sound. @throws Error (corrupt_file) when it is no catalogue at all.
std::vector<std::string> verify_catalogue(const std::string& path);

/// What a catalogue holds, without its rows.
struct CatalogueSummary {
    CatalogueInfo info;
    std::int64_t n_periods = 0, n_fits = 0, n_counterparts = 0, n_quarantine = 0;
};
/// @throws Error (usage, "UNREADABLE"; corrupt_file when it is no sound catalogue).
CatalogueSummary describe_catalogue(const std::string& path);

/// SRCID of the file's rows [first, first + count) of SOURCES.
std::vector<std::string> read_source_ids(const std::string& path, std::int64_t first, std::int64_t count);

/// Reads results back (sources [first, first + count) of the file's rows) with candidates, fits and
/// quarantine rows.
std::vector<SourceResult> read_results(const std::string& path, std::int64_t first, std::int64_t count);

}  // namespace xsift::io
