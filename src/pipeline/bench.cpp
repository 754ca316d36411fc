#include "machine_record.hpp"
#include "stopwatch.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/bench.hpp>
#include <xsift/pipeline/run.hpp>
#include <xsift/pipeline/simulate.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/light_curve.hpp>

namespace xsift::pipeline {
namespace {

using timing::Statistic;

/// Seconds of the fastest of several runs, after one that warms up.
double fastest(int repeats, const std::function<void()>& run) {
    run();
    double best = 1e300;
    for (int i = 0; i < std::max(1, repeats); ++i) {
        const Stopwatch watch;
        run();
        best = std::min(best, watch.seconds());
    }
    return best;
}

constexpr double span = 30000.0;  ///< s, of all simulated data
constexpr double nyquist = 6.8;   ///< Hz, of a pn list in full-frame mode

/// Share of the ceiling that `flop` operations in `seconds` are.
double of_ceiling(double flop, double seconds, const engine::Ceilings& ceilings) {
    return ceilings.flop_per_s > 0.0 ? flop / seconds / ceilings.flop_per_s : 0.0;
}

/// One backend under test.
struct Contender {
    engine::Engines* engines = nullptr;
    engine::Ceilings ceilings;
    int repeats = 0;

    BenchResult pairs(const std::string& workload, double pairs, double flop_a_pair,
                      const std::function<void()>& work) const {
        const double seconds = fastest(repeats, work);
        return {workload,  engines->description,
                seconds,   pairs / seconds,
                "pairs/s", of_ceiling(flop_a_pair * pairs, seconds, ceilings)};
    }
};

/// Lists of photons, uniform in 30 ks, on frequencies from 0 at four per 1/T.
class SearchWorkload {
  public:
    SearchWorkload(std::size_t sources, std::size_t photons, std::int64_t trials,
                   const std::vector<Statistic>& statistics) {
        for (std::size_t i = 0; i < sources; ++i) {
            RandomStream random(photons, i);
            EventList& list = lists_.emplace_back();
            list.time.resize(photons);
            for (double& t : list.time) t = span * (random.uniform() - 0.5);
            std::sort(list.time.begin(), list.time.end());
            list.gti.start = {-0.5 * span};
            list.gti.stop = {0.5 * span};
            list.exposure.frame_time = 0.5 / nyquist;
        }
        for (const EventList& list : lists_) {
            engine::EventTask& task = tasks_.emplace_back();
            task.time = list.time;
            task.grid = {1.0 / (4.0 * span), 1, trials};
            task.statistics = statistics;
            task.max_peaks = 40;
            task.min_separation = 1.5 / span;
            task.harmonic_fmax = nyquist;
        }
        pairs_ = static_cast<double>(sources * photons) * static_cast<double>(trials);
    }

    BenchResult run(const std::string& name, const Contender& contender) const {
        return contender.pairs(name, pairs_, tasks_.front().statistics.size() == 1 ? 4.0 : 0.0,
                               [&] { contender.engines->search->search(tasks_); });
    }

    /// From the peaks of one statistic to rows.
    BenchResult refine(const Contender& contender) const {
        const auto found = contender.engines->search->search(tasks_);
        const double seconds = fastest(contender.repeats, [&] {
            for (std::size_t i = 0; i < tasks_.size(); ++i)
                refine::polish_events(lists_[i], tasks_[i].grid, found[i].statistics, {});
        });
        const double sources = static_cast<double>(tasks_.size());
        return {"refine", "cpu (1 thread)", seconds, sources / seconds, "sources/s"};
    }

  private:
    std::vector<EventList> lists_;
    std::vector<engine::EventTask> tasks_;
    double pairs_ = 0.0;
};

/// Light curves of 1,000 points with errors, each at its own times.
class LightCurveWorkload {
  public:
    explicit LightCurveWorkload(std::size_t curves) {
        constexpr std::size_t points = 1000;
        constexpr std::int64_t trials = 100'000;
        for (std::size_t i = 0; i < curves; ++i) {
            RandomStream random(2, i);
            timing::UsableBins& bins = curves_.emplace_back();
            for (std::size_t j = 0; j < points; ++j) bins.time.push_back(span * random.uniform());
            std::sort(bins.time.begin(), bins.time.end());
            for (std::size_t j = 0; j < points; ++j) {
                bins.value.push_back(random.normal());
                bins.weight.push_back(0.5 + random.uniform());
            }
        }
        for (const timing::UsableBins& bins : curves_) {
            engine::LightCurveTask& task = tasks_.emplace_back();
            task.time = bins.time;
            task.value = bins.value;
            task.weight = bins.weight;
            task.grid = {1.0 / (4.0 * span), 1, trials};
            task.max_peaks = 40;
            task.min_separation = 1.5 / span;
        }
        pairs_ = static_cast<double>(curves * points) * static_cast<double>(trials);
    }
    BenchResult run(const Contender& contender) const {
        return contender.pairs("gls", pairs_, 12.0, [&] { contender.engines->search->search(tasks_); });
    }

  private:
    std::vector<timing::UsableBins> curves_;
    std::vector<engine::LightCurveTask> tasks_;
    double pairs_ = 0.0;
};

/// Spectra against one set of power laws.
class GridWorkload {
  public:
    explicit GridWorkload(std::size_t spectra) {
        for (std::int64_t t = 0; t < n_templates; ++t)
            for (std::int64_t e = 0; e < n_energies; ++e)
                templates_.push_back(static_cast<float>(
                    std::pow(0.3 + 0.03 * static_cast<double>(e),
                             -5.0 * static_cast<double>(t) / static_cast<double>(n_templates))));
        for (std::int64_t e = 0; e < n_energies; ++e)
            for (std::int64_t b = 0; b < n_bins; ++b) {
                const double x = (static_cast<double>(e) - 2.34 * static_cast<double>(b)) / 4.0;
                fold_.push_back(static_cast<float>(100.0 * std::exp(-0.5 * x * x)));
            }
        for (std::size_t i = 0; i < spectra; ++i) {
            RandomStream random(4, i);
            for (auto* counts : {&counts_.emplace_back(), &background_.emplace_back()})
                for (std::int64_t b = 0; b < n_bins; ++b)
                    counts->push_back(static_cast<double>(random.poisson(5.0)));
        }
        for (std::size_t i = 0; i < spectra; ++i) {
            engine::GridTask& task = tasks_.emplace_back();
            task.n_templates = n_templates;
            task.n_energies = n_energies;
            task.n_bins = n_bins;
            task.templates = templates_;
            task.fold = fold_;
            task.counts = counts_[i];
            task.background_counts = background_[i];
            task.exposure = 1e4;
            task.background_exposure = 1e5;
        }
    }
    BenchResult run(const Contender& contender) const {
        const double pairs = static_cast<double>(tasks_.size()) * static_cast<double>(n_templates * n_bins);
        return contender.pairs("grid", pairs, 0.0, [&] { contender.engines->grid->evaluate(tasks_); });
    }

  private:
    static constexpr std::int64_t n_templates = 2000, n_energies = 300, n_bins = 128;
    std::vector<float> templates_, fold_;
    std::vector<std::vector<double>> counts_, background_;
    std::vector<engine::GridTask> tasks_;
};

/// A folder that is removed afterwards.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "xsift-bench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr)
            throw Error(ErrorKind::usage, "UNWRITABLE", "cannot make a folder in the temporary folder", "",
                        "Set TMPDIR to a folder that can be written.");
        path_ = name;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    std::string operator/(const char* name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

BenchResult read_back(const BenchOptions& options) {
    const ScratchFolder folder;
    SimulateOptions simulated;
    simulated.output = folder / "survey.h5";
    simulated.sources = std::max<std::int64_t>(16, static_cast<std::int64_t>(1000 * options.scale));
    simulated.mean_counts = 10000;
    simulated.pulsed_share = 0.0;
    simulated.compress = false;
    simulate(simulated);
    io::SurveyReader survey(simulated.output);
    constexpr std::int64_t batch = 64;
    double bytes = 0.0;
    const double seconds = fastest(options.repeats, [&] {
        bytes = 0.0;
        for (std::int64_t first = 0; first < survey.size(); first += batch)
            for (const SourceData& source : survey.read(first, std::min(batch, survey.size() - first)))
                for (const EventList& events : source.events)
                    bytes += static_cast<double>(events.size()) * (sizeof(double) + sizeof(float));
    });
    return {"read", "one thread", seconds, bytes / seconds, "B/s"};
}

/// A survey of faint sources with spectra, to its catalogue.
BenchResult whole_run(const BenchOptions& options, const std::string& backend) {
    const ScratchFolder folder;
    SimulateOptions simulated;
    simulated.output = folder / "survey.h5";
    simulated.sources = std::max<std::int64_t>(2, std::llround(16 * options.scale));
    simulated.spectra = true;
    simulate(simulated);
    RunOptions run_options;
    run_options.survey = simulated.output;
    run_options.output = folder / "catalogue.fits";
    run_options.backend = backend;
    run_options.threads = options.threads;
    const std::atomic<bool> stop{false};
    std::string description;
    const Stopwatch watch;
    description = run(run_options, stop).backend;
    const double seconds = watch.seconds();
    return {"run", description, seconds, static_cast<double>(simulated.sources) / seconds, "sources/s"};
}

struct Workloads {
    std::vector<std::pair<std::string, SearchWorkload>> z2_1;
    SearchWorkload all;
    LightCurveWorkload curves;
    GridWorkload grid;

    /// `scale` is that of the number of sources.
    explicit Workloads(double scale)
        : all(number(16, scale), 300, 816'000, timing::event_statistics({})),
          curves(number(32, scale)),
          grid(number(16, scale)) {
        const Statistic statistic{Statistic::Kind::z2, 1};
        for (const auto& [photons, sources] :
             {std::pair{20, 128}, {50, 64}, {100, 64}, {300, 64}, {1000, 32}, {30'000, 4}})
            z2_1.emplace_back(fmt::format("search_z2_1_{}", photons),
                              SearchWorkload(number(sources, scale), static_cast<std::size_t>(photons),
                                             816'000, {statistic}));
        z2_1.emplace_back("search_z2_1_short", SearchWorkload(number(2000, scale), 300, 5000, {statistic}));
    }
    void run(const Contender& contender, std::vector<BenchResult>& results) const {
        for (const auto& [name, workload] : z2_1) results.push_back(workload.run(name, contender));
        results.push_back(all.run("search_all", contender));
        results.push_back(curves.run(contender));
        results.push_back(grid.run(contender));
    }

  private:
    static std::size_t number(int sources, double scale) {
        return static_cast<std::size_t>(std::max(1.0, std::round(sources * scale)));
    }
};

/// A device is given so many times the sources of a CPU.
constexpr double device_scale = 16.0;

}  // namespace

BenchReport bench(const BenchOptions& options) {
    BenchReport report;
    const int threads = options.threads > 0 ? options.threads : available_threads();
    const Workloads workloads(options.scale);
    for (const std::string& backend : options.backends) {
        if (backend == "cuda") {
            engine::Engines engines = cuda::make_engines();
            const Contender device{&engines, cuda::ceilings(), options.repeats};
            report.ceilings.emplace_back(engines.description, device.ceilings);
            Workloads(options.scale * device_scale).run(device, report.results);
        } else {
            for (const int n : threads > 1 ? std::vector<int>{1, threads} : std::vector<int>{1}) {
                const ThreadPool pool(n);
                engine::Engines engines = engine::make_cpu_engines(pool);
                const Contender cpu{&engines, engine::cpu_ceilings(pool), options.repeats};
                report.ceilings.emplace_back(engines.description, cpu.ceilings);
                workloads.run(cpu, report.results);
                if (n == 1) report.results.push_back(workloads.all.refine(cpu));
            }
        }
        report.results.push_back(whole_run(options, backend));
    }
    report.results.push_back(read_back(options));
    return report;
}

std::string bench_json(const BenchOptions& options, const BenchReport& report) {
    nlohmann::ordered_json record = machine_record();
    record["device"] = cuda::availability().device;
    record["threads"] = options.threads > 0 ? options.threads : available_threads();
    for (const auto& [backend, ceilings] : report.ceilings)
        record["ceilings"].push_back({{"backend", backend},
                                      {"flop_per_s", ceilings.flop_per_s},
                                      {"bytes_per_s", ceilings.bytes_per_s}});
    for (const BenchResult& result : report.results) {
        const char* rate = result.unit == "B/s"         ? "bytes_per_s"
                           : result.unit == "sources/s" ? "sources_per_s"
                                                        : "pairs_per_s";
        record["results"].push_back({{"workload", result.workload},
                                     {"backend", result.backend},
                                     {"seconds", result.seconds},
                                     {rate, result.rate}});
        if (result.of_ceiling > 0.0) record["results"].back()["of_ceiling"] = result.of_ceiling;
    }
    return record.dump(2) + "\n";
}

}  // namespace xsift::pipeline
