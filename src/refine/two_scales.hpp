#pragma once
/// @file
/// A fit seen through the whole response and through one of merged energies.

#include "objective.hpp"

#include <deque>
#include <vector>

namespace xsift::refine {

/// The whole response has five to ten times as many energies as a fit needs to follow its statistic. Minima
/// are looked for behind merged energies, found exactly behind the whole response, and the rise of the
/// statistic around them is again followed behind merged energies, whose response is then averaged with the
/// model at the minimum as weight: there both agree exactly, and around it to second order.
class TwoScales {
  public:
    TwoScales(std::span<const FitData* const> spectra, std::shared_ptr<const spectral::ModelDefinition> model,
              spectral::Abundance abundance,
              spectral::FitStatistic statistic = spectral::FitStatistic::poisson);

    /// Behind merged energies.
    Objective& merged() { return merged_; }
    /// Behind the whole response; its points have the size of those of merged().
    Objective& whole() { return differ_ ? whole_ : merged_; }
    /// Whether the statistic at a place far from the minimum is not the one that merged() has there, by more
    /// than matters for where an interval of a rise delta ends. @param scratch a point
    bool disagree(const Vector& x, double stat, double delta, Point& scratch);

    /// Descends from best (a point of merged()) behind the whole response, weighs the merged energies there
    /// and leaves in best that minimum, as merged() then has it.
    /// @return whether the descent converged
    bool settle(Point& best);

  private:
    /// Gives merged() the cross-sections of the whole response's energies, averaged: where it is steep or has
    /// an edge those of a wider bin's ends would not do. @param photons empty: by width
    void average_cross_section(std::size_t spectrum, std::span<const double> photons);

    std::vector<const FitData*> spectra_;
    Objective whole_, merged_;
    bool differ_ = false;
    std::deque<FitData> weighted_;
    Point at_, trial_, spare_;
};

}  // namespace xsift::refine
