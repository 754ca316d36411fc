#pragma once
/// @file
/// What a model makes of every bin of the spectra of a fit, behind their whole responses.

#include "objective.hpp"

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include <xsift/refine/spectra.hpp>

namespace xsift::refine {

/// Rates with their derivatives, in all bins: those of FitData leave out how bins without counts differ. Not
/// for concurrent use: it holds scratch space.
class RateSlopes {
  public:
    /// @param coordinates of a fit of the model to the spectra; what is given must outlive this
    RateSlopes(std::span<const FitInput> spectra, std::shared_ptr<const spectral::ModelDefinition> model,
               spectral::Abundance abundance, const Coordinates& coordinates);

    struct Slopes {
        std::vector<double> rate;  ///< count/s in each bin
        std::vector<Vector> by;    ///< its derivatives by the parameters behind the coordinates (not by ln)
    };
    /// @param values of all parameters, then the factors of the second and further spectra
    Slopes at(std::size_t spectrum, std::span<const double> values);

  private:
    struct Row {
        std::size_t group;
        int shape;  ///< whose derivative it is; -1: the group itself
    };

    std::span<const FitInput> spectra_;
    std::size_t n_parameters_;
    const Coordinates& coordinates_;
    std::deque<spectral::ModelEvaluator> evaluators_;  ///< a spectrum
    std::vector<Row> rows_;
};

}  // namespace xsift::refine
