#pragma once
/// @file
/// A posterior arranged for an engine, which integrates those of many fits at once.

#include "posterior.hpp"

#include <array>
#include <optional>
#include <span>
#include <vector>

#include <xsift/spectral/posterior_task.hpp>

namespace xsift::refine {

/// The lattice of a posterior as a rectangle of nodes, with everything that its integral needs.
class PosteriorProblem {
  public:
    /// @param objective, best, starts, options, bands as of posterior_around(); the objective must stay
    /// @return nothing for what engines do not take: several spectra, a chi2, models whose photons are no
    /// product of a factor for each shape parameter, norms that are not significant, lattices of very many
    /// nodes
    static std::optional<PosteriorProblem> of(Objective& objective, const Point& best,
                                              std::span<const StartingPoint> starts,
                                              const spectral::FitOptions& options,
                                              std::span<spectral::FluxBand> bands);

    /// Points at arrays of this: it must stay where it is.
    spectral::PosteriorTask task() const;
    /// Where the fit was.
    const Vector& best() const { return best_; }
    /// @return nothing where the rectangle does not hold the posterior, or not finely enough: it wants
    /// posterior_around()
    std::optional<PosteriorAround> take(const spectral::PosteriorOutcome& outcome) const;

  private:
    /// Nodes first to last of an axis, with their fine points.
    struct Side {
        Axis axis;
        int first = 0, last = 0;
        FineAxis fine;
        std::vector<double> mass, log_prior, value;

        int n_nodes() const { return last - first + 1; }
        spectral::PosteriorAxis data() const;
    };
    struct Factors {
        std::size_t n_energies = 0;
        std::vector<double> row, column;
    };

    PosteriorProblem(const Objective& objective, const spectral::FitOptions& options, const Vector& best)
        : objective_(&objective), options_(&options), best_(best) {}
    Side side(const Axis& axis, int first, int last) const;
    template <typename Fill>
    Factors factors(std::size_t n_energies, const Fill& fill) const;

    const Objective* objective_;
    const spectral::FitOptions* options_;
    Vector best_{};
    std::vector<Side> sides_;  ///< rows, columns
    Factors photons_;
    std::vector<Factors> fluxes_;
    double skewness_ = 0.0, tail_ = 0.0;
};

}  // namespace xsift::refine
