#pragma once
/// @file
/// A spectrum arranged for fits.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <xsift/spectral/prepared.hpp>

namespace xsift::refine {

/// Counts and response of one spectrum for fits. All bins without source counts are merged into one, the
/// last: the W-stat and C-stat of such a bin are linear in the model, so no statistic changes and the matrix
/// shrinks. The matrix is stored a bin at a time: folding is a scalar product a bin, which several models
/// share.
class FitData {
  public:
    explicit FitData(const spectral::PreparedSpectrum& spectrum);

    std::size_t n_bins() const { return counts.size(); }
    std::size_t n_energies() const { return energy_lo.size(); }

    /// Folds models side by side.
    /// @param photons n_energies x n_models, photon/cm2/s
    /// @param rate n_models x n_bins, count/s: rate[m * stride + k]
    void fold(std::span<const double> photons, std::size_t n_models, double* rate, std::size_t stride) const;

    std::vector<double> counts, background;    ///< background is 0 for C-stat
    double source_exposure = 0.0;              ///< s
    std::vector<double> background_exposure;   ///< s, a bin; 0: C-stat
    std::vector<double> energy_lo, energy_hi;  ///< keV

  private:
    std::vector<std::int32_t> first_, count_;  ///< energies that reach a bin
    std::vector<std::int64_t> start_;          ///< where its values start
    std::vector<double> value_;                ///< cm2 x probability
};

}  // namespace xsift::refine
