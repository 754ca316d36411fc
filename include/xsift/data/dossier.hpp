#pragma once
/// @file
/// What the page of a source shows besides its catalogue rows: curves computed anew from its data.

#include <cstdint>
#include <string>
#include <vector>

#include <xsift/data/results.hpp>

namespace xsift {

/// The highest value of a statistic in each of many bands of trial frequencies: no maximum is lost.
struct Periodogram {
    /// A value that white noise exceeds somewhere in the search with this probability.
    struct Level {
        double log10_fap = 0.0, value = 0.0;
    };
    std::string exposure, instrument, method;  ///< method: Z2, H or GLS
    std::int32_t n_harmonics = 1;
    double n_trials = 0.0;                        ///< grid points searched
    std::vector<double> frequency_lo;             ///< Hz, first trial of each band; ascending
    std::vector<double> frequency, maximum;       ///< Hz and value of the highest trial of each band
    std::vector<Level> levels;                    ///< least significant first
    double frame_frequency = not_measured;        ///< Hz, read-out
    double confirmable_frequency = not_measured;  ///< Hz; NaN when not known
};

/// Rise of a fit's statistic above its minimum over two parameters, all others fitted anew at each point; or
/// -2 ln of the marginal posterior density over its highest.
struct StatisticMap {
    struct Axis {
        std::string name, unit;  ///< XSPEC's name of the parameter
        bool logarithmic = false;
        std::vector<double> value;  ///< ascending
        double best = not_measured;
    };
    std::string spectrum, model;
    Axis x, y;
    std::vector<double> rise;  ///< [iy * x.value.size() + ix]
    bool posterior = false;
    /// Rises that enclose 68.27%, 90% and 99%: of two parameters -2 ln(1 - p); of a posterior the first two,
    /// its own.
    std::vector<double> levels{2.296, 4.605, 9.210};
};

/// An earlier flux or upper limit of a source.
struct EarlierObservation {
    std::string mission;
    double mjd = not_measured;
    double flux = not_measured;                   ///< erg/cm2/s; NaN for an upper limit
    double lo = not_measured, hi = not_measured;  ///< 1 sigma; an upper limit has hi alone
};

/// All that a page is made from.
struct DossierMaterial {
    SourceData data;
    SourceResult result;
    std::vector<Periodogram> periodograms;
    std::vector<StatisticMap> maps;
    std::string maps_missing;  ///< why there is none
    std::vector<EarlierObservation> history;
    std::string history_missing;  ///< why there is none
};

}  // namespace xsift
