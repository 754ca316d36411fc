// False-alarm probabilities of constant sources: how often the maximum of a search is called as improbable as
// p.
//
//   validate_nulls SOURCES [FOLDER] [PHOTONS [OVERSAMPLING]]
//
// Writes a Markdown table to stdout (and with FOLDER the plot as SVG there). Exit status 1 when a share is
// further from p than three standard deviations of this number of sources (and 3% of p, what the formulas
// claim).
#include "write_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>

namespace {

using namespace xsift;

constexpr double span = 4e4;
/// Multiples of 1/T that are searched.
constexpr double lowest = 20.0, highest = 320.0;
const std::vector<double> start{0.0, 11'000.0, 26'500.0}, stop{10'000.0, 26'000.0, span};
constexpr std::array<double, 3> levels{0.1, 0.01, 0.001};

EventList draw_events(std::int64_t photons, RandomStream& random) {
    EventList events;
    events.exposure.file = "constant";
    events.exposure.time_system = "TDB";
    events.exposure.time_reference = "SOLARSYSTEM";
    events.gti = {start, stop};
    while (static_cast<std::int64_t>(events.time.size()) < photons) {
        const double t = span * random.uniform();
        bool good = false;
        for (std::size_t i = 0; i < start.size(); ++i) good = good || (t >= start[i] && t < stop[i]);
        if (good) events.time.push_back(t);
    }
    std::sort(events.time.begin(), events.time.end());
    return events;
}

/// Bins of 50 s in the good time intervals, Gaussian errors.
LightCurve draw_curve(RandomStream& random) {
    LightCurve curve;
    curve.exposure.file = "constant";
    curve.exposure.time_system = "TDB";
    curve.exposure.time_reference = "SOLARSYSTEM";
    curve.bin_width = 100.0;
    for (std::size_t g = 0; g < start.size(); ++g)
        for (double t = start[g]; t + curve.bin_width <= stop[g]; t += curve.bin_width) {
            curve.time.push_back(t + 0.5 * curve.bin_width);
            curve.error.push_back(0.3);
            curve.rate.push_back(2.0 + 0.3 * random.normal());
        }
    return curve;
}

struct Shares {
    std::array<int, 3> alarms{};
    int sources = 0;

    void add(double log10_fap) {
        ++sources;
        for (std::size_t i = 0; i < levels.size(); ++i)
            alarms[i] += log10_fap <= std::log10(levels[i]) ? 1 : 0;
    }
};

double best_of(const std::vector<PeriodCandidate>& rows) {
    double best = 0.0;
    for (const PeriodCandidate& c : rows) best = std::min(best, c.log10_fap_white);
    return best;
}

struct Row {
    std::string name;
    std::int64_t photons;
    double oversampling;
    Shares shares;
};

}  // namespace

int main(int argc, char** argv) {
    const int sources = argc > 1 ? std::atoi(argv[1]) : 0;
    if (sources < 100) {
        std::fputs(
            "usage: validate_nulls SOURCES [FOLDER] [PHOTONS [OVERSAMPLING]]   (at least 100 sources)\n",
            stderr);
        return 2;
    }
    const std::int64_t only_photons = argc > 3 ? std::atoll(argv[3]) : -1;
    const double only_oversampling = argc > 4 ? std::atof(argv[4]) : 0.0;
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).search;
    std::vector<Row> rows;
    for (const std::int64_t photons : {20, 50, 200, 1000, 5000, 0})
        for (const double oversampling : {1.0, 2.0, 4.0, 8.0}) {
            if ((only_photons >= 0 && photons != only_photons) ||
                (only_oversampling > 0.0 && oversampling != only_oversampling))
                continue;
            timing::SearchOptions options;
            options.oversampling = oversampling;
            options.fmin = lowest / span;
            options.fmax = highest / span;
            options.z2_harmonics = {1, 2};
            std::vector<Row> group;
            if (photons > 0)
                for (const char* name : {"Z2_1", "Z2_2", "H", "all"})
                    group.push_back({name, photons, oversampling, {}});
            else
                group.push_back({"GLS", photons, oversampling, {}});
            for (int i = 0; i < sources; ++i) {
                RandomStream random(1000 + static_cast<std::uint64_t>(photons),
                                    static_cast<std::uint64_t>(i));
                if (photons == 0) {
                    const LightCurve curve = draw_curve(random);
                    const auto grid = timing::make_grid(curve, options);
                    const auto bins = timing::usable_bins(curve);
                    const engine::LightCurveTask task =
                        engine::make_task(bins, curve.bin_width, grid, options);
                    const auto found = backend->search(std::span(&task, 1)).at(0).statistics;
                    group[0].shares.add(best_of(refine::polish_light_curve(curve, grid, found, options)));
                    continue;
                }
                const EventList events = draw_events(photons, random);
                const auto grid = timing::make_grid(events, options);
                const engine::EventTask task = engine::make_task(events, grid, options);
                const auto found = backend->search(std::span(&task, 1)).at(0).statistics;
                for (std::size_t s = 0; s < found.size(); ++s)
                    group[s].shares.add(
                        best_of(refine::polish_events(events, grid, std::span(&found[s], 1), options)));
                // All statistics together, as a source is judged.
                const double best = best_of(refine::polish_events(events, grid, found, options));
                const double searches =
                    timing::effective_statistics(timing::event_statistics(options), options.log10_fap,
                                                 timing::search_extent(events, grid));
                group[3].shares.add(timing::log10_false_alarm(best, searches));
            }
            rows.insert(rows.end(), group.begin(), group.end());
        }
    bool bad = false;
    fmt::print(
        "| statistic | photons | oversampling | sources | p = 0.1 | 0.01 | 0.001 "
        "|\n|---|---|---|---|---|---|---|\n");
    for (const Row& row : rows) {
        std::string text =
            fmt::format("| {} | {} | {} | {} |", row.name, row.photons, row.oversampling, row.shares.sources);
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const double n = row.shares.sources, p = levels[i], share = row.shares.alarms[i] / n;
            const double sigma = std::sqrt(p * (1.0 - p) / n);
            const bool off = std::fabs(share - p) > 3.0 * sigma + 0.03 * p;
            bad |= off;
            text += fmt::format(" {:.5f} ± {:.5f}{} |", share, sigma, off ? " off" : "");
        }
        fmt::print("{}\n", text);
    }
    if (argc > 2) {
        std::vector<double> x, y, error;
        double shift = 0.0;
        for (const Row& row : rows) {
            if (row.photons == 0) continue;
            shift = row.name == "Z2_1" ? 0.0 : shift + 0.05;
            const double n = row.shares.sources;
            x.push_back(std::log10(static_cast<double>(row.photons)) + shift);
            y.push_back(row.shares.alarms[1] / (0.01 * n));
            error.push_back(std::sqrt(0.99 / (0.01 * n)));
        }
        if (!x.empty())
            write_plot(std::string(argv[2]) + "/nulls.svg",
                       {"False alarms of constant sources",
                        "log10 photons (Z2_1, Z2_2, H, all: left to right)",
                        "Share / p, for p = 0.01",
                        x,
                        y,
                        error,
                        {x.front(), x.back()},
                        {1.0, 1.0}});
    }
    return bad ? 1 : 0;
}
