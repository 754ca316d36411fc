#pragma once
/// @file
/// Starting points of spectral fits from model grids, for a batch of spectra, on any grid-likelihood backend.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::engine {

/// One cell of a model grid, or one pair of cells, with its profiled normalisations and statistic.
struct ModelCell {
    std::vector<double> values;  ///< of all parameters of the model, norms included
    double stat = 0.0;
};

/// Makes the templates of each model once per response and abundance, keeps them, and runs the grids.
class ModelGrids {
  public:
    /// @throws Error (usage) for a model that define_models refuses.
    explicit ModelGrids(const spectral::FitOptions& options);
    ~ModelGrids();
    ModelGrids(const ModelGrids&) = delete;
    ModelGrids& operator=(const ModelGrids&) = delete;

    /// The models, in the order of the options.
    const std::vector<std::shared_ptr<const spectral::ModelDefinition>>& models() const;

    /// For each spectrum, for each of options.models, lowest statistic first: the best few cells that are
    /// local minima; of a model of two norms the best few pairs of its components; none for other models.
    std::vector<std::vector<std::vector<ModelCell>>> best_cells(
        GridLikelihood& backend, std::span<const spectral::PreparedSpectrum* const> spectra);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace xsift::engine
