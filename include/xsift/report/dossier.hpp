#pragma once
/// @file
/// One self-contained HTML page a source: what was found and what it was found in.

#include <string>

#include <xsift/data/results.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::report {

/// The page of one source: summary, candidates with vetoes, folded profile, light curve, spectrum, fits,
/// quarantine. Needs no network and no scripts; everything read from files is escaped.
/// @param options as used for the fits, so that the spectrum is binned as it was fitted
std::string dossier(const SourceData& data, const SourceResult& result, const spectral::FitOptions& options);

}  // namespace xsift::report
