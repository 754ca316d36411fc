#pragma once
/// @file
/// Ingest: files of archives to a survey store.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <xsift/data/source.hpp>

namespace xsift::pipeline {

struct IngestOptions {
    std::vector<std::string> inputs;               ///< files, folders (recursive) or @list (a path a line)
    std::string output;                            ///< survey.h5
    int threads = 0;                               ///< 0: all
    std::vector<std::string> response_path;        ///< folders to search for RMF (and ARF, background) files
    std::vector<std::string> response_substitute;  ///< PATTERN=FILE, shell wildcards in PATTERN
    std::string source_list;  ///< FITS or CSV: id, name, ra, dec, pos_err, further columns; may be empty
    std::string association;  ///< CSV table file,source_id; may be empty
    double energy_lo = not_measured;  ///< keV, events below are dropped
    double energy_hi = not_measured;  ///< keV, events above are dropped
    std::string region;               ///< circle(ra,dec,radius_arcsec) on event positions; empty: all events
    std::string weight_column;  ///< photon weights; empty: WEIGHT where there is one; "none": ignore them
    bool barycentre = false;    ///< correct times to the barycentre where that has not been done
    std::vector<std::string> orbits;  ///< spacecraft orbit files for that
    bool repair = false;  ///< sort times, drop rows with NaN times, mend GTIs, interpolate effective areas
                          ///< (flagged) instead of quarantine
    bool compress = true;
};

struct IngestSummary {
    std::int64_t sources = 0, event_lists = 0, light_curves = 0, spectra = 0, responses = 0, inputs = 0;
    std::map<std::string, std::int64_t> quarantined;  ///< by code
};

/// Progress: inputs done, inputs in all.
using IngestProgress = std::function<void(std::int64_t, std::int64_t)>;

/// Reads every input, assigns files to sources, writes the survey. Unusable inputs become quarantine rows.
/// @throws Error for unusable options or an output that cannot be written.
IngestSummary ingest(const IngestOptions& options, const IngestProgress& progress = {});

}  // namespace xsift::pipeline
