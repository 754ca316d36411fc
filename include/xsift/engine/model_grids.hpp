#pragma once
/// @file
/// Starting points of spectral fits from model grids, for a batch of spectra, on any grid-likelihood backend.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::engine {

/// One cell of a model grid with its profiled normalisation and statistic.
struct ModelCell {
    double nh = 0.0;         ///< 1e22 cm^-2
    double parameter = 0.0;  ///< kT (keV) or photon index
    double norm = 0.0;
    double stat = 0.0;
};

/// Makes the templates of each model once per response and abundance, keeps them, and runs the grids.
class ModelGrids {
  public:
    explicit ModelGrids(const spectral::FitOptions& options);
    ~ModelGrids();
    ModelGrids(const ModelGrids&) = delete;
    ModelGrids& operator=(const ModelGrids&) = delete;

    /// For each spectrum, for each of options.models: the best few cells that are local minima, lowest
    /// statistic first.
    std::vector<std::vector<std::vector<ModelCell>>> best_cells(
        GridLikelihood& backend, std::span<const spectral::PreparedSpectrum* const> spectra);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace xsift::engine
