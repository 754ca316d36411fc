#include "cpu_search.hpp"

#include "collected.hpp"
#include "composite_search.hpp"
#include "event_search.hpp"
#include "nufft.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <map>

#include <xsift/engine/drawn_search.hpp>
#include <xsift/engine/multi_term_kernel.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/lomb_scargle.hpp>

namespace xsift::engine {
namespace {

constexpr std::int64_t lanes = nufft_lanes;

/// Work space of a thread; values are in rows of `lanes`, one row an output of the blocks.
struct WorkSpace {
    std::vector<float> grid, sums, sums_value, sums_double, cumulative, h, best;

    void fit(const NufftPlan& plan) {
        const auto grow = [](std::vector<float>& v, std::size_t n) {
            if (v.size() < n) v.resize(n);
        };
        grow(grid, plan.grid_floats() + alignment);
        for (auto* v : {&sums, &sums_value, &sums_double}) grow(*v, plan.sum_floats() + alignment);
        for (auto* v : {&cumulative, &h, &best}) grow(*v, plan.sum_floats() / 2 + alignment);
    }
    static float* aligned(std::vector<float>& v) {
        const auto address = reinterpret_cast<std::uintptr_t>(v.data());
        return v.data() + ((64 - address % 64) % 64) / sizeof(float);
    }
    static constexpr std::size_t alignment = 64 / sizeof(float);
};

WorkSpace& work_space(const NufftPlan& plan) {
    thread_local WorkSpace space;
    space.fit(plan);
    return space;
}

/// How a grid is cut: groups of `lanes` blocks, each block owning `stride` trials and overlapping its
/// neighbours by the halo, so that peaks are found without looking outside a block.
struct Layout {
    timing::FrequencyGrid grid;
    int block;
    std::int64_t halo, stride, groups;

    Layout(const timing::FrequencyGrid& g, int block_size, std::int64_t halo_size)
        : grid(g),
          block(block_size),
          halo(halo_size),
          stride(block_size - 2 * halo_size),
          groups((g.count + lanes * stride - 1) / (lanes * stride)) {}

    /// Grid index (multiple of df) of output `l` of a lane.
    std::int64_t index(std::int64_t group, std::int64_t lane, std::int64_t l) const {
        return grid.first + (group * lanes + lane) * stride + l - halo;
    }
    std::int64_t centre(std::int64_t group) const { return index(group, 0, 0) + block / 2; }
    /// Outputs of a lane that are trials of the grid: [begin, end).
    std::int64_t begin(std::int64_t group, std::int64_t lane) const {
        return std::clamp<std::int64_t>(grid.first - index(group, lane, 0), 0, block);
    }
    std::int64_t end(std::int64_t group, std::int64_t lane) const {
        return std::clamp<std::int64_t>(grid.first + grid.count - index(group, lane, 0), 0, block);
    }
};

/// Adds the mean and the peaks of one statistic over one group. `best` (may be null) holds the harmonics of
/// H.
void collect(const Layout& layout, std::int64_t group, float* values, const float* best, int harmonics,
             Collected& out) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
        for (std::int64_t l = 0; l < layout.begin(group, lane); ++l) values[l * lanes + lane] = 0.0f;
        for (std::int64_t l = layout.end(group, lane); l < layout.block; ++l) values[l * lanes + lane] = 0.0f;
    }
    const auto exceeds_neighbours = [&](std::int64_t l, std::int64_t lane) {
        const float v = values[l * lanes + lane];
        for (std::int64_t d = 1; d <= layout.halo; ++d)
            if (values[(l - d) * lanes + lane] >= v || values[(l + d) * lanes + lane] > v) return false;
        return true;
    };
    // Bands of the first and last trial of each lane: nearly always one.
    std::array<int, lanes> first_band{}, last_band{};
    for (std::int64_t lane = 0; lane < lanes && !out.bands.empty(); ++lane) {
        const std::int64_t trial = layout.index(group, lane, layout.halo) - layout.grid.first;
        first_band[lane] = out.bands.band(trial);
        last_band[lane] = out.bands.band(trial + layout.stride - 1);
    }
    const auto note_bands = [&](std::int64_t lane, std::int64_t from, std::int64_t to, double highest) {
        const bool one = first_band[lane] == last_band[lane];
        if (!(highest > 0.0) || (one && !out.bands.is_band(first_band[lane])) ||
            (one && highest < out.bands.threshold(first_band[lane])))
            return;
        for (std::int64_t l = from; l < to; ++l) {
            const std::int64_t trial = layout.index(group, lane, l) - layout.grid.first;
            const int band = one ? first_band[lane] : out.bands.band(trial);
            if (out.bands.is_band(band))
                out.bands.add(band, trial, static_cast<double>(values[l * lanes + lane]));
        }
    };
    constexpr std::int64_t chunk = 32;
    for (std::int64_t from = layout.halo; from < layout.block - layout.halo; from += chunk) {
        const std::int64_t to = std::min(from + chunk, layout.block - layout.halo);
        std::array<float, lanes> sum{}, highest{};
        for (std::int64_t l = from; l < to; ++l)
            for (std::int64_t lane = 0; lane < lanes; ++lane) {
                const float v = values[l * lanes + lane];
                sum[lane] += v;
                highest[lane] = v > highest[lane] ? v : highest[lane];
            }
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
            out.sum += static_cast<double>(sum[lane]);
            if (!out.bands.empty()) note_bands(lane, from, to, static_cast<double>(highest[lane]));
            if (!(static_cast<double>(highest[lane]) > out.peaks.threshold())) continue;
            for (std::int64_t l = from; l < to; ++l) {
                const double v = static_cast<double>(values[l * lanes + lane]);
                if (!(v > out.peaks.threshold()) || !exceeds_neighbours(l, lane)) continue;
                const std::int64_t index = layout.index(group, lane, l);
                out.peaks.add({index - layout.grid.first, static_cast<double>(index) * layout.grid.df, v,
                               best ? static_cast<int>(best[l * lanes + lane]) : harmonics});
            }
        }
    }
}

/// Fits of several harmonics: the sums of the weights at 1 .. 2n times the frequency, of the values at 1 ..
/// n.
void search_terms(const LightCurveTask& task, const PreparedLightCurve& curve, const Layout& layout,
                  const NufftPlan& plan, std::int64_t group, std::vector<Collected>& found) {
    const int terms = max_harmonics(task);
    const std::size_t sum_size = plan.sum_floats();
    WorkSpace& space = work_space(plan);
    thread_local std::vector<float> memory;
    const std::size_t wanted = sum_size * static_cast<std::size_t>(3 * terms) + WorkSpace::alignment;
    if (memory.size() < wanted) memory.resize(wanted);
    float *grid = WorkSpace::aligned(space.grid), *weights = WorkSpace::aligned(memory),
          *values = weights + sum_size * static_cast<std::size_t>(2 * terms);
    for (int k = 1; k <= 2 * terms; ++k) {
        const std::size_t at = sum_size * static_cast<std::size_t>(k - 1);
        plan.run(curve.step, curve.weight, k, layout.centre(group), layout.stride, grid, weights + at);
        if (k <= terms)
            plan.run(curve.step, curve.weighted_value, k, layout.centre(group), layout.stride, grid,
                     values + at);
    }
    const std::int64_t n = layout.block * lanes;
    std::vector<float> power(task.terms.size() * static_cast<std::size_t>(n));
    std::vector<std::int32_t> used(power.size());
    MultiTermPass pass;
    pass.df = layout.grid.df;
    pass.harmonic_fmax = task.harmonic_fmax;
    pass.terms = terms;
    pass.n_statistics = static_cast<int>(task.terms.size());
    std::copy(task.terms.begin(), task.terms.end(), pass.statistic_terms);
    pass.count = n;
    for (std::int64_t lane = 0; lane < lanes; ++lane)
        for (std::int64_t l = layout.begin(group, lane); l < layout.end(group, lane); ++l) {
            timing::MultiTermSums<float> sums;
            sums.yy = 1.0f;
            const std::int64_t re = 2 * l * lanes + lane, im = re + lanes;
            for (int k = 1; k <= 2 * terms; ++k) {
                const std::size_t at = sum_size * static_cast<std::size_t>(k - 1);
                sums.c[k] = weights[at + static_cast<std::size_t>(re)];
                sums.s[k] = weights[at + static_cast<std::size_t>(im)];
                if (k > terms) continue;
                sums.yc[k] = values[at + static_cast<std::size_t>(re)];
                sums.ys[k] = values[at + static_cast<std::size_t>(im)];
            }
            const std::int64_t cell = l * lanes + lane;
            pass.value = power.data();
            pass.best = used.data();
            pass.first = layout.index(group, lane, l) - cell;  // trial `cell` is this frequency
            finish_terms(pass, cell, sums);
        }
    std::vector<float> harmonics(static_cast<std::size_t>(n));
    for (std::size_t s = 0; s < found.size(); ++s) {
        const std::size_t at = s * static_cast<std::size_t>(n);
        std::copy_n(used.begin() + static_cast<std::ptrdiff_t>(at), n, harmonics.begin());
        collect(layout, group, power.data() + at, harmonics.data(), task.terms[s], found[s]);
    }
}

void search_group(const LightCurveTask& task, const PreparedLightCurve& curve, const Layout& layout,
                  const NufftPlan& plan, std::int64_t group, std::vector<Collected>& found) {
    if (task.terms != std::vector<int>{1}) return search_terms(task, curve, layout, plan, group, found);
    WorkSpace& space = work_space(plan);
    float *grid = WorkSpace::aligned(space.grid), *w = WorkSpace::aligned(space.sums),
          *wy = WorkSpace::aligned(space.sums_value), *w2 = WorkSpace::aligned(space.sums_double),
          *power = WorkSpace::aligned(space.cumulative);
    plan.run(curve.step, curve.weight, 1, layout.centre(group), layout.stride, grid, w);
    plan.run(curve.step, curve.weighted_value, 1, layout.centre(group), layout.stride, grid, wy);
    plan.run(curve.step, curve.weight, 2, layout.centre(group), layout.stride, grid, w2);
    for (std::int64_t l = 0; l < layout.block; ++l)
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
            const std::int64_t re = 2 * l * lanes + lane, im = re + lanes;
            power[l * lanes + lane] =
                timing::lomb_scargle_power<float>({0.0f, 1.0f, w[re], w[im], wy[re], wy[im], w2[re], w2[im]});
        }
    collect(layout, group, power, nullptr, 1, found[0]);
}

/// Trials a block: a larger one spreads the photons less often, a smaller one stays in the cache. From
/// measurements on one core: a photon costs about as much as the transform of `photon_cost` trials at any
/// size.
int choose_block(std::size_t n_photons, std::int64_t halo, std::int64_t count) {
    int block = n_photons > 20000 ? 8192 : n_photons > 1500 ? 4096 : 2048;
    while (block > 256 && block / 2 * lanes >= count + 2 * halo * lanes) block /= 2;
    while (block < 8 * halo) block *= 2;
    return block;
}

class CpuSearch final : public PeriodSearch {
  public:
    CpuSearch(const ThreadPool& pool, const SearchCosts& costs) : pool_(&pool), costs_(costs) {}

    std::string name() const override { return "cpu"; }
    std::vector<SearchOutcome> search(std::span<const EventTask> tasks) override {
        std::vector<const NufftPlan*> plans;
        for (const EventTask& task : tasks)
            plans.push_back(
                &plan_for(task.time.size(), peak_halo(task.grid, task.min_separation), task.grid.count));
        std::vector<SearchOutcome> outcomes(tasks.size());
        pool_->for_each(tasks.size(), [&](std::size_t t) {
            outcomes[t] =
                search_events(tasks[t], *plans[t], choose_evaluator(tasks[t], *plans[t], costs_), *pool_);
        });
        return outcomes;
    }
    std::vector<SearchOutcome> search(std::span<const LightCurveTask> tasks) override {
        return run<LightCurveTask, PreparedLightCurve>(tasks);
    }
    std::vector<CompositeOutcome> search(std::span<const CompositeTask> tasks) override {
        return search_composites(tasks, *pool_);
    }
    std::vector<std::vector<DrawOutcome>> search(std::span<const DrawTask> tasks) override {
        std::vector<std::vector<DrawOutcome>> outcomes;
        for (const DrawTask& task : tasks)
            outcomes.push_back(search_draws_of_host(
                task, [&](std::span<const EventTask> drawn) { return search(drawn); }, pool_));
        return outcomes;
    }
    std::vector<std::vector<timing::Complex>> sums(std::span<const SumTask> tasks) override {
        std::vector<SumTask> parts;
        std::vector<std::size_t> parts_of;  // each task
        for (const SumTask& task : tasks) {
            const auto own = timing::equal_steps(task);
            parts.insert(parts.end(), own.begin(), own.end());
            parts_of.push_back(own.size());
        }
        std::vector<std::vector<timing::Complex>> of_parts(parts.size()), all;
        pool_->for_each(parts.size(),
                        [&](std::size_t p) { of_parts[p] = timing::sums_of_equal_steps(parts[p]); });
        auto next = of_parts.begin();
        for (const std::size_t n : parts_of) {
            all.emplace_back();
            for (const auto end = next + static_cast<std::ptrdiff_t>(n); next != end; ++next)
                all.back().insert(all.back().end(), next->begin(), next->end());
        }
        return all;
    }

  private:
    const NufftPlan& plan_for(std::size_t n, std::int64_t halo, std::int64_t count) {
        const int block = choose_block(n, halo, count);
        return plans_.try_emplace(block, block).first->second;
    }

    template <typename Task, typename Prepared>
    std::vector<SearchOutcome> run(std::span<const Task> tasks) {
        std::vector<Layout> layouts;
        std::vector<std::size_t> first_unit{0};
        for (const Task& task : tasks) {
            const std::int64_t halo = peak_halo(task.grid, task.min_separation);
            layouts.emplace_back(task.grid, choose_block(task.time.size(), halo, task.grid.count), halo);
            first_unit.push_back(first_unit.back() + static_cast<std::size_t>(layouts.back().groups));
            if (plans_.find(layouts.back().block) == plans_.end())
                plans_.emplace(layouts.back().block, NufftPlan(layouts.back().block));
        }
        std::vector<std::unique_ptr<Prepared>> prepared(tasks.size());
        pool_->for_each(tasks.size(),
                        [&](std::size_t t) { prepared[t] = std::make_unique<Prepared>(tasks[t]); });

        std::vector<std::deque<Gathered>> all(tasks.size());
        for (std::size_t t = 0; t < tasks.size(); ++t)
            for (std::size_t s = 0; s < statistics_of(tasks[t]).size(); ++s)
                all[t].emplace_back(tasks[t].max_peaks, tasks[t].band_edges,
                                    static_cast<std::size_t>(layouts[t].groups));
        pool_->for_each(first_unit.back(), [&](std::size_t unit) {
            const auto after = std::upper_bound(first_unit.begin(), first_unit.end(), unit);
            const auto t = static_cast<std::size_t>(after - first_unit.begin()) - 1;
            const std::size_t group = unit - first_unit[t];
            std::vector<Collected> found;
            for (const Gathered& of : all[t]) found.push_back(of.begin());
            search_group(tasks[t], *prepared[t], layouts[t], plans_.at(layouts[t].block),
                         static_cast<std::int64_t>(group), found);
            for (std::size_t s = 0; s < found.size(); ++s) all[t][s].add(group, found[s]);
        });

        std::vector<SearchOutcome> outcomes(tasks.size());
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            const auto statistics = statistics_of(tasks[t]);
            for (std::size_t s = 0; s < statistics.size(); ++s)
                outcomes[t].statistics.push_back(all[t][s].outcome(statistics[s], tasks[t].grid));
        }
        return outcomes;
    }

    const ThreadPool* pool_;
    SearchCosts costs_;
    std::map<int, NufftPlan> plans_;
};

}  // namespace

std::unique_ptr<PeriodSearch> make_cpu_search(const ThreadPool& pool, const SearchCosts& costs) {
    return std::make_unique<CpuSearch>(pool, costs);
}

}  // namespace xsift::engine
