#pragma once
/// @file
/// The statistic of all bins of one or several spectra as a function of the rates of the source.

#include "statistic_lanes.hpp"

#include <span>
#include <vector>

#include <xsift/refine/fit_data.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/statistics.hpp>

namespace xsift::refine {

/// Bins of all spectra one after another. Rates are in count/s, an element a bin. Not for concurrent use: it
/// holds scratch space.
class StatisticTerms {
  public:
    /// W-stat for bins with a background exposure, C-stat for others.
    explicit StatisticTerms(std::span<const FitData* const> spectra);

    /// Changes to a chi2, or back. Bins are taken as they are: none may be empty for a chi2.
    void set_statistic(spectral::FitStatistic statistic);

    /// An element a bin.
    struct Slopes {
        std::vector<double> first, second;  ///< derivatives of the statistic by the rate
        std::vector<double> expected;       ///< the curvature expected for the rates
    };
    double value(std::span<const double> rates) const;
    /// First and second derivatives, and the expected curvature when wanted.
    void slopes(std::span<const double> rates, bool expected, Slopes& out) const;
    /// First and second derivatives; @return the statistic
    double value_and_slopes(std::span<const double> rates, Slopes& out) const;

    // sums over bins
    static double dot(std::span<const double> a, std::span<const double> b);
    static double triple(std::span<const double> a, std::span<const double> b, std::span<const double> c);
    bool is_chi2() const { return !variance_.empty(); }

  private:
    BinTable table() const {
        return {source_exposure_.data(), background_exposure_.data(), counts_.data(),
                background_.data(),      source_scale_.data(),        background_scale_.data()};
    }
    spectral::StatTerm chi2_term(std::size_t bin, double rate) const;

    std::size_t n_ = 0;
    /// A bin each, padded for the lanes; see BinTable.
    std::vector<double> source_exposure_, background_exposure_, counts_, background_, source_scale_,
        background_scale_;
    std::vector<std::size_t> first_bin_;  ///< of each spectrum, and the end
    spectral::FitStatistic statistic_ = spectral::FitStatistic::poisson;
    std::vector<double> variance_;  ///< of each bin for chi2 (that of the model: what does not depend on it)
    mutable std::vector<double> value_;
};

}  // namespace xsift::refine
