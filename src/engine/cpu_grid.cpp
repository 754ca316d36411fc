#include "cpu_grid.hpp"

#include "nufft.hpp"
#include "posteriors.hpp"
#include "simulations.hpp"

#include <algorithm>
#include <vector>

#include <xsift/engine/grid_task.hpp>

namespace xsift::engine {

namespace {

constexpr std::int64_t block_size = 128;  // templates of one matrix product

struct Block {
    std::size_t task;
    std::int64_t first, count;
};

/// Folds templates and fits the norm of each. @param rate count rows of padded n_bins
void fold_and_fit(const GridSpectrum& spectrum, const CellCounts& counts, const float* templates,
                  std::int64_t first, std::int64_t count, std::vector<float>& rate, GridCell* cells) {
    const std::int64_t stride = CellCounts::padded(spectrum.n_bins);
    rate.assign(static_cast<std::size_t>(count * stride), 0.0f);
    std::vector<float> space(grid_product_floats(spectrum.n_energies));
    const NufftKernel& kernel = nufft_best();
    kernel.grid_product({templates + first * spectrum.n_energies, spectrum.fold.data(), count,
                         spectrum.n_energies, spectrum.n_bins, rate.data(), stride},
                        space.data());
    kernel.grid_cells({counts.data(), rate.data(), stride, first, count, cells});
}

PairOutcome pairs_of(const PairTask& task) {
    const PairShape shape = shape_of(task);
    const CellCounts counts(task);
    const CellData data = counts.data();
    const std::int64_t n = shape.n_templates(), stride = CellCounts::padded(task.n_bins);
    std::vector<float> rates;
    std::vector<GridCell> cells(static_cast<std::size_t>(n));
    fold_and_fit(task, counts, task.templates.data(), 0, n, rates, cells.data());
    const auto rate = [&](std::int64_t t) { return rates.data() + t * stride; };
    const GridCell reference = *std::min_element(cells.begin(), cells.end(), better_cell);
    std::vector<float> weight, target;
    for (std::int64_t k = 0; k < task.n_bins; ++k) {
        const PairBin bin = pair_bin(data, k, reference.norm * static_cast<double>(rate(reference.index)[k]));
        weight.push_back(static_cast<float>(bin.weight));
        target.push_back(static_cast<float>(bin.target));
    }
    std::vector<PairSums> sums;
    for (std::int64_t t = 0; t < n; ++t)
        sums.push_back(pair_sums(rate(t), 1, task.n_bins, weight.data(), target.data()));
    std::vector<PairEntry> entries(static_cast<std::size_t>(shape.count()));
    for (std::int64_t i = 0; i < shape.count(); ++i) {
        const spectral::PairIndex pair = shape.index(i);
        if (!shape.counts(pair)) continue;
        const std::int64_t a = shape.first_template(pair), b = shape.second_template(pair);
        double cross = 0.0;
        for (std::int64_t k = 0; k < task.n_bins; ++k)
            cross += static_cast<double>(weight[k]) * static_cast<double>(rate(a)[k]) *
                     static_cast<double>(rate(b)[k]);
        entries[i] = pair_entry(sums[a], sums[b], cross, task.norms_most);
    }
    PairOutcome out;
    for (const std::int64_t i : spectral::best_pairs(shape, entries, task.max_pairs)) {
        const spectral::PairIndex pair = shape.index(i);
        const float(&norm)[2] = entries[i].norm;
        out.best.push_back({pair,
                            {static_cast<double>(norm[0]), static_cast<double>(norm[1])},
                            pair_statistic<HostBinOps>(data, rate(shape.first_template(pair)),
                                                       rate(shape.second_template(pair)), 1, norm)});
    }
    sort_pairs(out.best);
    return out;
}

class CpuGrid final : public GridLikelihood {
  public:
    explicit CpuGrid(const ThreadPool& pool) : pool_(pool) {}
    std::string name() const override { return "cpu"; }

    std::vector<GridOutcome> evaluate(std::span<const GridTask> tasks) override {
        std::vector<Block> blocks;
        std::vector<std::vector<GridCell>> cells(tasks.size());
        std::vector<CellCounts> counts;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            check_task(tasks[i]);
            counts.emplace_back(tasks[i]);
            cells[i].resize(static_cast<std::size_t>(tasks[i].n_templates));
            for (std::int64_t first = 0; first < tasks[i].n_templates; first += block_size)
                blocks.push_back({i, first, std::min(block_size, tasks[i].n_templates - first)});
        }
        pool_.for_each(blocks.size(), [&](std::size_t b) {
            const Block& block = blocks[b];
            const GridTask& task = tasks[block.task];
            std::vector<float> rate;
            fold_and_fit(task, counts[block.task], task.templates.data(), block.first, block.count, rate,
                         cells[block.task].data() + block.first);
        });
        std::vector<GridOutcome> outcomes;
        for (std::size_t i = 0; i < tasks.size(); ++i) outcomes.push_back(best_cells(tasks[i], cells[i]));
        return outcomes;
    }

    std::vector<PairOutcome> evaluate(std::span<const PairTask> tasks) override {
        for (const PairTask& task : tasks) check_task(task);
        std::vector<PairOutcome> outcomes(tasks.size());
        pool_.for_each(tasks.size(), [&](std::size_t i) { outcomes[i] = pairs_of(tasks[i]); });
        return outcomes;
    }

    std::vector<SimulationOutcome> evaluate(std::span<const SimulationTask> tasks) override {
        return simulate_on(pool_, tasks);
    }

    std::vector<PosteriorOutcome> evaluate(std::span<const PosteriorTask> tasks) override {
        return integrate_on(pool_, tasks);
    }

  private:
    const ThreadPool& pool_;
};

}  // namespace

std::unique_ptr<GridLikelihood> make_cpu_grid(const ThreadPool& pool) {
    return std::make_unique<CpuGrid>(pool);
}

}  // namespace xsift::engine
