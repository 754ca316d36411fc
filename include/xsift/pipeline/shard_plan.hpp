#pragma once
/// @file
/// How a survey is cut into shards: consecutive sources, balanced by predicted cost.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <xsift/io/survey.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// Predicted processor time of a source on one core, ns. An integer, so that sums do not depend on their
/// order. Measured rates of the CPU engines; a GPU's times are other ones, but in similar proportion.
std::int64_t predicted_cost(const io::SourceLoad& load, const RunConfiguration& configuration);

/// A survey as a sequence of sources with predicted costs.
class ShardPlan {
  public:
    ShardPlan(const io::SurveyReader& survey, const RunConfiguration& configuration);
    /// From costs (ns) as they are.
    explicit ShardPlan(std::span<const std::int64_t> costs);

    std::int64_t sources() const { return static_cast<std::int64_t>(sum_.size()) - 1; }
    /// Predicted seconds on one core of sources [first, end).
    double seconds(std::int64_t first, std::int64_t end) const;
    /// Survey range [first, end) of part K of N of [whole.first, whole.second): contiguous, so that merging
    /// is concatenation; no cost differs from the mean by more than that of one source; no part is empty when
    /// there are sources enough. @throws Error (usage, "BAD_SETTING") unless 1 <= K <= N.
    std::pair<std::int64_t, std::int64_t> part(std::pair<std::int64_t, std::int64_t> whole, std::int64_t k,
                                               std::int64_t n) const;
    /// Part K of N of the survey.
    std::pair<std::int64_t, std::int64_t> shard(std::int64_t k, std::int64_t n) const {
        return part({0, sources()}, k, n);
    }
    /// The number of shards whose predicted seconds come to the wish, 1 to `most`.
    std::int64_t shards_of(double seconds_each, std::int64_t most) const;

  private:
    std::vector<std::int64_t> sum_;  ///< sum_[i]: cost of the sources before i, ns
};

}  // namespace xsift::pipeline
