#pragma once
/// @file
/// Trigonometric sums of photons in double, in an order that depends on the photons alone: the same to the
/// last bit whatever the instruction set and the threads.

#include <cstdint>
#include <span>
#include <vector>

#include <xsift/timing/photon_moments.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::timing {

/// An event list, its times counted from an origin. It refers to the list.
struct Photons {
    std::span<const double> time;   ///< s
    std::span<const float> weight;  ///< empty: all 1
    double origin = 0.0;            ///< s
};

/// Sums over photons by lanes: of w e (power 0) and, with six rows, of w t e and w t^2 e.
template <std::size_t rows>
struct alignas(64) PhotonLanes {
    double value[rows][moment_lanes] = {};

    Complex total(std::size_t power = 0) const {
        Complex sum;
        for (std::size_t l = 0; l < moment_lanes; ++l)
            sum = sum + Complex{value[2 * power][l], value[2 * power + 1][l]};
        return sum;
    }
};

/// The moments at the frequencies first + i step (Hz), i in [0, count): one phasor a photon, then products.
/// The error of the sums grows to 1e-16 count photons.
std::vector<PhotonLanes<moment_rows>> photon_moments(const Photons& photons, double first, double step,
                                                     int count);
/// The sums alone.
std::vector<Complex> progression(const Photons& photons, double first, double step, int count);

/// The sums of a list at the frequencies indices[i] df (Hz) that are asked for, indices ascending.
struct SumTask {
    Photons photons;
    double df = 0.0;
    std::span<const std::int64_t> indices;
};
std::vector<Complex> sums_of(const SumTask& task);

/// Cuts a task into ones with equal steps, which cost products instead of phases, and are so short that the
/// rounding of as many products stays below 1e-13. Its sums are theirs, one after the other.
std::vector<SumTask> equal_steps(const SumTask& task);
/// The sums of such a part.
std::vector<Complex> sums_of_equal_steps(const SumTask& part);

}  // namespace xsift::timing
