#pragma once
/// @file
/// The bodies of the direct-sum search kernels: what one thread does for one trial, on host and device alike.

#include <cstdint>
#include <cstring>

#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/window.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::engine {

/// cos and sin of a fixed phase in single precision: the nearest quarter turn is split off exactly, in
/// integers.
struct SinglePhasor {
    float cosine, sine;

    XSIFT_HD static SinglePhasor of(timing::FixedPhase phase) {
        const auto top = static_cast<std::uint32_t>(phase >> 32);
        const std::uint32_t quarter = (top + 0x20000000u) >> 30;
        const auto rest = static_cast<std::int32_t>(top - (quarter << 30));
        const float x = static_cast<float>(rest) * 1.4629180792671596e-9f, q = x * x;  // 2 pi / 2^32
        const float s = x * (1.0f + q * (-1.6666667e-1f + q * (8.3333310e-3f + q * -1.9840874e-4f)));
        const float c = 1.0f + q * (-0.5f + q * (4.16666456e-2f + q * (-1.3887316e-3f + q * 2.4433157e-5f)));
        const float re = (quarter & 1u) ? -s : c, im = (quarter & 1u) ? c : s;
        return (quarter & 2u) ? SinglePhasor{-re, -im} : SinglePhasor{re, im};
    }
    XSIFT_HD SinglePhasor operator*(SinglePhasor o) const {
        return {cosine * o.cosine - sine * o.sine, cosine * o.sine + sine * o.cosine};
    }
};

/// Most statistics of one event task on a device.
inline constexpr int max_statistics = 24;

/// One pass over the trials of a segment: harmonics first_harmonic .. first_harmonic + N - 1, on top of what
/// earlier passes left in the state. Pointers are to memory that the kernel can reach.
struct EventPass {
    const timing::FixedPhase* step = nullptr;  ///< n_photons
    const float* weight = nullptr;             ///< n_photons, or null: all 1
    std::int64_t n_photons = 0;
    std::int64_t first = 0, count = 0;  ///< grid index of the first trial, trials
    double df = 0.0, harmonic_fmax = 0.0;
    double sum_w = 0.0, sum_w2 = 0.0;
    const double *gti_start = nullptr, *gti_stop = nullptr;
    int n_gti = 0;
    double window_fmax = 0.0;
    int first_harmonic = 1, harmonics = 1;  ///< harmonics: those of the task, in all passes
    timing::HTest<float>* state = nullptr;  ///< count
    int n_statistics = 0;
    int statistic_harmonics[max_statistics] = {};
    bool statistic_is_h[max_statistics] = {};
    float* value = nullptr;  ///< n_statistics x count
    /// n_statistics x count: the harmonics that belong to the value; null where nobody asks (a device finds
    /// them when it recomputes its peaks).
    std::int32_t* best = nullptr;
};

/// Adds one harmonic's sum of trial i to its state and writes the statistics that are complete with it.
XSIFT_HD inline void finish_harmonic(const EventPass& pass, std::int64_t i, int k, float cosine_sum,
                                     float sine_sum, timing::HTest<float>& state) {
    const std::int64_t index = pass.first + i;
    float term = 0.0f;
    if (index <= last_harmonic_index(pass.harmonic_fmax, pass.df, k)) {
        const double f = static_cast<double>(index * k) * pass.df;
        if (f < pass.window_fmax) {
            const timing::Complex w =
                timing::gti_window(f, pass.gti_start, pass.gti_stop, pass.n_gti) * pass.sum_w;
            cosine_sum -= static_cast<float>(w.re);
            sine_sum -= static_cast<float>(w.im);
        }
        term = timing::z2_term(cosine_sum, sine_sum, static_cast<float>(pass.sum_w2));
    }
    state.add(term);
    for (int s = 0; s < pass.n_statistics; ++s) {
        if (pass.statistic_harmonics[s] != k) continue;
        pass.value[s * pass.count + i] = pass.statistic_is_h[s] ? state.h : state.z2;
        if (pass.best != nullptr) pass.best[s * pass.count + i] = pass.statistic_is_h[s] ? state.best_m : k;
    }
}

/// Trial i of a pass over N harmonics. The phase of every photon is exact (64-bit fixed point); the harmonics
/// of a photon follow from each other by rotation.
template <int N>
XSIFT_HD inline void event_trial(const EventPass& pass, std::int64_t i) {
    const std::int64_t index = pass.first + i;
    timing::HTest<float> state = pass.first_harmonic == 1 ? timing::HTest<float>{} : pass.state[i];
    float c[N] = {}, s[N] = {};
    if (index <= last_harmonic_index(pass.harmonic_fmax, pass.df, pass.first_harmonic)) {
        const auto base =
            static_cast<timing::FixedPhase>(index) * static_cast<timing::FixedPhase>(pass.first_harmonic);
        for (std::int64_t j = 0; j < pass.n_photons; ++j) {
            const SinglePhasor turn = SinglePhasor::of(pass.step[j] * static_cast<timing::FixedPhase>(index));
            SinglePhasor e = pass.first_harmonic == 1 ? turn : SinglePhasor::of(pass.step[j] * base);
            const float w = pass.weight ? pass.weight[j] : 1.0f;
            for (int k = 0; k < N; ++k) {
                c[k] += w * e.cosine;
                s[k] += w * e.sine;
                if (k + 1 < N) e = e * turn;
            }
        }
    }
    for (int k = 0; k < N && pass.first_harmonic + k <= pass.harmonics; ++k)
        finish_harmonic(pass, i, pass.first_harmonic + k, c[k], s[k], state);
    if (pass.first_harmonic + N <= pass.harmonics) pass.state[i] = state;
}

/// One pass over the trials of a segment of a light curve.
struct LightCurvePass {
    const timing::FixedPhase* step = nullptr;                  ///< n
    const float *weight = nullptr, *weighted_value = nullptr;  ///< as in PreparedLightCurve
    std::int64_t n = 0;
    std::int64_t first = 0, count = 0;
    float* value = nullptr;  ///< count
};

/// Adds a bin to the sums of a light curve, given the turns at f t and at 2 f t.
template <typename Real, typename Turn>
XSIFT_HD void add_bin(timing::LombScargleSums<Real>& sums, Real w, Real wy, const Turn& one,
                      const Turn& two) {
    sums.c += w * one.cosine;
    sums.s += w * one.sine;
    sums.yc += wy * one.cosine;
    sums.ys += wy * one.sine;
    sums.c2 += w * two.cosine;
    sums.s2 += w * two.sine;
}

/// Trial i: floating-mean Lomb-Scargle power.
XSIFT_HD inline void light_curve_trial(const LightCurvePass& pass, std::int64_t i) {
    timing::LombScargleSums<float> sums;
    sums.yy = 1.0f;
    sums.c2 = 0.0f;
    for (std::int64_t j = 0; j < pass.n; ++j) {
        const SinglePhasor one =
            SinglePhasor::of(pass.step[j] * static_cast<timing::FixedPhase>(pass.first + i));
        const SinglePhasor two = one * one;
        const float w = pass.weight[j], wy = pass.weighted_value[j];
        add_bin(sums, w, wy, one, two);
    }
    pass.value[i] = timing::lomb_scargle_power(sums);
}

/// Whether trial i of `count` is a peak: no other within the halo exceeds it, and of equals it is the first.
/// @param value value[i], a pointer or anything that is read like one
template <typename Values>
XSIFT_HD bool is_peak(const Values& value, std::int64_t count, std::int64_t i, std::int64_t halo) {
    const float v = value[i];
    for (std::int64_t d = 1; d <= halo; ++d)
        if ((i - d >= 0 && value[i - d] >= v) || (i + d < count && value[i + d] > v)) return false;
    return v > 0.0f;
}

/// A trial as one integer that orders as values (none negative) do, of equals the lower index higher; for an
/// atomic maximum. 0 is below every trial with a positive value.
XSIFT_HD inline std::uint64_t packed_trial(float value, std::uint32_t index) {
    std::uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return std::uint64_t{bits} << 32 | (0xffffffffu - index);
}
XSIFT_HD inline float value_of_packed(std::uint64_t packed) {
    const auto bits = static_cast<std::uint32_t>(packed >> 32);
    float value = 0.0f;
    memcpy(&value, &bits, sizeof value);
    return value;
}
XSIFT_HD inline std::uint32_t index_of_packed(std::uint64_t packed) {
    return 0xffffffffu - static_cast<std::uint32_t>(packed);
}

/// Trials that one thread looks through for the maxima of bands.
inline constexpr std::int64_t band_run = 32;

/// Puts a packed trial among the highest of a band. `maximum(slot, trial)` is an atomic maximum that returns
/// what was there: what is displaced goes to the next slot, so that in the end the slots hold the highest,
/// whatever the order of the threads.
template <typename Maximum>
XSIFT_HD inline void keep_in_band(unsigned long long* slots, std::uint64_t trial, const Maximum& maximum) {
    for (int depth = 0; depth < band_depth && trial != 0; ++depth) {
        const std::uint64_t there = maximum(slots + depth, trial);
        if (trial > there) trial = there;
    }
}

/// Offers the values [begin, end) that are above 0 to their bands as offer(band, packed_trial). Value i is
/// trial `first + i` of the grid.
template <typename Offer>
XSIFT_HD inline void offer_run_to_bands(const float* value, std::int64_t begin, std::int64_t end,
                                        std::int64_t first, const std::int64_t* edges, int bands,
                                        const Offer& offer) {
    if (begin >= end) return;
    int band = band_of(first + begin, edges, bands);
    for (std::int64_t i = begin; i < end; ++i) {
        while (band < bands && first + i >= edges[band + 1]) ++band;
        if (band >= 0 && band < bands && value[i] > 0.0f)
            offer(band, packed_trial(value[i], static_cast<std::uint32_t>(i)));
    }
}

}  // namespace xsift::engine
