#pragma once
/// @file
/// The grid-likelihood engine: the statistic of every template of a model grid for every spectrum.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <xsift/spectral/pairs.hpp>
#include <xsift/spectral/posterior_task.hpp>
#include <xsift/spectral/rate_lattice.hpp>
#include <xsift/spectral/simulation_task.hpp>

namespace xsift::engine {

/// A spectrum as grids see it: counts, and the dense matrix that folds templates into its bins.
struct GridSpectrum {
    std::int64_t n_energies = 0, n_bins = 0;
    std::span<const float> fold;     ///< n_energies x n_bins, row-major: cm2 x probability (no exposure time)
    std::span<const double> counts;  ///< n_bins, source region
    std::span<const double> background_counts;  ///< n_bins; empty: C-stat
    double exposure = 0.0;                      ///< s, including AREASCAL
    double background_exposure = 0.0;  ///< s, times the BACKSCAL ratio background/source, including AREASCAL
    double norm_min = 1e-12, norm_max = 1e4;
};

/// Templates (photon/cm2/s per energy bin at norm 1, absorption applied), folded to predicted counts and
/// compared with the counts of one spectrum.
struct GridTask : GridSpectrum {
    std::int64_t n_templates = 0;
    std::span<const float> templates;  ///< n_templates x n_energies, row-major; shared by many tasks
    std::int64_t columns =
        0;  ///< templates lie on a grid, so many a row, and only minima count; 0: on none, all count
    int max_cells = 8;  ///< best templates kept
    double within =
        std::numeric_limits<double>::infinity();  ///< of the lowest statistic: those above are not kept
};

/// One template with its profiled normalisation.
struct GridCell {
    std::int64_t index = 0;  ///< template
    double norm = 0.0;
    double stat = 0.0;  ///< W-stat or C-stat at that norm (screening precision: in steps of 1/1024)
};

/// The best templates of one task, lowest statistic first (ties: lower index first): of a grid those that no
/// neighbour (of eight) undercuts.
struct GridOutcome {
    std::vector<GridCell> best;
};

/// Two components that share parameters (the column density): at each place of the shared ones the templates
/// of the first component, then those of the second, each at norm 1.
struct PairTask : GridSpectrum {
    std::int64_t n_places = 0, n_first = 0, n_second = 0;
    bool alike = false;  ///< the same component twice (n_first equals n_second): only pairs i < j
    std::span<const float> templates;   ///< n_places x (n_first + n_second) x n_energies, row-major
    double norms_most[2] = {1e4, 1e4};  ///< limits of the norms of pairs, from 0
    int max_pairs = 8;
};

/// A pair of templates with norms within their limits.
struct PairCell {
    spectral::PairIndex index;
    double norm[2] = {0.0, 0.0};
    double stat = 0.0;  ///< W-stat or C-stat at these norms (in steps of 1/1024)
};

/// The best pairs of one task that are not neighbours of each other, lowest statistic first. They are chosen
/// by the statistic's parabola around the best single template.
struct PairOutcome {
    std::vector<PairCell> best;
};

using spectral::SimulationTask;

/// The minima of a task, draw by draw: that of the lowest node's surroundings.
struct SimulationOutcome {
    std::vector<spectral::LatticeMinimum> fits;
};

using spectral::PosteriorOutcome;
using spectral::PosteriorTask;

/// A backend of the grid likelihood. One call takes a whole batch.
class GridLikelihood {
  public:
    virtual ~GridLikelihood() = default;
    virtual std::string name() const = 0;
    virtual std::vector<GridOutcome> evaluate(std::span<const GridTask> tasks) = 0;
    virtual std::vector<PairOutcome> evaluate(std::span<const PairTask> tasks) = 0;
    virtual std::vector<SimulationOutcome> evaluate(std::span<const SimulationTask> tasks) = 0;
    virtual std::vector<PosteriorOutcome> evaluate(std::span<const PosteriorTask> tasks) = 0;
    /// Whether posteriors made here spare the threads that refine fits. (On a CPU they are the same threads,
    /// and refine looks at fewer nodes.)
    virtual bool spares_threads() const { return false; }
};

}  // namespace xsift::engine
