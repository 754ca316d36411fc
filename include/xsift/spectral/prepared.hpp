#pragma once
/// @file
/// A spectrum made ready for fitting: bins chosen, bad channels dropped, response grouped.

#include <memory>
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
};

/// @throws Error (input): NO_COUNTS, NO_GOOD_CHANNELS, ZERO_EXPOSURE, ...
PreparedSpectrum prepare(const Spectrum& spectrum, const FitOptions& options);

}  // namespace xsift::spectral
