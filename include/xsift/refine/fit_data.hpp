#pragma once
/// @file
/// A spectrum arranged for fits.

#include <cstddef>
#include <cstdint>
#include <memory>
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

    /// The same counts behind a response whose neighbouring energies are merged (see merged_energies): what a
    /// fit needs to find its minimum and to see how the statistic rises around it. What is reported is
    /// evaluated with the whole response.
    const FitData& coarse() const { return coarse_ ? *coarse_ : *this; }
    bool has_coarse() const { return coarse_ != nullptr; }
    /// What a quantity of the energies is in the energies of coarse(): its mean weighted by photons (empty:
    /// by width).
    std::vector<double> averaged(std::span<const double> quantity, std::span<const double> photons) const;
    /// coarse() with the response averaged over each merged energy so that a given model is folded exactly.
    /// @param photons, coarse_photons of that model in the energies of this and of coarse()
    FitData weighted(std::span<const double> photons, std::span<const double> coarse_photons) const;

    std::size_t n_bins() const { return counts.size(); }
    std::size_t n_energies() const { return energy_lo.size(); }

    /// Folds models side by side.
    /// @param photons n_energies x padded(n_models), photon/cm2/s; what is padded is 0
    /// @param rate n_models x n_bins, count/s: rate[m * stride + k]
    void fold(std::span<const double> photons, std::size_t n_models, double* rate, std::size_t stride) const;
    static std::size_t padded(std::size_t n_models);

    /// The response: bin k has count[k] values from value[start[k]] on, of energies first[k], ...
    struct Response {
        std::span<const double> value;  ///< cm2 x probability
        std::span<const std::int32_t> first, count;
        std::span<const std::int64_t> start;
    };
    Response response() const { return {value_, first_, count_, start_}; }

    std::vector<double> counts, background;    ///< background is 0 for C-stat
    double source_exposure = 0.0;              ///< s
    std::vector<double> background_exposure;   ///< s, a bin; 0: C-stat
    std::vector<double> energy_lo, energy_hi;  ///< keV

  private:
    FitData() = default;
    /// With energy i of this adding share[i] of its response to energy energy_of_[i] of the result.
    FitData merged(std::span<const double> share) const;

    std::vector<std::int32_t> energy_of_;  ///< of coarse(): see merged_energies
    std::unique_ptr<const FitData> coarse_;
    std::vector<std::int32_t> first_, count_;  ///< energies that reach a bin
    std::vector<std::int64_t> start_;          ///< where its values start
    std::vector<double> value_;                ///< cm2 x probability
};

/// Which merged energy each energy of a response belongs to (ascending from 0). Neighbours are merged while
/// the redistribution of the first and the last differ little (total variation below 0.2: about half a
/// standard deviation of a Gaussian) and they span less than 1.5% of the energy, so that lines stay lines and
/// edges edges at the resolution of the instrument. The effective area may vary inside: it is averaged.
std::vector<std::int32_t> merged_energies(const spectral::PreparedSpectrum& spectrum);

}  // namespace xsift::refine
