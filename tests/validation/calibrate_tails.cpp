// Tails of Z2_n and H of few photons, by drawing phases: what the table in src/timing/few_photons.cpp is made
// from.
//
//   calibrate_tails MILLIONS [PHOTONS...]
//   calibrate_tails pulsed THOUSANDS PHOTONS
//
// The first prints for each number of photons and statistic log10 of the probability that it exceeds the
// value that is exceeded with 10^-1, 10^-2, ... in the limit of many photons, less that exponent. Draws are
// MILLIONS x 10^6 x 20 / PHOTONS, at least a million; cells with fewer than 25 exceedances print nan. The
// second draws from a mixture of pulsed densities (importance sampling), which reaches 1e-13: for each value
// the exponent and the difference with its error.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <xsift/core/constants.hpp>
#include <xsift/core/random.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>

namespace {

using namespace xsift;

constexpr int lanes = 16, harmonics = 20, decades = 8;
constexpr std::array<int, 8> searched{1, 2, 3, 4, 6, 8, 12, 20};  // and H

/// Sums over the photons of all lanes: values of Z2_m.
void draw(int photons, std::uint64_t stream, float (&z2)[harmonics][lanes]) {
    std::array<std::uint64_t, lanes> state{};
    RandomStream seed(20261127, stream);
    for (auto& s : state) s = seed.bits() | 1u;
    float c[harmonics][lanes] = {}, s[harmonics][lanes] = {};
    for (int j = 0; j < photons; ++j) {
        float x[lanes], y[lanes];
        for (int l = 0; l < lanes; ++l) {
            auto& q = state[static_cast<std::size_t>(l)];  // xorshift64*
            q ^= q >> 12;
            q ^= q << 25;
            q ^= q >> 27;
            const auto top = static_cast<std::int32_t>((q * 2685821657736338717ull) >> 32);
            const float phase = static_cast<float>(top) * 1.4629181e-9f;  // pi / 2^31
            x[l] = std::cos(phase);
            y[l] = std::sin(phase);
        }
        float a[lanes], b[lanes];
        for (int l = 0; l < lanes; ++l) {
            a[l] = x[l];
            b[l] = y[l];
        }
        for (int k = 0; k < harmonics; ++k)
            for (int l = 0; l < lanes; ++l) {
                c[k][l] += a[l];
                s[k][l] += b[l];
                const float next = a[l] * x[l] - b[l] * y[l];
                b[l] = a[l] * y[l] + b[l] * x[l];
                a[l] = next;
            }
    }
    for (int l = 0; l < lanes; ++l) {
        float sum = 0.0f;
        for (int k = 0; k < harmonics; ++k) {
            sum += 2.0f / static_cast<float>(photons) * (c[k][l] * c[k][l] + s[k][l] * s[k][l]);
            z2[k][l] = sum;
        }
    }
}

/// A density of phases: this fraction follows a wrapped Cauchy distribution, the rest is uniform.
struct Pulse {
    double fraction, concentration;

    double density(double phase) const {
        const double r = concentration;
        return 1.0 - fraction + fraction * (1.0 - r * r) / (1.0 + r * r - 2.0 * r * std::cos(phase));
    }
    double draw(RandomStream& random) const {
        if (random.uniform() >= fraction) return constants::two_pi * random.uniform();
        return 2.0 * std::atan((1.0 - concentration) / (1.0 + concentration) *
                               std::tan(constants::pi * (random.uniform() - 0.5)));
    }
};

/// Pulses that make Z2_20 of about these values, and none.
std::vector<Pulse> pulses_of(int photons) {
    std::vector<Pulse> pulses{{0.0, 0.5}};
    for (const double z2 : {6.0, 14.0, 26.0, 42.0, 64.0})
        for (const double r : {0.15, 0.5, 0.8}) {
            double power = 0.0;
            for (int k = 1; k <= harmonics; ++k) power += std::pow(r, 2 * k);
            const double fraction = std::sqrt(z2 / (2.0 * photons * power));
            pulses.push_back(fraction <= 1.0 ? Pulse{fraction, r} : Pulse{0.98, r > 0.7 ? r + 0.1 : r});
        }
    return pulses;
}

/// ln of the density of the phases, all pulses at all phases equally likely, over that of uniform ones.
double log_mixture(const std::vector<Pulse>& pulses, const std::vector<double>& phase) {
    constexpr int turns = 24;
    std::vector<double> all;
    for (const Pulse& pulse : pulses)
        for (int turn = 0; turn < turns; ++turn) {
            double log = 0.0;
            for (const double p : phase) log += std::log(pulse.density(p - constants::two_pi * turn / turns));
            all.push_back(log);
        }
    const double high = *std::max_element(all.begin(), all.end());
    double sum = 0.0;
    for (const double log : all) sum += std::exp(log - high);
    return high + std::log(sum / static_cast<double>(all.size()));
}

void print_pulsed(int draws, int photons) {
    constexpr std::size_t values = 15;  // 8, 16 .. 120
    const std::vector<Pulse> pulses = pulses_of(photons);
    std::array<std::array<double, values>, searched.size() + 1> sum{}, squares{};
    std::vector<double> phase(static_cast<std::size_t>(photons));
    for (int i = 0; i < draws; ++i) {
        RandomStream random(static_cast<std::uint64_t>(photons), static_cast<std::uint64_t>(i));
        const Pulse& drawn =
            pulses[static_cast<std::size_t>(random.uniform() * static_cast<double>(pulses.size()))];
        for (double& p : phase) p = drawn.draw(random);
        const double weight = std::exp(-log_mixture(pulses, phase));
        std::array<double, searched.size() + 1> value{};
        double z2 = 0.0;
        for (int k = 1; k <= harmonics; ++k) {
            double c = 0.0, s = 0.0;
            for (const double p : phase) {
                c += std::cos(k * p);
                s += std::sin(k * p);
            }
            z2 += 2.0 / photons * (c * c + s * s);
            value.back() = std::max(value.back(), z2 - 4.0 * (k - 1));
            for (std::size_t r = 0; r < searched.size(); ++r)
                if (searched[r] == k) value[r] = z2;
        }
        for (std::size_t r = 0; r < value.size(); ++r)
            for (std::size_t v = 0; v < values && value[r] > 8.0 * static_cast<double>(v + 1); ++v) {
                sum[r][v] += weight;
                squares[r][v] += weight * weight;
            }
    }
    const timing::SearchExtent extent;
    for (std::size_t r = 0; r < sum.size(); ++r) {
        const bool is_h = r == searched.size();
        std::printf("%5d %s%-2d", photons, is_h ? "H_" : "Z2_", is_h ? harmonics : searched[r]);
        for (std::size_t v = 0; v < values; ++v) {
            const double x = 8.0 * static_cast<double>(v + 1);
            const double many = is_h ? timing::log10_h_single(x, harmonics, extent)
                                     : timing::log10_chi2_survival(x, searched[r]);
            if (!(sum[r][v] > 0.0) || many < -14.0) break;
            std::printf(" %.2f:%.3f+-%.3f", -many, std::log10(sum[r][v] / draws) - many,
                        std::sqrt(squares[r][v]) / sum[r][v] / constants::ln10);
        }
        std::printf("\n");
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::string(argv[1]) == "pulsed") {
        print_pulsed(1000 * std::atoi(argv[2]), std::max(1, std::atoi(argv[3])));
        return 0;
    }
    if (argc < 2) {
        std::fputs("usage: calibrate_tails MILLIONS [PHOTONS...] | pulsed THOUSANDS PHOTONS\n", stderr);
        return 2;
    }
    std::vector<int> numbers{10, 20, 40, 80, 160, 320, 640};
    if (argc > 2) numbers.clear();
    for (int i = 2; i < argc; ++i) numbers.push_back(std::atoi(argv[i]));

    constexpr std::size_t rows = searched.size() + 1;
    std::array<std::array<double, decades>, rows> threshold{};
    const timing::SearchExtent extent;
    for (std::size_t r = 0; r < rows; ++r)
        for (int d = 0; d < decades; ++d) {
            double low = 0.0, high = 400.0;
            for (int i = 0; i < 60; ++i) {
                const double x = 0.5 * (low + high);
                const double p = r < searched.size() ? timing::log10_chi2_survival(x, searched[r])
                                                     : timing::log10_h_single(x, harmonics, extent);
                (p > -(d + 1) ? low : high) = x;
            }
            threshold[r][static_cast<std::size_t>(d)] = high;
        }
    for (const int photons : numbers) {
        const auto draws =
            static_cast<std::int64_t>(std::max(1.0, std::atof(argv[1]) * 20.0 / photons) * 1e6 / lanes);
        std::array<std::array<std::int64_t, decades>, rows> above{};
        float z2[harmonics][lanes];
        for (std::int64_t i = 0; i < draws; ++i) {
            draw(photons, static_cast<std::uint64_t>(i), z2);
            for (int l = 0; l < lanes; ++l) {
                float h = 0.0f;
                for (int k = 0; k < harmonics; ++k) h = std::max(h, z2[k][l] - 4.0f * static_cast<float>(k));
                for (std::size_t r = 0; r < rows; ++r) {
                    const float x = r < searched.size() ? z2[searched[r] - 1][l] : h;
                    for (std::size_t d = 0; d<decades&& static_cast<double>(x)> threshold[r][d]; ++d)
                        ++above[r][d];
                }
            }
        }
        for (std::size_t r = 0; r < rows; ++r) {
            std::printf("%5d %s%-2d", photons, r < searched.size() ? "Z2_" : "H_",
                        r < searched.size() ? searched[r] : harmonics);
            for (std::size_t d = 0; d < decades; ++d) {
                const auto n = static_cast<double>(above[r][d]);
                std::printf(" %7.3f", n < 25.0 ? NAN
                                               : std::log10(n / (static_cast<double>(draws) * lanes)) +
                                                     static_cast<double>(d) + 1.0);
            }
            std::printf("\n");
        }
    }
    return 0;
}
