#pragma once
/// @file
/// A posterior of an absorbed power law on a lattice, as a task of an engine, with all that it is made of.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/spectral/posterior_task.hpp>

namespace xsift::test {

/// Rows are column densities from 0 on, columns photon indices; priors are flat. Owns what the task shows.
struct PosteriorLattice {
    struct Axis {
        double lo, step;
        int n_nodes;
        std::vector<double> mass, at, weight, log_prior, value, share;
        std::vector<std::int32_t> first;

        double node(int i) const { return lo + step * i; }
        Axis(double from, double width, int n) : lo(from), step(width), n_nodes(n) {
            mass.assign(static_cast<std::size_t>(n), step);
            constexpr int subdivisions = spectral::lattice_subdivisions;
            const int points = n == 1 ? 1 : subdivisions * (n - 1) + 1;
            for (int p = 0; p < points; ++p) {
                const double x = static_cast<double>(p) / subdivisions;
                const int from_node = std::clamp(static_cast<int>(x) - 1, 0, std::max(0, n - 4));
                at.push_back(lo + step * x);
                weight.push_back(n == 1 ? 1.0
                                        : step / subdivisions * (p == 0 || p + 1 == points ? 0.5 : 1.0));
                log_prior.push_back(0.0);
                value.push_back(at.back());
                first.push_back(from_node);
                for (int i = 0; i < 4; ++i) {
                    double product = i < n ? 1.0 : 0.0;
                    for (int j = 0; j < std::min(n, 4); ++j)
                        if (j != i) product *= (x - from_node - j) / (i - j);
                    share.push_back(product);
                }
            }
        }
        spectral::PosteriorAxis data() const {
            return {n_nodes, mass, at, weight, log_prior, value, first, share};
        }
    };

    std::vector<double> energy, counts, background, background_exposure, response, row_factor, column_factor,
        flux_column;
    std::vector<std::int32_t> first, count;
    std::vector<std::int64_t> start;
    Axis row, column;
    double exposure = 1e4, norm = 0.0, skewness = 1.0;

    /// @param drawn counts, with a column density of 0.5, an index of 1.8 and some background when w_stat
    /// @param reach energies that a bin sees
    PosteriorLattice(Axis rows, Axis columns, int n_bins, double drawn, bool w_stat, std::uint64_t seed,
                     int reach = 3)
        : row(std::move(rows)), column(std::move(columns)) {
        const int n_energies = n_bins + reach - 1;
        for (int e = 0; e < n_energies; ++e) energy.push_back(0.4 * std::pow(25.0, (e + 0.5) / n_energies));
        for (int k = 0; k < n_bins; ++k) {
            first.push_back(k);
            count.push_back(reach);
            start.push_back(std::ssize(response));
            for (int i = 0; i < reach; ++i) {
                const double x = (i - 0.5 * (reach - 1)) / (0.3 * reach);
                response.push_back(1000.0 / reach * std::exp(-0.5 * x * x));
            }
        }
        double total = 0.0;
        for (int k = 0; k < n_bins; ++k) total += exposure * rate(0.5, 1.8, k);
        norm = drawn / total;
        if (w_stat) skewness = 1.3;  // a background of a quarter of the counts
        RandomStream random(seed, 0);
        for (int k = 0; k < n_bins; ++k) {
            const double of_background = w_stat ? 0.3 * drawn / n_bins : 0.0;
            counts.push_back(
                static_cast<double>(random.poisson(exposure * norm * rate(0.5, 1.8, k) + of_background)));
            background.push_back(w_stat ? static_cast<double>(random.poisson(6.0 * of_background)) : 0.0);
            background_exposure.push_back(w_stat ? 6.0 * exposure : 0.0);
        }
        for (int i = 0; i < row.n_nodes; ++i)
            for (const double e : energy) row_factor.push_back(transmission(row.node(i), e));
        for (int j = 0; j < column.n_nodes; ++j)
            for (const double e : energy) {
                column_factor.push_back(std::pow(e, 1.0 - column.node(j)));
                flux_column.push_back(1.6e-9 * e * column_factor.back());
            }
    }
    PosteriorLattice(const PosteriorLattice&) = delete;
    PosteriorLattice& operator=(const PosteriorLattice&) = delete;

    static double transmission(double nh, double e) { return std::exp(-nh * std::pow(e, -2.5)); }
    /// count/s at norm 1.
    double rate(double nh, double index, int k) const {
        double sum = 0.0;
        for (int i = 0; i < count[k]; ++i) {
            const double e = energy[static_cast<std::size_t>(first[k] + i)];
            sum += response[static_cast<std::size_t>(start[k] + i)] * transmission(nh, e) *
                   std::pow(e, 1.0 - index);
        }
        return sum;
    }
    double log_unit_flux(double nh, double index) const {
        double sum = 0.0;
        for (const double e : energy) sum += 1.6e-9 * e * transmission(nh, e) * std::pow(e, 1.0 - index);
        return std::log(sum);
    }
    /// The task, pointing at the arrays of this.
    spectral::PosteriorTask task() const {
        const auto n_energies = std::ssize(energy);
        return {std::ssize(counts),
                n_energies,
                counts,
                background,
                exposure,
                background_exposure,
                response,
                first,
                count,
                start,
                row_factor,
                column_factor,
                row.data(),
                column.data(),
                {{n_energies, row_factor, flux_column}},
                std::log(1e-12),
                std::log(1e6),
                skewness,
                0.05};
    }
};

}  // namespace xsift::test
