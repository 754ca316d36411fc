#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/numa.hpp>
#include <xsift/engine/drawn_search.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/engine/spread.hpp>

namespace xsift::engine {

namespace {

double cost_of(const EventTask& task) {
    return static_cast<double>(task.time.size()) * static_cast<double>(task.grid.count) *
           std::max(1, max_harmonics(task));
}
double cost_of(const LightCurveTask& task) {
    return static_cast<double>(task.time.size()) * static_cast<double>(task.grid.count) *
           std::max(1, max_harmonics(task));
}
double cost_of(const CompositeTask& task) {
    std::size_t photons = 0;
    for (const CompositeMember& member : task.members) photons += member.time.size();
    return static_cast<double>(photons) * static_cast<double>(task.grid.count) *
           static_cast<double>(task.drift.count()) * std::max(1, max_harmonics(task));
}
double cost_of(const SumTask& task) {
    return static_cast<double>(task.photons.time.size()) * static_cast<double>(task.indices.size());
}
double cost_of(const DrawTask& task) {
    return static_cast<double>(task.count) * cost_of(task.search);
}
double cost_of(const GridTask& task) {
    return static_cast<double>(task.n_templates) * static_cast<double>(task.n_bins) *
           static_cast<double>(task.n_energies);
}

double cost_of(const PairTask& task) {
    return static_cast<double>(task.n_places * (task.n_first + task.n_second)) *
           static_cast<double>(task.n_bins) * static_cast<double>(task.n_energies);
}

double cost_of(const SimulationTask& task) {
    return static_cast<double>(task.n_draws) * task.rows * task.columns * static_cast<double>(task.n_bins());
}

double cost_of(const PosteriorTask& task) {
    return static_cast<double>(task.row.n_nodes * task.column.n_nodes) *
           static_cast<double>(std::ssize(task.response) + task.n_bins);
}

class Shares {
  public:
    explicit Shares(std::vector<EngineShare> shares) : shares_(std::move(shares)) {}

    const EngineShare& operator[](std::size_t i) const { return shares_[i]; }
    std::size_t size() const { return shares_.size(); }

    /// Calls `call(engines, tasks of the share)` for all shares at once.
    template <typename Outcome, typename Task, typename Call>
    std::vector<Outcome> run(std::span<const Task> tasks, const Call& call) const {
        std::vector<double> costs;
        for (const Task& task : tasks) costs.push_back(cost_of(task));
        const std::vector<std::size_t> ends = equal_runs(costs, shares_.size());
        std::vector<std::vector<Outcome>> parts(shares_.size());
        std::vector<std::exception_ptr> failures(shares_.size());
        const auto work = [&](std::size_t i) {
            const std::size_t begin = i == 0 ? 0 : ends[i - 1];
            if (begin == ends[i]) return;
            try {
                const KeepTo keep(shares_[i].processors);
                if (shares_[i].enter) shares_[i].enter();
                parts[i] = call(shares_[i].engines, tasks.subspan(begin, ends[i] - begin));
            } catch (...) {
                failures[i] = std::current_exception();
            }
        };
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 1; i < shares_.size(); ++i) threads.emplace_back(work, i);
            work(0);
        }
        for (const std::exception_ptr& failure : failures)
            if (failure) std::rethrow_exception(failure);
        std::vector<Outcome> outcomes;
        for (auto& part : parts) std::move(part.begin(), part.end(), std::back_inserter(outcomes));
        return outcomes;
    }

  private:
    std::vector<EngineShare> shares_;
};

class SpreadSearch final : public PeriodSearch {
  public:
    explicit SpreadSearch(std::shared_ptr<const Shares> shares) : shares_(std::move(shares)) {}
    std::string name() const override { return (*shares_)[0].engines.search->name(); }
    std::vector<SearchOutcome> search(std::span<const EventTask> tasks) override {
        return spread<SearchOutcome>(tasks);
    }
    std::vector<SearchOutcome> search(std::span<const LightCurveTask> tasks) override {
        return spread<SearchOutcome>(tasks);
    }
    std::vector<CompositeOutcome> search(std::span<const CompositeTask> tasks) override {
        return spread<CompositeOutcome>(tasks);
    }
    /// Draws of one source are shared too.
    std::vector<std::vector<DrawOutcome>> search(std::span<const DrawTask> tasks) override {
        const std::vector<DrawTask> cut = cut_draws(tasks, shares_->size());
        auto of_parts = spread<std::vector<DrawOutcome>>(std::span<const DrawTask>(cut));
        std::vector<std::vector<DrawOutcome>> all(tasks.size());
        for (std::size_t p = 0; p < of_parts.size(); ++p)
            std::move(of_parts[p].begin(), of_parts[p].end(), std::back_inserter(all[p / shares_->size()]));
        return all;
    }
    std::vector<std::vector<timing::Complex>> sums(std::span<const SumTask> tasks) override {
        return shares_->run<std::vector<timing::Complex>>(
            tasks, [](const Engines& e, std::span<const SumTask> own) { return e.search->sums(own); });
    }

  private:
    template <typename Outcome, typename Task>
    std::vector<Outcome> spread(std::span<const Task> tasks) const {
        return shares_->run<Outcome>(
            tasks, [](const Engines& e, std::span<const Task> own) { return e.search->search(own); });
    }

    std::shared_ptr<const Shares> shares_;
};

class SpreadGrid final : public GridLikelihood {
  public:
    explicit SpreadGrid(std::shared_ptr<const Shares> shares) : shares_(std::move(shares)) {}
    std::string name() const override { return (*shares_)[0].engines.grid->name(); }
    std::vector<GridOutcome> evaluate(std::span<const GridTask> tasks) override {
        return spread<GridOutcome>(tasks);
    }
    std::vector<PairOutcome> evaluate(std::span<const PairTask> tasks) override {
        return spread<PairOutcome>(tasks);
    }
    std::vector<SimulationOutcome> evaluate(std::span<const SimulationTask> tasks) override {
        return spread<SimulationOutcome>(tasks);
    }
    std::vector<PosteriorOutcome> evaluate(std::span<const PosteriorTask> tasks) override {
        return spread<PosteriorOutcome>(tasks);
    }
    bool spares_threads() const override { return (*shares_)[0].engines.grid->spares_threads(); }

  private:
    template <typename Outcome, typename Task>
    std::vector<Outcome> spread(std::span<const Task> tasks) const {
        return shares_->run<Outcome>(
            tasks, [](const Engines& e, std::span<const Task> own) { return e.grid->evaluate(own); });
    }

    std::shared_ptr<const Shares> shares_;
};

}  // namespace

std::vector<std::size_t> equal_runs(const std::vector<double>& costs, std::size_t parts) {
    const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
    std::vector<std::size_t> ends;
    double before = 0.0;
    std::size_t task = 0;
    for (std::size_t part = 1; part < parts; ++part) {
        const double target = total * static_cast<double>(part) / static_cast<double>(parts);
        // A task goes to the side on which more of it lies.
        while (task < costs.size() && before + 0.5 * costs[task] <= target) before += costs[task++];
        ends.push_back(task);
    }
    ends.push_back(costs.size());
    return ends;
}

Engines spread_over(std::vector<EngineShare> shares) {
    std::vector<std::string> names;
    names.reserve(shares.size());
    for (const EngineShare& share : shares) names.push_back(share.engines.description);
    Engines all{shares.front().engines.backend, {}, nullptr, nullptr};
    all.description = fmt::format("{} sets: {}", shares.size(), fmt::join(names, ", "));
    auto shared = std::make_shared<const Shares>(std::move(shares));
    all.search = std::make_unique<SpreadSearch>(shared);
    all.grid = std::make_unique<SpreadGrid>(std::move(shared));
    return all;
}

}  // namespace xsift::engine
