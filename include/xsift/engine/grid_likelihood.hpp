#pragma once
/// @file
/// The grid-likelihood engine: the statistic of every template of a model grid for every spectrum.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xsift::engine {

/// Templates (photon/cm2/s per energy bin at norm 1, absorption applied) folded to predicted counts by one
/// dense matrix, and compared with the counts of one spectrum.
struct GridTask {
    std::int64_t n_templates = 0, n_energies = 0, n_bins = 0;
    std::span<const float> templates;  ///< n_templates x n_energies, row-major; shared by many tasks
    std::span<const float> fold;     ///< n_energies x n_bins, row-major: cm2 x probability (no exposure time)
    std::span<const double> counts;  ///< n_bins, source region
    std::span<const double> background_counts;  ///< n_bins; empty: C-stat
    double exposure = 0.0;                      ///< s, including AREASCAL
    double background_exposure = 0.0;  ///< s, times the BACKSCAL ratio background/source, including AREASCAL
    double norm_min = 1e-12, norm_max = 1e4;
    int max_cells = 8;  ///< best templates kept
};

/// One template with its profiled normalisation.
struct GridCell {
    std::int64_t index = 0;  ///< template
    double norm = 0.0;
    double stat = 0.0;  ///< W-stat or C-stat at that norm (screening precision: in steps of 1/1024)
};

/// The best templates of one task, lowest statistic first (ties: lower index first).
struct GridOutcome {
    std::vector<GridCell> best;
};

/// A backend of the grid likelihood. One call takes a whole batch.
class GridLikelihood {
  public:
    virtual ~GridLikelihood() = default;
    virtual std::string name() const = 0;
    virtual std::vector<GridOutcome> evaluate(std::span<const GridTask> tasks) = 0;
};

}  // namespace xsift::engine
