#pragma once
/// @file
/// Spectra with known truth: a real EPIC-pn spectrum of tests/data with counts of source and background drawn
/// anew, channel by channel.

#include "model_photons.hpp"
#include "pn_spectrum.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/data/results.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::test {

/// A running mean over 41 channels: the shape of the background without the noise of its counts.
inline std::vector<double> smoothed(const std::vector<double>& counts) {
    constexpr std::ptrdiff_t half = 20;
    const std::ptrdiff_t n = std::ssize(counts);
    std::vector<double> out(counts.size());
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        double sum = 0.0;
        const std::ptrdiff_t lo = std::max<std::ptrdiff_t>(0, i - half), hi = std::min(n - 1, i + half);
        for (std::ptrdiff_t j = lo; j <= hi; ++j) sum += counts[j];
        out[i] = sum / static_cast<double>(hi - lo + 1);
    }
    return out;
}

/// What is simulated.
struct Truth {
    std::string model;
    double nh = 0.0, parameter = 0.0, second = 0.0;  ///< second: shape parameter of a second component
    double share = 0.5;                              ///< of the source's counts that it has
    double counts = 0.0, background = 0.0;           ///< expected in the band, in the source region
    double ratio = 0.0;  ///< background exposure times area over that of the source
    /// The counts of the source region stay as drawn, those of the background become their expectation in a
    /// region this many times larger: W-stat is then the C-stat of a known background.
    bool known_background = false;
};

class Simulator {
  public:
    Simulator(const Truth& truth, const spectral::FitOptions& options, const std::string& number)
        : truth_(truth), base_(pn_spectrum(number)) {
        spectral::FitOptions fine = options;
        fine.binning = {spectral::Binning::Kind::none, 0};
        const auto p = spectral::prepare(base_, fine);
        const auto model = test::model(truth.model);
        std::vector<double> values = model->initial_values();
        int shapes = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const spectral::ModelParameter& of = model->parameters[i];
            if (of.name == "nH") values[i] = truth.nh;
            if (of.name == "kT" || of.name == "PhoIndex")
                values[i] = shapes++ == 0 ? truth.parameter : truth.second;
        }
        spectral::ModelEvaluator evaluator(model, options.abundance,
                                           spectral::EnergyBins::from_bounds(p.energy_lo, p.energy_hi));
        evaluator.evaluate(values, false);
        const std::size_t n_groups = evaluator.freedom().groups.size();
        std::vector<double> rate(p.n_bins(), 0.0);
        for (std::size_t g = 0; g < n_groups; ++g) {
            std::vector<double> unit(p.n_bins());
            spectral::fold<1>(p, {evaluator.unit(g).data()}, {unit.data()});
            double counts = 0.0;
            for (const double r : unit) counts += r * p.source_exposure;
            const double share = n_groups == 1 ? 1.0 : g == 0 ? 1.0 - truth.share : truth.share;
            norm_.push_back(share * truth.counts / counts);
            for (std::size_t k = 0; k < rate.size(); ++k) rate[k] += norm_.back() * unit[k];
        }
        const std::vector<double> shape = smoothed(base_.background_counts);
        double background = 0.0;
        for (std::size_t k = 0; k < rate.size(); ++k) background += shape[p.bin_first[k]];
        source_.assign(base_.counts.size(), 0.0);
        background_ = source_;
        for (std::size_t k = 0; k < rate.size(); ++k) {
            source_[p.bin_first[k]] = p.source_exposure * rate[k];
            background_[p.bin_first[k]] = truth.background * shape[p.bin_first[k]] / background;
        }
        base_.background_exposure = base_.exposure.livetime;
        base_.background_back_scale = truth.ratio * base_.back_scale;
    }
    /// Of component g; NaN when there is none.
    double norm(std::size_t g) const { return g < norm_.size() ? norm_[g] : not_measured; }

    const Spectrum& draw(std::uint64_t seed, std::uint64_t index) {
        RandomStream random(seed, index);
        for (std::size_t c = 0; c < source_.size(); ++c) {
            base_.counts[c] = static_cast<double>(random.poisson(source_[c] + background_[c]));
            base_.background_counts[c] = static_cast<double>(random.poisson(truth_.ratio * background_[c]));
        }
        if (truth_.known_background) {
            constexpr double larger = 1e5;
            for (std::size_t c = 0; c < source_.size(); ++c)
                base_.background_counts[c] = larger * background_[c];
            base_.background_back_scale = larger * base_.back_scale;
        }
        return base_;
    }

  private:
    Truth truth_;
    Spectrum base_;
    std::vector<double> source_, background_;  ///< expected counts a channel, in the source region
    std::vector<double> norm_;
};

}  // namespace xsift::test
