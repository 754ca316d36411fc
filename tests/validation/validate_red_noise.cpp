// False-alarm probabilities in red noise: how often the strongest candidate of a source that only flickers is
// called as improbable as p by its local noise level.
//
//   validate_red_noise SOURCES [SEED [ROWS]]
//
// SEED: of the random numbers (default 1). ROWS: only those whose search and index begin so. Writes a
// Markdown table to stdout. Exit status 1 when LOG10_FAP is further from p than a factor 2 and three standard
// deviations of this number of sources.
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

namespace {

using namespace xsift;

constexpr std::array<double, 2> levels{0.1, 0.01};
constexpr double bin = 10.0;
constexpr int bins = 256;
/// The noise is cut out of a series so many times longer: it is not periodic in the exposure.
constexpr int longer = 8;

/// Noise with the power f^-index in bins, of unit variance over the long series; flat below `knee` cycles in
/// the exposure.
std::vector<double> power_law(double index, double knee, RandomStream& random) {
    constexpr int n = longer * bins;
    std::vector<double> value(bins, 0.0);
    double variance = 0.0;
    for (int k = 1; k < n / 2; ++k) {
        const double cycles = static_cast<double>(k) / longer,
                     power = knee > 0.0 ? 1.0 / (1.0 + std::pow(cycles / knee, index)) : std::pow(k, -index),
                     level = std::sqrt(power), a = level * random.normal(), b = level * random.normal();
        variance += power;
        const double angle = constants::two_pi * k / n, c = std::cos(angle), s = std::sin(angle);
        double re = a, im = b;
        for (double& v : value) {
            v += re;
            const double next = re * c - im * s;
            im = re * s + im * c;
            re = next;
        }
    }
    for (double& v : value) v /= std::sqrt(variance);
    return value;
}

struct Row {
    std::string name;
    double index;
    double counts;      ///< mean of a bin
    double scatter;     ///< of the logarithm of the rate
    double knee = 0.0;  ///< cycles in the exposure below which the noise is white again; 0: none
};

struct Shares {
    std::array<int, levels.size()> white{}, local{}, decides{};
};

void search(const Row& row, engine::PeriodSearch& backend, RandomStream random, Shares& shares) {
    timing::SearchOptions options;
    options.log10_fap = -1.0;  // what is not significant in white noise is not judged locally
    std::vector<double> counts;
    for (const double x : power_law(row.index, row.knee, random))
        counts.push_back(static_cast<double>(random.poisson(row.counts * std::exp(row.scatter * x))));
    Exposure exposure;
    exposure.file = "flickering";
    exposure.time_system = "TDB";
    exposure.time_reference = "SOLARSYSTEM";
    std::vector<PeriodCandidate> found;
    if (row.name == "GLS") {
        LightCurve curve;
        curve.exposure = exposure;
        curve.bin_width = bin;
        for (int i = 0; i < bins; ++i) {
            const double n = counts[static_cast<std::size_t>(i)];
            curve.time.push_back(bin * (i + 0.5));
            curve.rate.push_back(n / bin);
            curve.error.push_back(std::sqrt(n) / bin);
        }
        const auto grid = timing::make_grid(curve, options);
        const auto usable = timing::usable_bins(curve);
        const engine::LightCurveTask task = engine::make_task(usable, bin, grid, options);
        found = refine::polish_light_curve(curve, grid, backend.search(std::span(&task, 1)).at(0).statistics,
                                           options);
    } else {
        EventList events;
        events.exposure = exposure;
        events.gti = {{0.0}, {bin * bins}};
        options.fmax = 0.5 / bin;
        options.z2_harmonics.clear();
        if (row.name != "H") {
            options.h_harmonics = 0;
            options.z2_harmonics = {row.name.back() - '0'};
        }
        for (int i = 0; i < bins; ++i)
            for (int j = 0; j < static_cast<int>(counts[static_cast<std::size_t>(i)]); ++j)
                events.time.push_back(bin * (i + random.uniform()));
        std::sort(events.time.begin(), events.time.end());
        const auto grid = timing::make_grid(events, options);
        const engine::EventTask task = engine::make_task(events, grid, options);
        found = refine::polish_events(events, grid, backend.search(std::span(&task, 1)).at(0).statistics,
                                      options);
    }
    double white = 0.0, local = 0.0, decides = 0.0;
    for (const PeriodCandidate& c : found) {
        if (c.veto != 0) continue;
        white = std::min(white, c.log10_fap_white);
        local = std::min(local, c.log10_fap_local);
        decides = std::min(decides, c.log10_fap);
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
        shares.white[i] += white <= std::log10(levels[i]) ? 1 : 0;
        shares.local[i] += local <= std::log10(levels[i]) ? 1 : 0;
        shares.decides[i] += decides <= std::log10(levels[i]) ? 1 : 0;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const int sources = argc > 1 ? std::atoi(argv[1]) : 0;
    if (sources < 50) {
        std::fputs("usage: validate_red_noise SOURCES [SEED [ROWS]]   (at least 50)\n", stderr);
        return 2;
    }
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).search;
    bool bad = false;
    fmt::print(
        "| search | index | flat below, cycles | scatter | sources | white: p = 0.1 | 0.01 | local: 0.1 | "
        "0.01 | LOG10_FAP: 0.1 | "
        "0.01 |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n");
    const auto seed = static_cast<std::uint64_t>(argc > 2 ? std::atoi(argv[2]) : 1);
    const std::string only = argc > 3 ? argv[3] : "";
    // Hardly red, and white noise the likelier explanation of many: 0.06 and 0.15. Last: damped random walks.
    const std::vector<Row> rows{
        {"GLS", 1.0, 50.0, 0.4},      {"GLS", 2.0, 50.0, 0.8},      {"Z2_1", 1.0, 8.0, 0.4},
        {"Z2_1", 2.0, 8.0, 0.8},      {"Z2_2", 1.0, 8.0, 0.4},      {"Z2_2", 2.0, 8.0, 0.8},
        {"H", 1.0, 8.0, 0.4},         {"H", 2.0, 8.0, 0.8},         {"GLS", 1.0, 50.0, 0.06},
        {"Z2_1", 1.0, 8.0, 0.15},     {"Z2_2", 1.0, 8.0, 0.15},     {"H", 1.0, 8.0, 0.15},
        {"GLS", 2.0, 50.0, 0.4, 8.0}, {"Z2_1", 2.0, 8.0, 0.4, 8.0}, {"Z2_2", 2.0, 8.0, 0.4, 8.0},
        {"H", 2.0, 8.0, 0.4, 8.0}};
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (fmt::format("{} {:.0f}", rows[r].name, rows[r].index).rfind(only, 0) != 0) continue;
        Shares shares;
        for (int i = 0; i < sources; ++i)
            search(rows[r], *backend, RandomStream(30'000 + 100 * seed + r, static_cast<std::uint64_t>(i)),
                   shares);
        std::string text = fmt::format("| {} | {:.0f} | {:.0f} | {:.2f} | {} |", rows[r].name, rows[r].index,
                                       rows[r].knee, rows[r].scatter, sources);
        for (const auto* of : {&shares.white, &shares.local, &shares.decides})
            for (std::size_t i = 0; i < levels.size(); ++i) {
                const double p = levels[i], share = (*of)[i] / static_cast<double>(sources);
                const double sigma = std::sqrt(std::max(share, p) / sources);
                const bool off =
                    of == &shares.decides && (share > 2.0 * p + 3.0 * sigma || share < 0.5 * p - 3.0 * sigma);
                bad |= off;
                text += fmt::format(" {:.4f}{} |", share, off ? " off" : "");
            }
        fmt::print("{}\n", text);
        std::fflush(stdout);
    }
    return bad ? 1 : 0;
}
