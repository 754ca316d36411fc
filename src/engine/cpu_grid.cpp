#include "cpu_grid.hpp"

#include "nufft.hpp"

#include <algorithm>
#include <vector>

#include <xsift/engine/grid_task.hpp>

namespace xsift::engine {

namespace {

constexpr std::int64_t block_size = 64;  // templates of one matrix product

struct HostSum {
    std::int64_t n;
    template <typename Term>
    PairSum operator()(const Term& term) const {
        PairSum sum;
        for (std::int64_t k = 0; k < n; ++k) {
            const PairSum value = term(k);
            sum.a += value.a;
            sum.b += value.b;
        }
        return sum;
    }
};

struct Block {
    std::size_t task;
    std::int64_t first, count;
};

class CpuGrid final : public GridLikelihood {
  public:
    explicit CpuGrid(const ThreadPool& pool) : pool_(pool) {}
    std::string name() const override { return "cpu"; }

    std::vector<GridOutcome> evaluate(std::span<const GridTask> tasks) override {
        std::vector<Block> blocks;
        std::vector<std::vector<GridCell>> cells(tasks.size());
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            check_task(tasks[i]);
            cells[i].resize(static_cast<std::size_t>(tasks[i].n_templates));
            for (std::int64_t first = 0; first < tasks[i].n_templates; first += block_size)
                blocks.push_back({i, first, std::min(block_size, tasks[i].n_templates - first)});
        }
        pool_.for_each(blocks.size(), [&](std::size_t b) {
            const Block& block = blocks[b];
            const GridTask& task = tasks[block.task];
            const CellData data = cell_data(task);
            std::vector<float> rate(static_cast<std::size_t>(block.count * task.n_bins)),
                space(grid_product_floats(task.n_energies, task.n_bins));
            nufft_best().grid_product(
                {task.templates.data() + block.first * task.n_energies, task.fold.data(), block.count,
                 task.n_energies, task.n_bins, rate.data()},
                space.data());
            for (std::int64_t i = 0; i < block.count; ++i)
                cells[block.task][block.first + i] =
                    fit_cell(block.first + i, data, rate.data() + i * task.n_bins, HostSum{task.n_bins});
        });
        std::vector<GridOutcome> outcomes(tasks.size());
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            const auto kept =
                std::min<std::size_t>(cells[i].size(), static_cast<std::size_t>(tasks[i].max_cells));
            std::partial_sort(cells[i].begin(), cells[i].begin() + kept, cells[i].end(), better_cell);
            outcomes[i].best.assign(cells[i].begin(), cells[i].begin() + kept);
        }
        return outcomes;
    }

  private:
    const ThreadPool& pool_;
};

}  // namespace

std::unique_ptr<GridLikelihood> make_cpu_grid(const ThreadPool& pool) {
    return std::make_unique<CpuGrid>(pool);
}

}  // namespace xsift::engine
