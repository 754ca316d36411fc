#pragma once
/// @file
/// Searches of simulated sources: what backends share.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/period_search.hpp>

namespace xsift::engine {

/// The search of one draw, of photons that must outlive it.
EventTask draw_search(const DrawTask& task, const timing::DrawnPhotons& photons);

/// The draws of a task made on the host, some at once, and searched by `search`; none is maximised.
/// @param pool draws; null: the calling thread
std::vector<DrawOutcome> search_draws_of_host(
    const DrawTask& task, const std::function<std::vector<SearchOutcome>(std::span<const EventTask>)>& search,
    const ThreadPool* pool);

/// Cuts every task into `parts` of about equally many draws, in order.
std::vector<DrawTask> cut_draws(std::span<const DrawTask> tasks, std::size_t parts);

/// Decides which peaks of a draw are maximised, and whether that is all that there is to do: what EventPolish
/// does to a list in which nothing is significant but what has too few cycles.
class DrawJudge {
  public:
    /// @param task must outlive it
    explicit DrawJudge(const DrawTask& task) : task_(task) {}

    /// A trial of a statistic.
    struct Wanted {
        std::int32_t statistic = 0;
        std::int64_t trial = 0;
    };
    /// The most significant trials that are not the same frequency; nullopt when one with enough cycles is
    /// significant, or more are than are wanted.
    /// @param found peaks in double, strongest first; the highest of the bands as screened
    std::optional<std::vector<Wanted>> wanted(const SearchOutcome& found) const;

    /// A maximum near a wanted trial: of the statistic, and of what is left of it without what a constant
    /// source shows through the gaps, at its frequency.
    struct Climbed {
        std::int32_t statistic = 0, harmonics = 1;
        double frequency = 0.0, value = 0.0, evidence = 0.0;
        bool may_be_faster = false;  ///< a multiple of the frequency may be the fundamental
    };
    /// One entry a frequency, the most significant first; nullopt when more than their frequencies may veto
    /// one.
    std::optional<std::vector<timing::FoundMaximum>> judged(std::span<const Climbed> climbed) const;

  private:
    timing::Statistic usable(std::int32_t statistic, double frequency) const;
    const DrawTask& task_;
};

}  // namespace xsift::engine
