#include "composite_search.hpp"

#include "nufft.hpp"

#include <algorithm>
#include <map>

#include <xsift/engine/composite_kernel.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

constexpr std::int64_t lanes = nufft_lanes;

/// Trials of a block, chosen as for single exposures: large enough for the halo of the peaks, small for short
/// grids.
int block_of(const CompositeTask& task, std::int64_t halo) {
    std::size_t photons = 0;
    for (const auto& member : task.members) photons = std::max(photons, member.time.size());
    int block = photons > 20000 ? 8192 : photons > 1500 ? 4096 : 2048;
    while (block > 256 && block / 2 * lanes >= task.grid.count + 2 * halo * lanes) block /= 2;
    while (block < 8 * halo) block *= 2;
    return block;
}

/// Memory of a thread, aligned for the transform.
float* aligned(std::vector<float>& memory, std::size_t n) {
    constexpr std::size_t alignment = 64;
    if (memory.size() < n + alignment / sizeof(float)) memory.resize(n + alignment / sizeof(float));
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    return memory.data() + ((alignment - address % alignment) % alignment) / sizeof(float);
}

/// Some blocks of the grid of one task at one trial of its drift.
struct Unit {
    std::size_t task;
    std::int64_t drift, group;
};

class Search {
  public:
    Search(const CompositeTask& task, const NufftPlan& plan)
        : task_(task),
          plan_(plan),
          halo_(peak_halo(task.grid, task.min_separation)),
          block_(plan.block()),
          stride_(block_ - 2 * halo_) {
        for (const auto& member : task.members) sums_.emplace_back(member);
    }

    static std::int64_t groups(const CompositeTask& task, int block) {
        const std::int64_t own = lanes * (block - 2 * peak_halo(task.grid, task.min_separation));
        return (task.grid.count + own - 1) / own;
    }

    /// The strongest peaks of every statistic.
    std::vector<PeakList> run(std::int64_t drift, std::int64_t group) const {
        const std::size_t n = task_.statistics.size();
        std::vector<std::vector<float>> values(static_cast<std::size_t>(lanes));
        for (auto& v : values) v.assign(n * static_cast<std::size_t>(block_), 0.0f);
        for (std::size_t m = 0; m < task_.members.size(); ++m) add_member(m, drift, group, values);
        std::vector<PeakList> found(n, PeakList(task_.max_peaks));
        for (std::int64_t lane = 0; lane < lanes; ++lane)
            for (std::size_t s = 0; s < n; ++s) {
                const float* v =
                    values[static_cast<std::size_t>(lane)].data() + s * static_cast<std::size_t>(block_);
                for (std::int64_t l = halo_; l < block_ - halo_; ++l) {
                    if (!(static_cast<double>(v[l]) > found[s].threshold()) || !is_peak(v, block_, l, halo_))
                        continue;
                    const std::int64_t trial = index(group, lane, l) - task_.grid.first;
                    found[s].add({trial, task_.grid.frequency(trial), static_cast<double>(v[l]),
                                  task_.statistics[s].harmonics});
                }
            }
        return found;
    }

  private:
    std::int64_t index(std::int64_t group, std::int64_t lane, std::int64_t l) const {
        return task_.grid.first + (group * lanes + lane) * stride_ + l - halo_;
    }
    /// Outputs of a lane that are trials of the grid: [begin, end).
    std::int64_t begin(std::int64_t group, std::int64_t lane) const {
        return std::clamp<std::int64_t>(task_.grid.first - index(group, lane, 0), 0, block_);
    }
    std::int64_t end(std::int64_t group, std::int64_t lane) const {
        return std::clamp<std::int64_t>(task_.grid.first + task_.grid.count - index(group, lane, 0), 0,
                                        block_);
    }

    void add_member(std::size_t m, std::int64_t drift, std::int64_t group,
                    std::vector<std::vector<float>>& values) const {
        const CompositeMember& member = task_.members[m];
        const DriftedMember drifted(member, task_, drift);
        CompositePass pass;
        pass.step = drifted.step.data();
        pass.offset = drifted.offset.empty() ? nullptr : drifted.offset.data();
        pass.weight = member.weight.empty() ? nullptr : member.weight.data();
        pass.n_photons = static_cast<std::int64_t>(member.time.size());
        pass.count = block_;
        pass.df = task_.grid.df;
        pass.harmonic_fmax = member.harmonic_fmax;
        pass.drift = task_.drift;
        pass.drift_trial = drift;
        pass.sum_w = sums_[m].w;
        pass.sum_w2 = sums_[m].w2;
        pass.window_fmax = sums_[m].window_fmax;
        pass.gti_start = member.gti_start.data();
        pass.gti_stop = member.gti_stop.data();
        pass.gti_rate = member.gti_rate.empty() ? nullptr : member.gti_rate.data();
        pass.n_gti = static_cast<int>(member.gti_start.size());
        pass.harmonics = max_harmonics(task_);
        pass.n_statistics = static_cast<int>(task_.statistics.size());
        bool folds = false;
        for (int s = 0; s < pass.n_statistics; ++s) {
            pass.statistic_size[s] = task_.statistics[static_cast<std::size_t>(s)].harmonics;
            pass.statistic_folds[s] = task_.statistics[static_cast<std::size_t>(s)].kind == Kind::ef;
            folds = folds || pass.statistic_folds[s];
        }
        const auto at_lane = [&](std::int64_t lane) {
            pass.first = index(group, lane, 0);
            pass.value = values[static_cast<std::size_t>(lane)].data();
        };
        thread_local std::vector<float> grid_memory, sum_memory;
        float *grid = aligned(grid_memory, plan_.grid_floats()),
              *sums = aligned(sum_memory, plan_.sum_floats());
        std::vector<float> z2(static_cast<std::size_t>(block_ * lanes), 0.0f);
        for (int k = 1; k <= pass.harmonics; ++k) {
            plan_.run(drifted.step, member.weight, k, index(group, 0, 0) + block_ / 2, stride_, grid, sums,
                      drifted.offset);
            for (std::int64_t lane = 0; lane < lanes; ++lane) {
                at_lane(lane);
                for (std::int64_t l = begin(group, lane); l < end(group, lane); ++l)
                    finish_composite(pass, l, k, sums[2 * l * lanes + lane], sums[(2 * l + 1) * lanes + lane],
                                     z2[static_cast<std::size_t>(lane * block_ + l)]);
            }
        }
        for (std::int64_t lane = 0; folds && lane < lanes; ++lane) {
            at_lane(lane);
            for (std::int64_t l = begin(group, lane); l < end(group, lane); ++l) fold_trial(pass, l);
        }
    }

    const CompositeTask& task_;
    const NufftPlan& plan_;
    std::int64_t halo_, block_, stride_;
    std::vector<MemberSums> sums_;
};

}  // namespace

std::vector<CompositeOutcome> search_composites(std::span<const CompositeTask> tasks,
                                                const ThreadPool& pool) {
    std::map<int, NufftPlan> plans;
    std::vector<Search> searches;
    std::vector<Unit> units;
    std::vector<int> blocks;
    for (const CompositeTask& task : tasks) {
        check_task(task);
        blocks.push_back(block_of(task, peak_halo(task.grid, task.min_separation)));
        if (plans.find(blocks.back()) == plans.end()) plans.emplace(blocks.back(), NufftPlan(blocks.back()));
    }
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        searches.emplace_back(tasks[t], plans.at(blocks[t]));
        for (std::int64_t d = 0; d < tasks[t].drift.count(); ++d)
            for (std::int64_t g = 0; g < Search::groups(tasks[t], blocks[t]); ++g) units.push_back({t, d, g});
    }
    std::vector<std::vector<PeakList>> found(units.size());
    pool.for_each(units.size(), [&](std::size_t u) {
        found[u] = searches[units[u].task].run(units[u].drift, units[u].group);
    });

    std::vector<CompositeOutcome> outcomes(tasks.size());
    std::size_t u = 0;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        const std::size_t n = tasks[t].statistics.size();
        std::vector<std::vector<CompositePeak>> all(n);
        for (std::int64_t d = 0; d < tasks[t].drift.count(); ++d) {
            std::vector<PeakList> of_trial(n, PeakList(tasks[t].max_peaks));
            for (; u < units.size() && units[u].task == t && units[u].drift == d; ++u)
                for (std::size_t s = 0; s < n; ++s) of_trial[s].add(found[u][s]);
            for (std::size_t s = 0; s < n; ++s)
                for (const timing::Peak& peak : of_trial[s].sorted()) all[s].push_back({peak, d});
        }
        for (auto& peaks : all) outcomes[t].peaks.push_back(merge_drift_peaks(std::move(peaks), tasks[t]));
    }
    return outcomes;
}

}  // namespace xsift::engine
