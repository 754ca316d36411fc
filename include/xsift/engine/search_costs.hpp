#pragma once
/// @file
/// What the evaluators of the photon search cost on a machine, and which of them a task gets.

#include <cstddef>
#include <cstdint>

namespace xsift::engine {

/// Ways to the trigonometric sums of an event list: direct sums in double, a matrix product (few photons), a
/// blocked non-uniform FFT (many). They agree within the screening precision.
enum class Evaluator : std::uint8_t { direct, matrix, nufft };

/// Nanoseconds on one core. The defaults are those of an Intel Xeon (Sapphire Rapids, AVX-512);
/// `xsift bench --calibrate` measures them. What is reported does not depend on them: screened peaks are
/// recomputed in double before any is dropped.
struct SearchCosts {
    double direct_pair = 12.0;   ///< a photon at a trial, direct sum
    double matrix_trial = 1.2;   ///< a trial of the matrix product, whatever the photons
    double matrix_pair = 0.03;   ///< a photon at a trial
    double nufft_trial = 3.3;    ///< a trial of the transform
    double nufft_photon = 28.0;  ///< a photon in a group of blocks
};

/// More photons are not searched by a matrix product: their factors (1 kB each) would fill the caches, and the
/// memory of every thread.
inline constexpr std::size_t most_matrix_photons = 1000;

/// Trials that a search computes, padding included, for a grid of `count` trials.
struct EvaluatorSizes {
    std::int64_t direct = 0, matrix = 0, nufft = 0;
    std::int64_t nufft_groups = 0;  ///< times that every photon is spread
};

/// The cheapest evaluator for n photons.
inline Evaluator choose_evaluator(std::size_t n, const EvaluatorSizes& sizes, const SearchCosts& costs) {
    const auto photons = static_cast<double>(n);
    const double direct = static_cast<double>(sizes.direct) * photons * costs.direct_pair;
    const double matrix =
        static_cast<double>(sizes.matrix) * (costs.matrix_trial + photons * costs.matrix_pair);
    const double nufft = static_cast<double>(sizes.nufft) * costs.nufft_trial +
                         static_cast<double>(sizes.nufft_groups) * photons * costs.nufft_photon;
    if (direct <= matrix && direct <= nufft) return Evaluator::direct;
    return matrix <= nufft && n <= most_matrix_photons ? Evaluator::matrix : Evaluator::nufft;
}

}  // namespace xsift::engine
