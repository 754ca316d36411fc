// The grid likelihood: many tasks a launch. Templates are folded on tensor cores and fitted by the block that
// folded them; the best cells and pairs are chosen on the device.
#include "device_buffer.cuh"
#include "grid_body.cuh"
#include "grid_engine.hpp"
#include "grid_ops.cuh"
#include "package.cuh"
#include "posteriors.hpp"
#include "simulations.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <xsift/engine/grid_task.hpp>

namespace xsift::cuda {

namespace {

using engine::CellCounts;
using engine::GridOutcome;
using engine::GridSpectrum;
using engine::GridTask;
using engine::PairOutcome;
using engine::PairTask;

__global__ void __launch_bounds__(grid_threads)
    fit_kernel(const GridJob* jobs, const GridItem* items, unsigned n_items, unsigned* next, float* room,
               std::size_t room_of_block) {
    __shared__ unsigned ticket;
    fold_and_fit<GridOps>(ticket, static_cast<int>(threadIdx.x), jobs, items, n_items, next,
                          room + blockIdx.x * room_of_block);
}

__global__ void __launch_bounds__(grid_threads) cells_kernel(const GridJob* jobs, const ChoiceJob* choices) {
    __shared__ GridCell shared[grid_threads];
    choose_cells(shared, static_cast<int>(threadIdx.x), jobs[blockIdx.x], choices[blockIdx.x]);
}

__global__ void __launch_bounds__(grid_threads, 6) pairs_kernel(const GridJob* jobs, const PairJob* pairs) {
    __shared__ SharedPairs shared;
    choose_pairs<GridOps>(shared, static_cast<int>(threadIdx.x), jobs[blockIdx.x], pairs[blockIdx.x]);
}

/// The templates of a batch, each set once.
class Templates {
  public:
    template <typename Task>
    void send(std::span<const Task> tasks, const Stream& stream) {
        package_.clear();
        at_.clear();
        for (const Task& task : tasks)
            if (const auto key = key_of(task); !at_.contains(key)) at_[key] = package_.add(task.templates);
        package_.reserve();
        package_.send(stream);
        stream.synchronize();
    }
    template <typename Task>
    const float* of(const Task& task) {
        return package_.at<float>(at_.at(key_of(task)));
    }

  private:
    template <typename Task>
    static std::pair<const float*, std::size_t> key_of(const Task& task) {
        return {task.templates.data(), task.templates.size()};
    }
    Package package_;
    std::map<std::pair<const float*, std::size_t>, std::size_t> at_;
};

std::int64_t templates_of(const GridTask& task) {
    return task.n_templates;
}
std::int64_t templates_of(const PairTask& task) {
    return engine::shape_of(task).n_templates();
}
template <typename Task>
std::int64_t padded_templates(const Task& task) {
    return (templates_of(task) + grid_threads - 1) / grid_threads * grid_threads;
}

/// Device memory of a task, bytes.
std::int64_t spectrum_bytes(const GridSpectrum& s) {
    return std::ssize(s.fold) * 4 + 16 * CellCounts::padded(s.n_bins) + 1024;
}
std::int64_t bytes_of(const GridTask& task) {
    return spectrum_bytes(task) +
           static_cast<std::int64_t>(sizeof(GridCell)) * (task.n_templates + task.max_cells);
}
std::int64_t bytes_of(const PairTask& task) {
    return spectrum_bytes(task) + 4 * padded_templates(task) * task.n_bins +
           static_cast<std::int64_t>(sizeof(GridCell) + sizeof(PairSums)) * templates_of(task) +
           static_cast<std::int64_t>(sizeof(PairEntry)) * engine::shape_of(task).count();
}

/// Runs of tasks that are on the device together.
template <typename Task>
std::vector<std::span<const Task>> groups_of(std::span<const Task> tasks, std::int64_t most_bytes) {
    constexpr std::size_t most_tasks = 4096;
    std::vector<std::span<const Task>> groups;
    std::size_t begin = 0;
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const std::int64_t own = bytes_of(tasks[i]);
        if (i > begin && (i - begin >= most_tasks || bytes + own > most_bytes)) {
            groups.push_back(tasks.subspan(begin, i - begin));
            begin = i;
            bytes = 0;
        }
        bytes += own;
    }
    if (begin < tasks.size()) groups.push_back(tasks.subspan(begin));
    return groups;
}

/// What a group is found to hold, cell by cell or pair by pair.
template <typename Found>
struct Results {
    DeviceBuffer<Found> best;
    DeviceBuffer<int> n_best;
    PinnedBuffer<Found> host_best;
    PinnedBuffer<int> host_n;
    std::vector<std::size_t> first;  ///< of each task, and the end

    template <typename Task, typename Most>
    void prepare(std::span<const Task> tasks, const Most& most) {
        first.assign(1, 0);
        for (const Task& task : tasks)
            first.push_back(first.back() + static_cast<std::size_t>(std::max(most(task), 0)));
        best.reserve(first.back());
        n_best.reserve(tasks.size());
        host_best.reserve(first.back());
        host_n.reserve(tasks.size());
    }
    void fetch(const Stream& stream) {
        best.copy_to(host_best.span(), stream);
        n_best.copy_to(host_n.span(), stream);
    }
    std::vector<Found> of(std::size_t task) const {
        const Found* const begin = host_best.data() + first[task];
        return {begin, begin + host_n[task]};
    }
};

/// One group in flight. Two of them alternate, so that copies overlap with kernels.
class Slot {
  public:
    explicit Slot(std::int64_t room_bytes) : room_bytes_(room_bytes) {}

    void start(std::span<const GridTask> tasks, Templates& templates) {
        Results<GridCell>& out = cells_found_;
        out.prepare(tasks, [](const GridTask& task) { return task.max_cells; });
        begin(tasks);
        std::vector<ChoiceJob> choices;
        for (std::size_t i = 0; i < tasks.size(); ++i)
            choices.push_back({tasks[i].columns, tasks[i].within, tasks[i].max_cells,
                               out.best.data() + out.first[i], out.n_best.data() + i});
        const std::size_t at = package_.add(std::span<const ChoiceJob>(choices));
        launch_fits(templates, tasks, nullptr);
        cells_kernel<<<static_cast<unsigned>(tasks.size()), grid_threads, 0, stream_.get()>>>(
            package_.at<GridJob>(jobs_at_), package_.at<ChoiceJob>(at));
        XSIFT_CUDA_CHECK(cudaGetLastError());
        out.fetch(stream_);
    }

    void start(std::span<const PairTask> tasks, Templates& templates) {
        Results<PairCell>& out = pairs_found_;
        out.prepare(tasks, [](const PairTask& task) { return task.max_pairs; });
        begin(tasks);
        Layout layout;
        std::vector<PairPlaces> places;
        for (const PairTask& task : tasks)
            places.push_back({layout.add<float>(padded_templates(task) * task.n_bins),
                              layout.add<float>(task.n_bins), layout.add<float>(task.n_bins),
                              layout.add<PairSums>(templates_of(task)),
                              layout.add<PairEntry>(engine::shape_of(task).count())});
        pair_room_.reserve(layout.size());
        std::vector<PairJob> pairs;
        for (std::size_t i = 0; i < tasks.size(); ++i)
            pairs.push_back({engine::shape_of(tasks[i]),
                             room<float>(places[i].weight),
                             room<float>(places[i].target),
                             room<PairSums>(places[i].sums),
                             room<PairEntry>(places[i].entries),
                             {tasks[i].norms_most[0], tasks[i].norms_most[1]},
                             tasks[i].max_pairs,
                             out.best.data() + out.first[i],
                             out.n_best.data() + i});
        const std::size_t at = package_.add(std::span<const PairJob>(pairs));
        launch_fits(templates, tasks, &places);
        pairs_kernel<<<static_cast<unsigned>(tasks.size()), grid_threads, 0, stream_.get()>>>(
            package_.at<GridJob>(jobs_at_), package_.at<PairJob>(at));
        XSIFT_CUDA_CHECK(cudaGetLastError());
        out.fetch(stream_);
    }

    void finish(std::span<GridOutcome> outcomes) {
        stream_.synchronize();
        for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i].best = cells_found_.of(i);
    }
    void finish(std::span<PairOutcome> outcomes) {
        stream_.synchronize();
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            outcomes[i].best = pairs_found_.of(i);
            engine::sort_pairs(outcomes[i].best);
        }
    }
    const Stream& stream() const { return stream_; }

  private:
    /// Where the arrays of a pair task lie in pair_room_.
    struct PairPlaces {
        std::size_t rates, weight, target, sums, entries;
    };
    /// Where the arrays of a spectrum lie in the package.
    struct SpectrumPlaces {
        std::size_t fold, counts, background;
    };
    template <typename T>
    T* room(std::size_t place) {
        return reinterpret_cast<T*>(pair_room_.data() + place);
    }

    /// Packs the spectra and lists the items. The models of one spectrum follow each other and share its
    /// arrays.
    template <typename Task>
    void begin(std::span<const Task> tasks) {
        package_.clear();
        counts_.clear();
        places_.clear();
        items_.clear();
        first_cell_.assign(1, 0);
        counts_.reserve(tasks.size());
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            const Task& task = tasks[i];
            counts_.emplace_back(task);
            if (i > 0 && same_arrays(task, tasks[i - 1])) {
                places_.push_back(places_.back());
            } else {
                places_.push_back({package_.add(task.fold),
                                   package_.add(std::span<const float>(counts_.back().counts)),
                                   package_.add(std::span<const float>(counts_.back().background))});
            }
            const std::int64_t n = templates_of(task);
            for (std::int64_t t = 0; t < n; t += grid_threads)
                items_.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(t)});
            first_cell_.push_back(first_cell_.back() + static_cast<std::size_t>(n));
        }
        cells_.reserve(first_cell_.back());
        next_.reserve(1);
    }
    static bool same_arrays(const GridSpectrum& a, const GridSpectrum& b) {
        const auto same = [](const auto& x, const auto& y) {
            return x.data() == y.data() && x.size() == y.size();
        };
        return same(a.fold, b.fold) && same(a.counts, b.counts) &&
               same(a.background_counts, b.background_counts);
    }

    /// Sends everything and folds and fits all templates. @param pairs null: rates are not kept
    template <typename Task>
    void launch_fits(Templates& templates, std::span<const Task> tasks,
                     const std::vector<PairPlaces>* pairs) {
        std::vector<GridJob> jobs(tasks.size());
        jobs_at_ = package_.add(std::span<const GridJob>(jobs));
        const std::size_t items_at = package_.add(std::span<const GridItem>(items_));
        package_.reserve();
        std::int64_t most_bins = 1;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            GridJob& job = jobs[i];
            job.data = counts_[i].plain;
            job.data.counts = package_.at<float>(places_[i].counts);
            job.data.background = package_.at<float>(places_[i].background);
            job.templates = templates.of(tasks[i]);
            job.fold = package_.at<float>(places_[i].fold);
            job.n_templates = templates_of(tasks[i]);
            job.n_energies = tasks[i].n_energies;
            job.cells = cells_.data() + first_cell_[i];
            if (pairs != nullptr) {
                job.rates = room<float>((*pairs)[i].rates);
                job.rate_stride = padded_templates(tasks[i]);
            } else {
                most_bins = std::max(most_bins, tasks[i].n_bins);
            }
        }
        package_.send(stream_);
        next_.zero(stream_);
        const auto room_of_block = static_cast<std::size_t>(most_bins) * grid_threads;
        const unsigned blocks =
            blocks_for(fit_kernel, grid_threads, items_.size(), room_bytes_, room_of_block * sizeof(float));
        rates_.reserve(blocks * room_of_block);
        fit_kernel<<<blocks, grid_threads, 0, stream_.get()>>>(
            package_.at<GridJob>(jobs_at_), package_.at<GridItem>(items_at),
            static_cast<unsigned>(items_.size()), next_.data(), rates_.data(), room_of_block);
        XSIFT_CUDA_CHECK(cudaGetLastError());
    }

    std::int64_t room_bytes_;
    Package package_;
    std::vector<CellCounts> counts_;
    std::vector<SpectrumPlaces> places_;
    std::vector<GridItem> items_;
    std::vector<std::size_t> first_cell_;  ///< of each task, and the end
    std::size_t jobs_at_ = 0;
    DeviceBuffer<GridCell> cells_;
    DeviceBuffer<float> rates_;
    DeviceBuffer<std::byte> pair_room_;
    DeviceBuffer<unsigned> next_;
    Results<GridCell> cells_found_;
    Results<PairCell> pairs_found_;
    Stream stream_;  // last: destroyed first, after waiting for work on the buffers
};

class CudaGrid final : public engine::GridLikelihood {
  public:
    explicit CudaGrid(const engine::DeviceBudget& budget)
        : group_bytes_(budget.grid_group),
          slots_{Slot(budget.grid_room), Slot(budget.grid_room)},
          simulations_(budget),
          posteriors_(budget) {}
    std::string name() const override { return "cuda"; }
    std::vector<GridOutcome> evaluate(std::span<const GridTask> tasks) override {
        return run<GridOutcome>(tasks);
    }
    std::vector<PairOutcome> evaluate(std::span<const PairTask> tasks) override {
        return run<PairOutcome>(tasks);
    }
    std::vector<engine::SimulationOutcome> evaluate(std::span<const engine::SimulationTask> tasks) override {
        return simulations_.evaluate(tasks);
    }
    std::vector<engine::PosteriorOutcome> evaluate(std::span<const engine::PosteriorTask> tasks) override {
        return posteriors_.evaluate(tasks);
    }
    bool spares_threads() const override { return true; }

  private:
    template <typename Outcome, typename Task>
    std::vector<Outcome> run(std::span<const Task> tasks) {
        for (const Task& task : tasks) engine::check_task(task);
        std::vector<Outcome> outcomes(tasks.size());
        if (tasks.empty()) return outcomes;
        templates_.send(tasks, slots_[0].stream());
        const auto groups = groups_of(tasks, group_bytes_);
        const auto finish = [&](std::size_t g) {
            const auto first = static_cast<std::size_t>(groups[g].data() - tasks.data());
            slots_[g % slots_.size()].finish(std::span(outcomes).subspan(first, groups[g].size()));
        };
        for (std::size_t g = 0; g < groups.size(); ++g) {
            if (g >= slots_.size()) finish(g - slots_.size());
            slots_[g % slots_.size()].start(groups[g], templates_);
        }
        for (std::size_t g = groups.size() - std::min(groups.size(), slots_.size()); g < groups.size(); ++g)
            finish(g);
        return outcomes;
    }

    std::int64_t group_bytes_;
    Templates templates_;
    std::array<Slot, 2> slots_;
    Simulations simulations_;
    Posteriors posteriors_;
};

}  // namespace

std::unique_ptr<engine::GridLikelihood> make_grid_engine(const engine::DeviceBudget& budget) {
    return std::make_unique<CudaGrid>(budget);
}

}  // namespace xsift::cuda
