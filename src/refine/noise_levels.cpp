#include "noise_levels.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/timing/z2.hpp>

namespace xsift::refine {
namespace {

/// Images of a signal that add less than this to a power are left there.
constexpr double negligible_power = 0.05;

}  // namespace

const timing::NoiseLevel& LocalNoise::at(double frequency) {
    const auto [entry, fresh] = known_.try_emplace(frequency);
    if (fresh) entry->second = spectrum_.at(frequency);
    return entry->second;
}

PhotonNoise::PhotonNoise(const EventList& events, const PhotonSums& sums, double df,
                         std::span<const std::int64_t> indices, std::span<const timing::Complex> of_photons)
    : sums_(sums), resolution_(1.0 / timing::time_span(events)), exposure_(1.0 / resolution_) {
    if (events.gti.size() > 0) exposure_ = events.gti.exposure();
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const double f = static_cast<double>(indices[i]) * df;
        samples_.push_back({f, sums.line(f, of_photons[i]).sum});
    }
}

void PhotonNoise::subtract(const Signal& signal, std::vector<Sample>& samples) const {
    const Line& line = signal.line;
    const double power = timing::z2_term(line.sum.re, line.sum.im, sums_.sum_w2());
    const double reach =
        std::max(signal.excluded * resolution_, sums_.window_reach(std::sqrt(negligible_power / power)));
    const auto below = [](const Sample& s, double f) { return s.frequency < f; };
    for (auto s = std::lower_bound(samples.begin(), samples.end(), line.frequency - reach, below);
         s != samples.end() && s->frequency < line.frequency + reach; ++s) {
        s->sum = s->sum - line.sum * sums_.window(s->frequency - line.frequency) -
                 line.sum.conjugate() * sums_.window(s->frequency + line.frequency);
        s->excluded |= std::fabs(s->frequency - line.frequency) < signal.excluded * resolution_;
    }
}

void PhotonNoise::remove(const std::vector<Signal>& signals) {
    for (const Signal& signal : signals) subtract(signal, samples_);
}

LocalNoise PhotonNoise::without(const std::vector<Signal>& signals) const {
    std::vector<Sample> samples = samples_;
    for (const Signal& signal : signals) subtract(signal, samples);
    std::vector<timing::NoisePower> powers;
    for (const Sample& s : samples)
        if (!s.excluded) powers.push_back({s.frequency, timing::z2_term(s.sum.re, s.sum.im, sums_.sum_w2())});
    return {powers, exposure_};
}

}  // namespace xsift::refine
