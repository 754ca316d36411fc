#pragma once
/// @file
/// The bodies of the kernels of composite searches: what one thread does for one trial, on host and device
/// alike.

#include <cstdint>

#include <xsift/engine/search_kernel.hpp>
#include <xsift/timing/drift.hpp>
#include <xsift/timing/epoch_folding.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::engine {

/// One member at one trial of the drift. Pointers are to memory that the kernel can reach.
struct CompositePass {
    const timing::FixedPhase *step = nullptr, *offset = nullptr;  ///< n_photons; offset null: 0
    const float* weight = nullptr;                                ///< n_photons, or null: all 1
    std::int64_t n_photons = 0;
    std::int64_t first = 0, count = 0;  ///< grid index of the first trial, trials
    double df = 0.0, harmonic_fmax = 0.0;
    timing::DriftGrid drift;
    std::int64_t drift_trial = 0;
    double sum_w = 0.0, sum_w2 = 0.0, window_fmax = 0.0;
    const double *gti_start = nullptr, *gti_stop = nullptr, *gti_rate = nullptr;  ///< rate null: all the same
    int n_gti = 0;
    int harmonics = 0, n_statistics = 0;
    int statistic_size[max_statistics] = {};  ///< n of Z2_n, bins of EF
    bool statistic_folds[max_statistics] = {};
    float* value = nullptr;  ///< n_statistics x count; the member's statistics are added
};

/// Adds what harmonic k of trial i adds to Z2.
XSIFT_HD inline void finish_composite(const CompositePass& pass, std::int64_t i, int k, float cosine_sum,
                                      float sine_sum, float& z2) {
    const std::int64_t index = pass.first + i;
    if (index <= last_harmonic_index(pass.harmonic_fmax, pass.df, k)) {
        const double f = static_cast<double>(index) * pass.df;
        if (k * f < pass.window_fmax) {
            const timing::Complex w =
                timing::drift_window(k * f, k * pass.drift.fdot(pass.drift_trial, f), pass.gti_start,
                                     pass.gti_stop, pass.gti_rate, pass.n_gti) *
                pass.sum_w;
            cosine_sum -= static_cast<float>(w.re);
            sine_sum -= static_cast<float>(w.im);
        }
        z2 += timing::z2_term(cosine_sum, sine_sum, static_cast<float>(pass.sum_w2));
    }
    for (int s = 0; s < pass.n_statistics; ++s)
        if (!pass.statistic_folds[s] && pass.statistic_size[s] == k) pass.value[s * pass.count + i] += z2;
}

/// Z2 of trial i by direct sums.
XSIFT_HD inline void composite_trial(const CompositePass& pass, std::int64_t i) {
    const auto index = static_cast<timing::FixedPhase>(pass.first + i);
    float z2 = 0.0f;
    for (int k = 1; k <= pass.harmonics; ++k) {
        const auto harmonic = static_cast<timing::FixedPhase>(k);
        float c = 0.0f, s = 0.0f;
        for (std::int64_t j = 0; j < pass.n_photons; ++j) {
            const timing::FixedPhase phase = pass.step[j] * index + (pass.offset ? pass.offset[j] : 0);
            const SinglePhasor e = SinglePhasor::of(phase * harmonic);
            const float w = pass.weight ? pass.weight[j] : 1.0f;
            c += w * e.cosine;
            s += w * e.sine;
        }
        finish_composite(pass, i, k, c, s, z2);
    }
}

/// Share of the exposure of each phase bin at a frequency; false where all are the same.
XSIFT_HD inline bool phase_exposure(const CompositePass& pass, double f, double fdot, int bins,
                                    double* share) {
    if (f >= pass.window_fmax) return false;
    for (int b = 0; b < bins; ++b) share[b] = 0.0;
    for (int g = 0; g < pass.n_gti; ++g) {
        const double a = pass.gti_start[g], b = pass.gti_stop[g];
        timing::add_phase_exposure(a * (f + 0.5 * fdot * a), b * (f + 0.5 * fdot * b),
                                   pass.gti_rate ? pass.gti_rate[g] : 1.0, bins, share);
    }
    return true;
}

/// Epoch folding of trial i: every statistic that folds.
XSIFT_HD inline void fold_trial(const CompositePass& pass, std::int64_t i) {
    const auto index = static_cast<timing::FixedPhase>(pass.first + i);
    const double f = static_cast<double>(pass.first + i) * pass.df;
    for (int s = 0; s < pass.n_statistics; ++s) {
        if (!pass.statistic_folds[s]) continue;
        const int bins = pass.statistic_size[s];
        timing::FoldedProfile<float> profile;
        for (std::int64_t j = 0; j < pass.n_photons; ++j) {
            const timing::FixedPhase phase = pass.step[j] * index + (pass.offset ? pass.offset[j] : 0);
            profile.add(timing::phase_bin(phase, bins), pass.weight ? pass.weight[j] : 1.0f);
        }
        double share[timing::most_bins];
        const bool uneven = phase_exposure(pass, f, pass.drift.fdot(pass.drift_trial, f), bins, share);
        pass.value[s * pass.count + i] +=
            static_cast<float>(timing::folded_chi2(profile, uneven ? share : nullptr, bins).chi2);
    }
}

}  // namespace xsift::engine
