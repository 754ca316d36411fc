/// @file
/// Measures the two engines, CPU beside CUDA, on simulated batches. gpu-bench [--quick] [--dry-run]
/// [OUTPUT.json]
///
/// --dry-run takes the CPU in place of a device: it shows that the benchmark runs, and no figure of it is one
/// of a device.

#include "posterior_lattice.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/timing/red_noise.hpp>

namespace {

using namespace xsift;

/// Number of the best trial or template of each task.
using Decisions = std::vector<std::int64_t>;

/// Event lists of unequal length, log-uniform between 100 and 10,000 photons, each with a pulse, on one long
/// grid.
struct SearchWorkload {
    std::vector<std::vector<double>> times;
    std::vector<engine::EventTask> tasks;
    double pairs = 0.0;  ///< photons x trial frequencies

    SearchWorkload(std::size_t n_sources, std::int64_t n_trials) {
        constexpr double span = 40000.0;
        for (std::size_t i = 0; i < n_sources; ++i) {
            RandomStream random(20260101, i);
            const auto n = static_cast<std::size_t>(std::pow(10.0, 2.0 + 2.0 * random.uniform()));
            const double frequency =
                0.001 + 0.2 * static_cast<double>(n_trials) / (4.0 * span) * random.uniform();
            std::vector<double> time;
            while (time.size() < n) {
                const double t = span * random.uniform();
                if (2.0 * random.uniform() < 1.0 + std::cos(constants::two_pi * frequency * t))
                    time.push_back(t);
            }
            std::sort(time.begin(), time.end());
            times.push_back(std::move(time));
        }
        for (const auto& time : times) {
            engine::EventTask task;
            task.time = time;
            task.grid = {1.0 / (4.0 * span), 4, n_trials};
            task.statistics = {{timing::Statistic::Kind::z2, 1}, {timing::Statistic::Kind::z2, 2}};
            task.min_separation = 1.5 / span;
            pairs += static_cast<double>(time.size()) * static_cast<double>(n_trials);
            tasks.push_back(std::move(task));
        }
    }
    /// Lists of `photons` without a signal on the grid of a pn list in full-frame mode, Z2_1 alone.
    SearchWorkload(std::size_t n_sources, std::size_t photons, std::int64_t n_trials) {
        constexpr double span = 30000.0;
        for (std::size_t i = 0; i < n_sources; ++i) {
            RandomStream random(photons, i);
            std::vector<double>& time = times.emplace_back(photons);
            for (double& t : time) t = span * (random.uniform() - 0.5);
            std::sort(time.begin(), time.end());
        }
        for (const auto& time : times) {
            engine::EventTask& task = tasks.emplace_back();
            task.time = time;
            task.grid = {1.0 / (4.0 * span), 1, n_trials};
            task.statistics = {{timing::Statistic::Kind::z2, 1}};
            task.max_peaks = 40;
            task.min_separation = 1.5 / span;
            pairs += static_cast<double>(time.size()) * static_cast<double>(n_trials);
        }
    }
    /// Trial number of the strongest peak of each task.
    std::vector<std::int64_t> decisions(engine::PeriodSearch& backend) const {
        std::vector<std::int64_t> best;
        for (const auto& outcome : backend.search(tasks))
            best.push_back(outcome.statistics.at(0).peaks.at(0).index);
        return best;
    }
};

/// Light curves of unequally spaced bins, Lomb-Scargle.
struct CurveWorkload {
    std::vector<std::vector<double>> times, values, weights;
    std::vector<engine::LightCurveTask> tasks;
    double pairs = 0.0;  ///< bins x trial frequencies

    CurveWorkload(std::size_t n_curves, std::size_t bins, std::int64_t n_trials) {
        const double span = 100.0 * static_cast<double>(bins);
        for (std::size_t i = 0; i < n_curves; ++i) {
            RandomStream random(20260103, i);
            for (auto* list : {&times, &values, &weights}) list->emplace_back();
            for (std::size_t j = 0; j < bins; ++j) {
                times.back().push_back(100.0 * (static_cast<double>(j) + 0.3 * random.uniform()) - span / 2);
                values.back().push_back(random.normal());
                weights.back().push_back(0.5 + random.uniform());
            }
        }
        for (std::size_t i = 0; i < n_curves; ++i)
            tasks.push_back(
                {times[i], values[i], weights[i], {1.0 / (10.0 * span), 1, n_trials}, 40, 1.5 / span});
        pairs = static_cast<double>(n_curves * bins) * static_cast<double>(n_trials);
    }
    Decisions decisions(engine::PeriodSearch& backend) const {
        Decisions best;
        for (const auto& outcome : backend.search(std::span<const engine::LightCurveTask>(tasks)))
            best.push_back(outcome.statistics.at(0).peaks.at(0).index);
        return best;
    }
};

/// Sums in double at the frequencies that the level of the noise is made from.
struct NoiseWorkload {
    std::vector<std::vector<double>> times;
    std::vector<std::int64_t> indices;
    std::vector<engine::SumTask> tasks;
    double pairs = 0.0;  ///< photons x frequencies

    NoiseWorkload(std::size_t n_lists, std::size_t photons) {
        constexpr double span = 30000.0, df = 1.0 / (4.0 * span);
        indices = timing::noise_indices({df, 1, 816'000}, 1.0 / span);
        for (std::size_t i = 0; i < n_lists; ++i) {
            RandomStream random(photons, i);
            std::vector<double>& time = times.emplace_back(photons);
            for (double& t : time) t = span * (random.uniform() - 0.5);
        }
        for (const auto& time : times) tasks.push_back({{time, {}, 0.0}, df, indices});
        pairs = static_cast<double>(n_lists * photons) * static_cast<double>(indices.size());
    }
    /// Number of the highest power of each list.
    Decisions decisions(engine::PeriodSearch& backend) const {
        Decisions best;
        for (const auto& sums : backend.sums(tasks))
            best.push_back(
                std::max_element(sums.begin(), sums.end(),
                                 [](timing::Complex a, timing::Complex b) { return a.norm() < b.norm(); }) -
                sums.begin());
        return best;
    }
};

/// Simulated constant sources: draws of one list with the default statistics, each searched and, where the
/// backend does that, maximised.
struct DrawsWorkload {
    EventList list;
    timing::SearchOptions options;
    timing::FrequencyGrid grid;
    std::optional<timing::ConstantSource> source;
    std::vector<engine::DrawTask> tasks;
    double pairs = 0.0;  ///< draws x photons x trial frequencies

    DrawsWorkload(int draws, std::size_t photons, std::int64_t trials) {
        constexpr double span = 30000.0;
        RandomStream random(20260106, photons);
        list.exposure.frame_time = 0.0734;
        list.gti = {{0.0}, {span}};
        while (list.time.size() < photons) list.time.push_back(span * random.uniform());
        std::sort(list.time.begin(), list.time.end());
        options.draws = draws;
        options.max_candidates = 6;
        grid = {1.0 / (4.0 * span), 4, trials};
        source.emplace(list);
        tasks.push_back(engine::make_task(list, *source, grid, options, 1));
        pairs = static_cast<double>(photons) * static_cast<double>(trials) * draws;
    }
    /// Whether each draw was maximised.
    Decisions decisions(engine::PeriodSearch& backend) const {
        const auto outcomes = backend.search(std::span<const engine::DrawTask>(tasks));
        Decisions all;
        for (const engine::DrawOutcome& draw : outcomes.at(0)) all.push_back(draw.maximised ? 1 : 0);
        return all;
    }
};

/// Simulated fits of many spectra: 7 x 7 nodes, 70 bins, 100 draws each.
struct SimulationWorkload {
    std::vector<double> log_counts, expected, background;
    std::vector<spectral::SimulationTask> tasks;
    double pairs = 0.0;  ///< draws x nodes x bins

    explicit SimulationWorkload(std::size_t n_spectra) {
        constexpr int nodes = 7, n_bins = 70;
        constexpr std::int64_t n_draws = 100;
        const auto model = [](double column, double index, int k) {
            const double e = 0.4 * std::pow(25.0, (k + 0.5) / n_bins);
            return std::log(30.0) - index * std::log(e) - 0.1 * column * std::pow(e, -2.5);
        };
        for (int i = 0; i < nodes; ++i)
            for (int j = 0; j < nodes; ++j)
                for (int k = 0; k < n_bins; ++k) log_counts.push_back(model(0.5 * i, 1.0 + 0.2 * j, k));
        for (int k = 0; k < n_bins; ++k) {
            expected.push_back(0.3 + std::exp(model(1.2, 1.7, k)));
            background.push_back(3.0);
        }
        for (std::size_t i = 0; i < n_spectra; ++i)
            tasks.push_back(
                {nodes, nodes, false, {{n_bins, 10.0}}, log_counts, expected, background, i, n_draws});
        pairs = static_cast<double>(n_spectra * log_counts.size()) * n_draws;
    }
    /// The row of each first draw, in hundredths of a node.
    Decisions decisions(engine::GridLikelihood& backend) const {
        Decisions rows;
        for (const auto& outcome : backend.evaluate(std::span<const spectral::SimulationTask>(tasks)))
            rows.push_back(std::lround(100.0 * outcome.fits.front().at.row));
        return rows;
    }
};

/// One list with drifting frequencies: a grid in frequency and its derivative.
struct DriftWorkload {
    std::vector<double> time;
    std::vector<engine::CompositeTask> tasks;
    double pairs = 0.0;  ///< photons x frequencies x derivatives

    DriftWorkload(std::size_t photons, std::int64_t trials, std::int64_t half) : time(photons) {
        constexpr double span = 30000.0;
        RandomStream random(20260105, photons);
        for (double& t : time) t = span * (random.uniform() - 0.5);
        std::sort(time.begin(), time.end());
        engine::CompositeTask& task = tasks.emplace_back();
        task.members = {{time, {}, {}, {}, {}}};
        task.grid = {1.0 / (4.0 * span), 1, trials};
        task.drift = {1.0 / (span * span), half, false};
        task.statistics = {{timing::Statistic::Kind::z2, 1}};
        task.max_peaks = 32;
        task.min_separation = 1.5 / span;
        pairs = static_cast<double>(photons) * static_cast<double>(trials * task.drift.count());
    }
    Decisions decisions(engine::PeriodSearch& backend) const {
        const auto outcomes = backend.search(std::span<const engine::CompositeTask>(tasks));
        const engine::CompositePeak& best = outcomes.at(0).peaks.at(0).at(0);
        return {best.peak.index, best.drift};
    }
};

/// Spectra of unequal brightness against one set of templates, counts drawn from one of them.
struct GridWorkload {
    std::int64_t n_templates, n_energies = 300, n_bins = 128;
    std::vector<float> templates, fold;
    std::vector<std::vector<double>> counts, background;
    std::vector<engine::GridTask> tasks;
    double pairs = 0.0;  ///< templates x bins

    GridWorkload(std::size_t n_spectra, std::int64_t n_templates_) : n_templates(n_templates_) {
        for (std::int64_t t = 0; t < n_templates; ++t) {
            const double index = 5.0 * static_cast<double>(t) / static_cast<double>(n_templates);
            for (std::int64_t e = 0; e < n_energies; ++e)
                templates.push_back(static_cast<float>(std::pow(energy(e), -index)));
        }
        for (std::int64_t e = 0; e < n_energies; ++e) {
            for (std::int64_t b = 0; b < n_bins; ++b) {
                const double centre = (static_cast<double>(b) + 0.5) * static_cast<double>(n_energies) /
                                      static_cast<double>(n_bins);
                const double x = (static_cast<double>(e) - centre) / 4.0;
                fold.push_back(static_cast<float>(100.0 * std::exp(-0.5 * x * x)));
            }
        }
        for (std::size_t i = 0; i < n_spectra; ++i) draw_spectrum(i);
        for (std::size_t i = 0; i < n_spectra; ++i) {
            engine::GridTask task;
            task.n_templates = n_templates;
            task.n_energies = n_energies;
            task.n_bins = n_bins;
            task.templates = templates;
            task.fold = fold;
            task.counts = counts[i];
            task.background_counts = background[i];
            task.exposure = 1e4;
            task.background_exposure = 1e5;
            tasks.push_back(task);
        }
        pairs = static_cast<double>(n_spectra * static_cast<std::size_t>(n_templates * n_bins));
    }
    static double energy(std::int64_t e) {
        return 0.3 * std::pow(10.0 / 0.3, static_cast<double>(e) / 300.0);
    }

    void draw_spectrum(std::size_t i) {
        RandomStream random(20260102, i);
        const auto t = static_cast<std::int64_t>(random.uniform() * static_cast<double>(n_templates));
        std::vector<double> rate(static_cast<std::size_t>(n_bins), 0.0);
        for (std::int64_t e = 0; e < n_energies; ++e)
            for (std::int64_t b = 0; b < n_bins; ++b)
                rate[static_cast<std::size_t>(b)] +=
                    static_cast<double>(templates[static_cast<std::size_t>(t * n_energies + e)]) *
                    static_cast<double>(fold[static_cast<std::size_t>(e * n_bins + b)]);
        const double total = std::accumulate(rate.begin(), rate.end(), 0.0);
        const double source_counts = std::pow(10.0, 2.0 + 2.0 * random.uniform());
        std::vector<double> drawn, back;
        for (const double r : rate) {
            drawn.push_back(static_cast<double>(random.poisson(source_counts * r / total + 0.5)));
            back.push_back(static_cast<double>(random.poisson(5.0)));
        }
        counts.push_back(std::move(drawn));
        background.push_back(std::move(back));
    }
    /// Number of the best template of each task.
    std::vector<std::int64_t> decisions(engine::GridLikelihood& backend) const {
        std::vector<std::int64_t> best;
        for (const auto& outcome : backend.evaluate(tasks)) best.push_back(outcome.best.at(0).index);
        return best;
    }
};

/// The seven default models on pn-like spectra: four grids of one component, three models by pairs. Templates
/// are shared; every spectrum brings a folding matrix of its own, as its effective area and binning are its
/// own.
struct ModelsWorkload {
    static constexpr std::int64_t n_energies = 280, n_bins = 80, pair_places = 13;
    static constexpr std::size_t n_folds = 100;
    std::vector<std::vector<float>> templates, pair_templates, folds;
    std::vector<std::vector<double>> counts, background;
    std::vector<engine::GridTask> tasks;
    std::vector<engine::PairTask> pair_tasks;
    double pairs = 0.0;  ///< templates x bins

    explicit ModelsWorkload(std::size_t n_spectra) {
        for (const std::int64_t columns : {27, 25, 25, 25})
            templates.push_back(make_templates(16, columns, 1.0));
        for (const std::int64_t columns : {31, 31, 36})
            pair_templates.push_back(make_templates(pair_places, columns, 1.2));
        for (std::size_t i = 0; i < n_folds; ++i) folds.push_back(make_fold(i));
        for (std::size_t i = 0; i < n_spectra; ++i) draw_spectrum(i);
        for (std::size_t i = 0; i < n_spectra; ++i) {
            for (const auto& grid : templates) {
                engine::GridTask& task = tasks.emplace_back();
                fill(task, i);
                task.templates = grid;
                task.n_templates = std::ssize(grid) / n_energies;
                task.columns = task.n_templates / 16;
                task.max_cells = 4;
                task.within = 25.0;
                pairs += static_cast<double>(task.n_templates * n_bins);
            }
            for (const auto& grid : pair_templates) {
                engine::PairTask& task = pair_tasks.emplace_back();
                fill(task, i);
                task.templates = grid;
                task.n_places = pair_places;
                task.n_first = 18;
                task.n_second = std::ssize(grid) / n_energies / pair_places - 18;
                pairs += static_cast<double>(std::ssize(grid) / n_energies * n_bins);
            }
        }
    }
    static double energy(double e) { return 0.3 * std::pow(12.0 / 0.3, e / static_cast<double>(n_energies)); }
    /// Power laws of `columns` slopes under `rows` columns of an absorber.
    static std::vector<float> make_templates(std::int64_t rows, std::int64_t columns, double steps) {
        std::vector<float> out;
        for (std::int64_t h = 0; h < rows; ++h)
            for (std::int64_t p = 0; p < columns; ++p)
                for (std::int64_t e = 0; e < n_energies; ++e) {
                    const double x = energy(static_cast<double>(e));
                    out.push_back(static_cast<float>(
                        std::pow(x, 1.0 - 0.5 * static_cast<double>(p)) *
                        std::exp(-0.01 * std::pow(1.8, steps * static_cast<double>(h)) / (x * x * x))));
                }
        return out;
    }
    static std::vector<float> make_fold(std::size_t i) {
        std::vector<float> out;
        for (std::int64_t e = 0; e < n_energies; ++e)
            for (std::int64_t b = 0; b < n_bins; ++b) {
                const double x = (static_cast<double>(e) - 3.5 * static_cast<double>(b)) / 5.6;
                out.push_back(static_cast<float>((300.0 + static_cast<double>(i)) * std::exp(-0.5 * x * x)));
            }
        return out;
    }
    void fill(engine::GridSpectrum& task, std::size_t i) const {
        task.n_energies = n_energies;
        task.n_bins = n_bins;
        task.fold = folds[i % n_folds];
        task.counts = counts[i];
        task.background_counts = background[i];
        task.exposure = 3e4;
        task.background_exposure = 3e5;
    }
    void draw_spectrum(std::size_t i) {
        RandomStream random(20260104, i);
        const double slope = 3.0 * random.uniform(), total = std::pow(10.0, 2.0 + 2.0 * random.uniform());
        std::vector<double> drawn, back;
        for (std::int64_t b = 0; b < n_bins; ++b) {
            const double share = std::exp(-slope * static_cast<double>(b) / static_cast<double>(n_bins)) /
                                 static_cast<double>(n_bins);
            drawn.push_back(static_cast<double>(random.poisson(total * share + 0.5)));
            back.push_back(static_cast<double>(random.poisson(5.0)));
        }
        counts.push_back(std::move(drawn));
        background.push_back(std::move(back));
    }
    /// The best cell of each grid, then the best pair of each model of two components.
    Decisions decisions(engine::GridLikelihood& backend) const {
        Decisions best;
        for (const auto& outcome : backend.evaluate(tasks)) best.push_back(outcome.best.at(0).index);
        for (const auto& outcome : backend.evaluate(pair_tasks)) {
            const auto& pair = outcome.best.at(0).index;
            best.push_back((pair.place * 64 + pair.first) * 64 + pair.second);
        }
        return best;
    }
};

/// Posteriors of one-component models as fits make them: lattices of 340 nodes, 70 bins that see 40 energies.
struct PosteriorWorkload {
    static constexpr std::size_t n_lattices = 20;
    std::vector<std::unique_ptr<const test::PosteriorLattice>> lattices;
    std::vector<engine::PosteriorTask> tasks;
    double pairs = 0.0;  ///< nodes x bins

    explicit PosteriorWorkload(std::size_t n_tasks) {
        using Axis = test::PosteriorLattice::Axis;
        for (std::size_t i = 0; i < std::min(n_tasks, n_lattices); ++i)
            lattices.push_back(std::make_unique<const test::PosteriorLattice>(
                Axis(0.0, 0.1, 17), Axis(0.8, 0.1, 20), 70, 300.0, true, i, 40));
        for (std::size_t i = 0; i < n_tasks; ++i) tasks.push_back(lattices[i % lattices.size()]->task());
        pairs = static_cast<double>(n_tasks) * 17 * 20 * 70;
    }
    Decisions decisions(engine::GridLikelihood& backend) const {
        Decisions out;
        for (const auto& outcome : backend.evaluate(tasks))
            out.push_back(std::llround(1e6 * outcome.integral.column.quantile[0]));
        return out;
    }
};

struct Measurement {
    std::string json;
    Decisions decisions;
};

/// Runs once to warm up, then several times; reports the fastest and all of them.
Measurement measure(const std::string& workload, const std::string& backend, std::size_t tasks, double pairs,
                    int repeats, const std::function<Decisions()>& run) {
    Measurement result;
    result.decisions = run();
    std::vector<double> seconds;
    for (int i = 0; i < repeats; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        result.decisions = run();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    const double best = *std::min_element(seconds.begin(), seconds.end());
    result.json = fmt::format(
        R"({{"workload": "{}", "backend": "{}", "tasks": {}, "pairs": {:.6g}, "seconds": [{:.6g}], "pairs_per_s": {:.6g}}})",
        workload, backend, tasks, pairs, fmt::join(seconds, ", "), pairs / best);
    std::cerr << fmt::format("{:18} {:5} {:6} tasks {:10.4g} pairs {:10.4g} s {:10.4g} pairs/s\n", workload,
                             backend, tasks, pairs, best, pairs / best);
    return result;
}

/// Seconds of a survey of so many sources, in batches as a run makes them.
double survey_seconds(engine::PeriodSearch& search, const SearchWorkload& batch, std::int64_t sources) {
    const auto begin = std::chrono::steady_clock::now();
    const std::span<const engine::EventTask> tasks(batch.tasks);
    for (std::int64_t left = sources; left > 0; left -= std::ssize(tasks))
        search.search(tasks.first(static_cast<std::size_t>(std::min(left, std::ssize(tasks)))));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// How the time grows with the number of sources: a row a size, and a million from the line through the
/// largest sizes, with what the rest of the sizes say of its error.
std::vector<std::string> measure_growth(engine::Engines& engines, bool quick) {
    constexpr std::size_t photons = 300;
    const std::int64_t trials = quick ? 5000 : 816'000;
    const SearchWorkload batch(quick ? 8 : 10'000, photons, trials);
    const std::vector<std::int64_t> sizes =
        quick ? std::vector<std::int64_t>{4, 16} : std::vector<std::int64_t>{1000, 10'000, 100'000};
    survey_seconds(*engines.search, batch, sizes.front());
    std::vector<std::string> rows;
    std::vector<double> seconds;
    const auto add = [&](std::int64_t sources, double time, const std::string& more) {
        const double pairs = static_cast<double>(photons) * static_cast<double>(sources * trials);
        rows.push_back(fmt::format(
            R"(    {{"workload": "survey_{}", "backend": "{}", "tasks": {}, "pairs": {:.6g}, "seconds": [{:.6g}], "pairs_per_s": {:.6g}{}}})",
            sources, engines.backend, sources, pairs, time, pairs / time, more));
        std::cerr << fmt::format("survey of {:8} sources {:10.4g} s {:10.4g} pairs/s{}\n", sources, time,
                                 pairs / time, more);
    };
    for (const std::int64_t sources : sizes) {
        seconds.push_back(survey_seconds(*engines.search, batch, sources));
        add(sources, seconds.back(), "");
    }
    const std::size_t last = sizes.size() - 1;
    const double slope =
        (seconds[last] - seconds[last - 1]) / static_cast<double>(sizes[last] - sizes[last - 1]);
    const std::int64_t far = 10 * sizes[last];
    const double extrapolated = seconds[last] + slope * static_cast<double>(far - sizes[last]);
    // The proportion of the largest size alone is the other way to extrapolate: they differ by the error.
    const double other = seconds[last] * 10.0;
    add(far, extrapolated,
        fmt::format(R"(, "extrapolated": true, "error": {:.3g})",
                    std::fabs(extrapolated - other) / extrapolated));
    return rows;
}

double agreement(const Decisions& a, const Decisions& b) {
    std::size_t equal = 0;
    for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
    return static_cast<double>(equal) / static_cast<double>(a.size());
}

std::string run_benchmark(bool quick, bool dry_run) {
    const ThreadPool pool;
    const auto device = [&](const cuda::DeviceOptions& options = {}) {
        return dry_run ? engine::make_cpu_engines(pool) : cuda::make_engines(options);
    };
    auto cpu = engine::make_cpu_engines(pool), cuda = device();
    const int repeats = quick ? 1 : 5;
    const SearchWorkload search(quick ? 8 : 256, quick ? 20'000 : 1'000'000);
    const GridWorkload grid(quick ? 4 : 256, quick ? 200 : 2000);

    std::vector<std::string> rows;
    std::vector<Decisions> decisions;
    const auto add = [&](Measurement m) {
        rows.push_back("    " + m.json);
        decisions.push_back(std::move(m.decisions));
    };
    for (engine::Engines* e : {&cpu, &cuda}) {
        add(measure("search", e->backend, search.tasks.size(), search.pairs, repeats,
                    [&] { return search.decisions(*e->search); }));
        add(measure("grid", e->backend, grid.tasks.size(), grid.pairs, repeats,
                    [&] { return grid.decisions(*e->grid); }));
    }
    // By size, the device with sources enough to fill it, the CPU with a few.
    for (const auto& [photons, sources] :
         {std::pair{20, 10'000}, {50, 4000}, {100, 4000}, {300, 10'000}, {1000, 1000}, {30'000, 64}}) {
        const auto n = static_cast<std::size_t>(photons);
        const std::int64_t trials = quick ? 20'000 : 816'000;
        const SearchWorkload many(quick ? 4 : static_cast<std::size_t>(sources), n, trials),
            few(quick ? 4 : std::max<std::size_t>(1, static_cast<std::size_t>(sources) / 100), n, trials);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}})
            rows.push_back("    " + measure(fmt::format("search_z2_1_{}", photons), engines->backend,
                                            workload->tasks.size(), workload->pairs, std::min(repeats, 3),
                                            [&] { return workload->decisions(*engines->search); })
                                        .json);
    }
    {
        const CurveWorkload many(quick ? 4 : 1000, 1000, quick ? 20'000 : 100'000),
            few(quick ? 4 : 20, 1000, quick ? 20'000 : 100'000);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}})
            rows.push_back("    " + measure("gls_1000", engines->backend, workload->tasks.size(),
                                            workload->pairs, std::min(repeats, 3),
                                            [&] { return workload->decisions(*engines->search); })
                                        .json);
        if (few.decisions(*cuda.search) != few.decisions(*cpu.search))
            std::cerr << "device and CPU differ in the best trial of a light curve\n";
    }
    {
        const ModelsWorkload many(quick ? 20 : 10'000), few(quick ? 20 : 100);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}})
            rows.push_back("    " + measure("grids_7_models", engines->backend, workload->counts.size(),
                                            workload->pairs, std::min(repeats, 3),
                                            [&] { return workload->decisions(*engines->grid); })
                                        .json);
        std::cerr << fmt::format("device and CPU agree in the best cell or pair of {:.2f}% of models\n",
                                 100.0 * agreement(few.decisions(*cuda.grid), few.decisions(*cpu.grid)));
    }
    {
        const SimulationWorkload many(quick ? 20 : 10'000), few(quick ? 20 : 100);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}})
            rows.push_back("    " + measure("simulated_fits_100", engines->backend, workload->tasks.size(),
                                            workload->pairs, std::min(repeats, 3),
                                            [&] { return workload->decisions(*engines->grid); })
                                        .json);
        std::cerr << fmt::format("device and CPU agree in {:.2f}% of simulated fits\n",
                                 100.0 * agreement(few.decisions(*cuda.grid), few.decisions(*cpu.grid)));
    }
    {
        const PosteriorWorkload many(quick ? 20 : 40'000), few(quick ? 20 : 400);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}})
            rows.push_back("    " + measure("posteriors", engines->backend, workload->tasks.size(),
                                            workload->pairs, std::min(repeats, 3),
                                            [&] { return workload->decisions(*engines->grid); })
                                        .json);
        std::cerr << fmt::format("device and CPU agree to 1e-6 in {:.2f}% of posteriors\n",
                                 100.0 * agreement(few.decisions(*cuda.grid), few.decisions(*cpu.grid)));
    }
    for (const auto& [photons, lists] : {std::pair{300, 2000}, {30'000, 32}, {1'000'000, 1}}) {
        const NoiseWorkload many(quick ? 3 : static_cast<std::size_t>(lists),
                                 quick ? std::min(photons, 5000) : photons),
            few(quick ? 3 : std::max<std::size_t>(1, static_cast<std::size_t>(lists) / 20),
                quick ? std::min(photons, 5000) : photons);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}})
            rows.push_back("    " + measure(fmt::format("noise_sums_{}", photons), engines->backend,
                                            workload->tasks.size(), workload->pairs, std::min(repeats, 3),
                                            [&] { return workload->decisions(*engines->search); })
                                        .json);
        if (few.decisions(*cuda.search) != few.decisions(*cpu.search))
            std::cerr << "device and CPU differ in the highest power of the noise\n";
    }
    {
        const DriftWorkload drift(300, quick ? 5000 : 100'000, quick ? 2 : 20);
        for (engine::Engines* engines : {&cuda, &cpu})
            rows.push_back("    " +
                           measure("drift_300", engines->backend, 1, drift.pairs, std::min(repeats, 3), [&] {
                               return drift.decisions(*engines->search);
                           }).json);
    }
    for (const int photons : {100, 300, 3000}) {
        const std::int64_t trials = quick ? 5000 : 816'000;
        const auto n = static_cast<std::size_t>(photons);
        const DrawsWorkload many(quick ? 4 : 1000, n, trials), few(quick ? 4 : 20, n, trials);
        for (const auto& [engines, workload] : {std::pair{&cuda, &many}, {&cpu, &few}}) {
            const Measurement m =
                measure(fmt::format("draws_{}", photons), engines->backend,
                        static_cast<std::size_t>(workload->options.draws), workload->pairs,
                        std::min(repeats, 3), [&] { return workload->decisions(*engines->search); });
            rows.push_back("    " + m.json);
            std::cerr << fmt::format("{} of {} draws were maximised by {}\n",
                                     std::count(m.decisions.begin(), m.decisions.end(), 1),
                                     m.decisions.size(), engines->backend);
        }
    }
    for (const std::string& row : measure_growth(cuda, quick)) rows.push_back(row);
    // Both ways to the sums of a tile, each forced: where they cost the same is what the planner has to know.
    // And products by groups of warps, where the device has them.
    cuda::DeviceOptions product, transform, warpgroups;
    product.costs = warpgroups.costs = {0.0, 0.0, 1.0, 1.0};
    transform.costs = {1.0, 1.0, 0.0, 0.0};
    warpgroups.warpgroups = true;
    auto by_product = device(product), by_transform = device(transform), by_warpgroups = device(warpgroups);
    std::vector<std::pair<std::string, engine::Engines*>> ways{{"product", &by_product},
                                                               {"transform", &by_transform}};
    if (dry_run || cuda::has_warpgroup_products())
        ways.emplace_back("product_wgmma", &by_warpgroups);
    else
        std::cerr << "the device has no matrix instruction of groups of warps\n";
    for (const auto& [photons, sources] :
         {std::pair{300, 500}, {1000, 500}, {3000, 200}, {30'000, 32}, {1'000'000, 2}}) {
        const SearchWorkload workload(quick ? 2 : static_cast<std::size_t>(sources),
                                      quick ? std::min(photons, 3000) : photons, quick ? 20'000 : 816'000);
        std::vector<Decisions> found;
        for (const auto& [way, engines] : ways) {
            Measurement m = measure(fmt::format("forced_{}_{}", way, photons), engines->backend,
                                    workload.tasks.size(), workload.pairs, std::min(repeats, 3),
                                    [&] { return workload.decisions(*engines->search); });
            rows.push_back("    " + m.json);
            found.push_back(std::move(m.decisions));
        }
        for (std::size_t w = 1; w < ways.size(); ++w)
            if (found[w] != found[0])
                std::cerr << fmt::format(
                    "{} and product differ in the best trial of {:.0f}% of the sources\n", ways[w].first,
                    100.0 * (1.0 - agreement(found[w], found[0])));
    }
    const engine::Ceilings of_device = cuda::ceilings(), of_cpu = engine::cpu_ceilings(pool);
    // A transform through the memory of a device: a grid of single-precision complex numbers, twice as fine
    // as the trials, written once by spreading, read and written by each of two passes, read once for the
    // powers.
    const double floor_bytes_a_trial = 2.0 * 8.0 * 6.0,
                 transform_floor =
                     of_device.bytes_per_s > 0.0 ? of_device.bytes_per_s / floor_bytes_a_trial : 0.0;
    return fmt::format(
        "{{\n  \"device\": \"{}\",\n  \"cpu_threads\": {},\n  \"device_flop_per_s\": {:.4g},\n  "
        "\"device_bytes_per_s\": {:.4g},\n  \"transform_floor_trials_per_s\": {:.4g},\n  \"cpu_flop_per_s\": "
        "{:.4g},\n  \"same_best_period\": {},\n  "
        "\"same_best_template\": {},\n"
        "  \"measurements\": [\n{}\n  ]\n}}\n",
        dry_run ? "none: the CPU in its place" : cuda::availability().device, pool.size(),
        of_device.flop_per_s, of_device.bytes_per_s, transform_floor, of_cpu.flop_per_s,
        agreement(decisions[0], decisions[2]), agreement(decisions[1], decisions[3]), fmt::join(rows, ",\n"));
}

}  // namespace

int main(int argc, char** argv) {
    bool quick = false, dry_run = false;
    std::string output;
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]) == "--quick")
            quick = true;
        else if (std::string(argv[i]) == "--dry-run")
            dry_run = true;
        else
            output = argv[i];
    }
    try {
        const std::string json = run_benchmark(quick, dry_run);
        if (output.empty()) {
            std::cout << json;
        } else if (!(std::ofstream(output) << json)) {
            throw Error(ErrorKind::usage, "UNWRITABLE", output + " cannot be written");
        }
        return 0;
    } catch (const Error& error) {
        std::cerr << "gpu-bench: " << error.what() << '\n';
        return static_cast<int>(exit_code(error.kind()));
    }
}
