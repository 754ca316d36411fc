#pragma once
// The sums that the noise of event lists is made from, for all lists of a batch together.

#include <optional>
#include <vector>

#include <xsift/engine/period_search.hpp>
#include <xsift/refine/periods.hpp>

namespace xsift::pipeline {

/// Finishes those that need no sums at once, on the thread that calls; the others wait for them.
class BatchPolish {
  public:
    explicit BatchPolish(std::size_t n) : waiting_(n), sums_(n) {}

    /// The rows of list i, if its polish needs nothing of the engine. Threads: each i from one.
    std::optional<std::vector<PeriodCandidate>> begin(std::size_t i, refine::EventPolish polish) {
        if (polish.noise_task().indices.empty()) return polish.finish({});
        waiting_[i] = std::move(polish);
        return std::nullopt;
    }
    /// Makes the sums of all that wait.
    void make_sums(engine::PeriodSearch& search) {
        std::vector<engine::SumTask> tasks;
        for (const auto& polish : waiting_)
            if (polish) tasks.push_back(polish->noise_task());
        if (tasks.empty()) return;
        auto sums = search.sums(tasks);
        auto next = sums.begin();
        for (std::size_t i = 0; i < waiting_.size(); ++i)
            if (waiting_[i]) sums_[i] = std::move(*next++);
    }
    bool waits(std::size_t i) const { return waiting_[i].has_value(); }
    /// The rows of a list that waited for its sums.
    std::vector<PeriodCandidate> finish(std::size_t i) {
        auto rows = waiting_[i]->finish(sums_[i]);
        waiting_[i].reset();
        return rows;
    }

  private:
    std::vector<std::optional<refine::EventPolish>> waiting_;
    std::vector<std::vector<timing::Complex>> sums_;
};

}  // namespace xsift::pipeline
