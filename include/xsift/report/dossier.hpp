#pragma once
/// @file
/// The page of a source: what was found, what it was found in, and why.

#include <string>
#include <utility>
#include <vector>

#include <xsift/characterise/variability.hpp>
#include <xsift/data/dossier.hpp>
#include <xsift/report/page.hpp>
#include <xsift/report/writers.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::report {

/// What all pages of a catalogue share.
struct DossierContext {
    spectral::FitOptions spectra;  ///< as used for the fits, with their tables
    characterise::VariabilityOptions variability;
    std::vector<ExtraColumn> extra_columns;
    std::vector<std::string> steps;  ///< of the characterisation, as taken
    bool matched = false;            ///< catalogues of counterparts were named
    std::string configuration;       ///< TOML
    std::vector<std::pair<std::string, std::string>> provenance;
};

/// The page of one source. Each piece that is missing says why.
Page dossier(const DossierMaterial& material, const DossierContext& context);

/// Columns of the index and what a source says in them.
std::vector<Column> index_columns();
std::vector<Cell> index_cells(const SourceResult& result);

}  // namespace xsift::report
