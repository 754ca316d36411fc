#pragma once
/// @file
/// What a page shows besides the catalogue: periodograms and statistic maps, computed anew for a few sources.

#include <string>
#include <unordered_map>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/data/dossier.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// Earlier fluxes by source, in the order of the table.
using FluxHistory = std::unordered_map<std::string, std::vector<EarlierObservation>>;

/// Reads a CSV table with the columns srcid, mission, flux_lo, flux_hi and, if there, flux and mjd.
/// @param convert from the bands of the missions' catalogues to 0.2-12 keV
/// @throws Error (usage, BAD_SETTING) for a missing column, a number that is none, a mission without a
/// conversion
FluxHistory read_flux_history(const std::string& path, bool convert);

class DossierMaker {
  public:
    /// @param configuration of the run, with its model tables read (read_model_tables); must outlive this
    /// @param history earlier fluxes; @param history_missing why there are none
    DossierMaker(const RunConfiguration& configuration, engine::Engines& engines, const ThreadPool& pool,
                 FluxHistory history, std::string history_missing);

    /// The material of some sources; data and results belong together by index.
    std::vector<DossierMaterial> make(std::vector<SourceData> data, std::vector<SourceResult> results) const;

  private:
    void add_periodograms(std::vector<DossierMaterial>& all) const;
    void add_maps(DossierMaterial& material) const;

    const RunConfiguration& configuration_;
    engine::Engines& engines_;
    const ThreadPool& pool_;
    FluxHistory history_;
    std::string history_missing_;
};

}  // namespace xsift::pipeline
