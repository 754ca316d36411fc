#pragma once
/// @file
/// Simulated sources on a device: photons drawn there, maxima of their peaks in double.

#include "mirrored.cuh"
#include "package.cuh"
#include "product.hpp"
#include "source_draws_body.cuh"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <xsift/engine/drawn_search.hpp>

namespace xsift::cuda {

/// The draws of one launch. Keeps its memory from launch to launch.
class Draws {
  public:
    /// Starts the drawing of photons, those of one draw after those of another.
    /// @param time, weight of all, in device memory; weights as they are in the list of the draw's task
    void start(std::vector<DrawOf> draws, double* time, float* weight, const Stream& stream);

    /// The maxima of draws (by number) whose peaks were found. Waits for the stream.
    /// @param tasks in device memory, one a draw
    /// @param found (number) the outcome of a draw's search, which is taken
    /// @param drawn (number) where its outcome goes
    template <typename Found, typename Drawn>
    void maximise(std::span<const std::size_t> numbers, const ProductTask* tasks, const Stream& stream,
                  const Found& found, const Drawn& drawn) {
        clear_requests();
        std::vector<std::size_t> open;
        for (const std::size_t i : numbers)
            if (const auto wanted = engine::DrawJudge(*draws_[i].task).wanted(found(i))) {
                open.push_back(i);
                for (const auto& trial : *wanted) request(i, trial);
            } else {
                drawn(i) = {false, {}, std::move(found(i))};
            }
        run(tasks, stream);
        for (const std::size_t i : open) {
            auto maxima = judged(i);
            drawn(i) = maxima ? engine::DrawOutcome{true, std::move(*maxima), {}}
                              : engine::DrawOutcome{false, {}, std::move(found(i))};
        }
    }

  private:
    void clear_requests() {
        requested_.clear();
        of_draw_.assign(draws_.size(), {});
    }
    void request(std::size_t draw, engine::DrawJudge::Wanted trial);
    void run(const ProductTask* tasks, const Stream& stream);
    std::optional<std::vector<timing::FoundMaximum>> judged(std::size_t draw) const;

    std::vector<DrawOf> draws_;
    std::vector<const double*> time_of_;  ///< each draw's photons
    std::vector<MaximumRequest> requested_;
    std::vector<std::vector<std::size_t>> of_draw_;  ///< numbers of each draw's requests
    Package package_;
    Mirrored<MaximumRequest> requests_;
    Mirrored<MaximumFound> found_;
};

}  // namespace xsift::cuda
