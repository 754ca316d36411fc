#pragma once
/// @file
/// How large the statistic of a fit is expected to be, from the fitted model itself.

#include "objective.hpp"
#include "poisson_draws.hpp"

#include <memory>
#include <span>
#include <vector>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/goodness.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::refine {

/// Source rate of each bin (count/s) at the values of all parameters and an instrument's factor.
std::vector<double> fitted_rates(const spectral::PreparedSpectrum& spectrum,
                                 const std::shared_ptr<const spectral::ModelDefinition>& model,
                                 spectral::Abundance abundance, std::span<const double> values,
                                 double factor);

/// Background rate of each bin (count/s in the source region) at these source rates: that of the profiled
/// statistic, averaged over as many neighbouring bins as it takes to hold 25 background counts (a bin's own
/// background follows its own counts).
std::vector<double> background_rates(const spectral::PreparedSpectrum& spectrum,
                                     std::span<const double> rate);

/// spectral::wstat_moments by fewer draws, many at once: mean, variance and what goes with the score to 2e-4,
/// third moments to 1e-3. Holds scratch space.
class WstatMoments {
  public:
    spectral::Moments operator()(double source_exposure, double background_exposure, double rate,
                                 double background_rate);

  private:
    void set_draws(double source_exposure, double background_exposure, double rate, double background_rate);

    PoissonDraws source_, background_draws_;
    std::vector<double> weight_, rate_, value_, first_, second_;
    std::vector<double> source_exposure_, background_exposure_, counts_, background_, source_scale_,
        background_scale_;
};

/// The distribution of the statistic of a fit when its model is right.
struct ExpectedStatistic {
    double mean = 0.0, variance = 0.0, third = 0.0;  ///< third moment about the mean

    double deviations(double stat) const;  ///< of stat from the mean, in standard deviations
    /// P(statistic > stat): of the gamma distribution (shifted; mirrored where it leans to the left) with
    /// these moments. For many counts a bin that is the chi2 distribution of the degrees of freedom.
    double probability_above(double stat) const;
};

/// Sums the moments of all bins' terms at the fit (C-stat: Kaastra 2017 for mean and variance; W-stat: sums
/// over the Poisson distributions of both counts) and takes away what the fit takes away.
///
/// The fitted parameters follow the counts, and the expectation is made where they went. To first order that
/// removes what the statistic has in common with the scores of the parameters (nearly all of it where bins
/// hold few counts: C is then linear in them); to second order it lowers the mean by R = sum over bins of
/// leverage x Cov(v - a g, g^2) / (2 Var g), which is 1 a parameter where bins are Gaussian and 0 where C is
/// linear in the counts; variance and third moment by 2 R and 8 R, as chi2 has it (mean and variance given
/// the fitted parameters as in McCullagh 1986, J. Am. Stat. Assoc. 81, 104).
/// @param values of all parameters, then the factors of the second and further spectra
/// @param counted the coordinates that were free to follow the counts: not those at a limit
ExpectedStatistic expected_statistic(std::span<const FitInput> spectra,
                                     const std::shared_ptr<const spectral::ModelDefinition>& model,
                                     spectral::Abundance abundance, std::span<const double> values,
                                     const Coordinates& coordinates, const Mask& counted);

}  // namespace xsift::refine
