#pragma once
/// @file
/// A real EPIC-pn spectrum with its counts drawn anew from a model.

#include "model_photons.hpp"
#include "pn_spectrum.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::test {

/// What is drawn.
struct SimulatedTruth {
    std::string model = "tbabs*powerlaw";
    double nh = 0.3, parameter = 1.8, norm = 0.0;  ///< norm 0: from counts
    double counts = 4000.0;                        ///< expected of the source
};

/// Source (hexadecimal number) of tests/data with the counts of source and background drawn anew: the model's
/// plus the real background's.
inline spectral::PreparedSpectrum simulated_spectrum(const SimulatedTruth& truth, std::uint64_t seed,
                                                     const spectral::FitOptions& options,
                                                     const std::string& number = "0007",
                                                     double factor = 1.0) {
    auto p = spectral::prepare(pn_spectrum(number), options);
    const std::vector<double> photons =
        test::photons(truth.model, truth.nh, truth.parameter, options.abundance, p.energy_lo, p.energy_hi);
    std::vector<double> rate(p.n_bins());
    spectral::fold<1>(p, {photons.data()}, {rate.data()});
    double total = 0.0;
    for (const double r : rate) total += p.source_exposure * r;
    const double norm = truth.norm > 0.0 ? truth.norm : truth.counts / total;
    RandomStream random(seed, 0);
    for (std::size_t k = 0; k < rate.size(); ++k) {
        const double background = p.background_counts[k] / p.background_exposure;
        p.counts[k] =
            static_cast<double>(random.poisson(p.source_exposure * (factor * norm * rate[k] + background)));
        p.background_counts[k] = static_cast<double>(random.poisson(p.background_exposure * background));
    }
    return p;
}

}  // namespace xsift::test
