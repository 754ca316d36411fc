#pragma once
/// @file
/// A spectrum made ready for fitting: bins chosen, bad channels dropped, response grouped.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <xsift/data/spectrum.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

/// Counts in the fit's bins and the matrix that folds a model into them. Owns everything it needs.
struct PreparedSpectrum {
    Exposure exposure;
    std::uint32_t flags = 0;                        ///< SpectrumFlag bits
    std::vector<double> counts;                     ///< n_bins
    std::vector<double> background_counts;          ///< n_bins; empty: C-stat
    std::vector<std::int32_t> bin_first, bin_last;  ///< channel range of each bin, inclusive
    double source_exposure = 0.0;                   ///< s x AREASCAL
    double background_exposure = 0.0;               ///< s x AREASCAL x BACKSCAL ratio background/source
    /// The same by bin (n_bins) where the scalings of channels differ, else empty; background_exposure is
    /// then that of the whole band.
    std::vector<double> bin_background_exposure;
    std::vector<double> energy_lo,
        energy_hi;  ///< keV, the model's energies (lower bounds of 0 made positive)
    /// n_energies x n_bins in compressed rows: bins [row_first[i], row_first[i] + row_count[i]) of energy i,
    /// their values (cm2 x probability, effective area included) from row_value[i] on.
    std::vector<std::int32_t> row_first, row_count;
    std::vector<std::int64_t> row_value;
    std::vector<double> value;
    std::string response_hash;  ///< of the redistribution matrix: spectra that share it share templates

    std::size_t n_bins() const { return counts.size(); }
    std::size_t n_energies() const { return energy_lo.size(); }
    bool has_background() const { return !background_counts.empty(); }
    double background_exposure_of(std::size_t bin) const {
        return bin_background_exposure.empty() ? background_exposure : bin_background_exposure[bin];
    }
};

/// Chooses channels (QUALITY 0, overlapping options.energy_lo..energy_hi) and bins, and groups the response.
/// GROUPING of the file is used only where options.binning asks for it. A bin never spans a bad channel;
/// channels left over at the end of a run join its last bin. Bins that no energy reaches and that hold no
/// counts are left out. Where AREASCAL differs from channel to channel it goes into the response; where the
/// scalings of the background do, a bin has the ratio that keeps its expected background. Flags
/// spectrum_background_mostly_empty when more than half of the background bins are empty.
/// @throws Error (input): NO_RESPONSE, CHANNEL_MISMATCH, ZERO_EXPOSURE, BAD_SCALING, NEGATIVE_COUNTS,
///   NO_GOOD_CHANNELS, NO_COUNTS, NO_GROUPING, EMPTY_RESPONSE, ZERO_AREA (counts where the response and the
///   effective area are zero: no model can explain them).
PreparedSpectrum prepare(const Spectrum& spectrum, const FitOptions& options);

/// Full width at half maximum (keV) of the redistribution of photons of an energy (keV), measured from the
/// response.
double resolution_fwhm(const Response& response, double energy);

/// Folds N model spectra (photon/cm2/s in each energy bin) into count/s in each of the fit's bins, in one
/// pass over the matrix. rate[k] holds n_bins.
template <std::size_t N>
void fold(const PreparedSpectrum& spectrum, const std::array<const double*, N>& photons,
          const std::array<double*, N>& rate) {
    for (double* r : rate) std::fill_n(r, spectrum.n_bins(), 0.0);
    for (std::size_t i = 0; i < spectrum.n_energies(); ++i) {
        const double* const value = spectrum.value.data() + spectrum.row_value[i];
        const std::int32_t first = spectrum.row_first[i], count = spectrum.row_count[i];
        for (std::size_t k = 0; k < N; ++k) {
            const double photon = photons[k][i];
            double* const __restrict out = rate[k] + first;
            for (std::int32_t j = 0; j < count; ++j) out[j] += photon * value[j];
        }
    }
}

}  // namespace xsift::spectral
