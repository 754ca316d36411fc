#pragma once
/// @file
/// The body of the kernel for Lomb-Scargle searches with several harmonics: what one thread does for one
/// trial, on host and device alike.

#include <cstdint>

#include <xsift/engine/search_kernel.hpp>
#include <xsift/timing/multi_term.hpp>

namespace xsift::engine {

/// One pass over the trials of a segment of a light curve, every number of harmonics asked for at once.
/// Pointers are to memory that the kernel can reach.
struct MultiTermPass {
    const timing::FixedPhase* step = nullptr;                  ///< n
    const float *weight = nullptr, *weighted_value = nullptr;  ///< as in PreparedLightCurve
    std::int64_t n = 0;
    std::int64_t first = 0, count = 0;
    double df = 0.0, harmonic_fmax = 0.0;
    int terms = 1;  ///< most harmonics of a statistic
    int n_statistics = 0;
    int statistic_terms[timing::most_terms] = {};
    float* value = nullptr;        ///< n_statistics x count
    std::int32_t* best = nullptr;  ///< n_statistics x count: the harmonics used; null where nobody asks
};

/// Harmonics of those wanted that a fit at trial i has.
XSIFT_HD inline int usable_terms_of(const MultiTermPass& pass, std::int64_t i, int wanted) {
    return timing::usable_terms(static_cast<double>(pass.first + i) * pass.df, pass.harmonic_fmax, wanted);
}

/// Powers of a trial from its sums, one a statistic.
XSIFT_HD inline void finish_terms(const MultiTermPass& pass, std::int64_t i,
                                  const timing::MultiTermSums<float>& sums) {
    const int usable = usable_terms_of(pass, i, pass.terms);
    const timing::MultiTermFit<float> fit = timing::fit_terms(sums, usable, false);
    for (int s = 0; s < pass.n_statistics; ++s) {
        const int n = pass.statistic_terms[s] < usable ? pass.statistic_terms[s] : usable;
        pass.value[s * pass.count + i] = timing::multi_term_power(sums, fit, n);
        if (pass.best != nullptr) pass.best[s * pass.count + i] = n;
    }
}

/// What a thread of many adds to the sums at harmonic k of trial i in double: every `threads`-th bin.
struct TermShare {
    double c = 0.0, s = 0.0, yc = 0.0, ys = 0.0;
};
XSIFT_HD inline TermShare exact_term_share(const MultiTermPass& pass, std::int64_t i, int k, int thread,
                                           int threads) {
    TermShare share;
    const auto index = static_cast<timing::FixedPhase>((pass.first + i) * k);
    for (std::int64_t j = thread; j < pass.n; j += threads) {
        const timing::Phasor p = timing::phasor(pass.step[j] * index);
        const auto w = static_cast<double>(pass.weight[j]), wy = static_cast<double>(pass.weighted_value[j]);
        share.c += w * p.cosine;
        share.s += w * p.sine;
        share.yc += wy * p.cosine;
        share.ys += wy * p.sine;
    }
    return share;
}

/// Trial i.
XSIFT_HD inline void multi_term_trial(const MultiTermPass& pass, std::int64_t i) {
    timing::MultiTermSums<float> sums;
    sums.yy = 1.0f;
    for (std::int64_t j = 0; j < pass.n; ++j) {
        const SinglePhasor one =
            SinglePhasor::of(pass.step[j] * static_cast<timing::FixedPhase>(pass.first + i));
        const float w = pass.weight[j], wy = pass.weighted_value[j];
        SinglePhasor e = one;
        for (int k = 1; k <= 2 * pass.terms; ++k) {
            sums.c[k] += w * e.cosine;
            sums.s[k] += w * e.sine;
            if (k <= pass.terms) {
                sums.yc[k] += wy * e.cosine;
                sums.ys[k] += wy * e.sine;
            }
            e = e * one;
        }
    }
    finish_terms(pass, i, sums);
}

}  // namespace xsift::engine
