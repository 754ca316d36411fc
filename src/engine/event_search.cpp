#include "event_search.hpp"

#include "collected.hpp"
#include "work_space.hpp"

#include <algorithm>
#include <limits>

#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::engine {
namespace {

constexpr std::int64_t lanes = nufft_lanes;
/// Most powers kept for the harmonics of one task: 32 MiB.
constexpr std::int64_t most_kept = std::int64_t{1} << 23;

class EventSearch {
  public:
    EventSearch(const EventTask& task, const NufftPlan& plan, const ThreadPool& pool)
        : task_(task),
          plan_(plan),
          pool_(pool),
          events_(task),
          end_(task.grid.first + std::max<std::int64_t>(task.grid.count, 0)),
          halo_(peak_halo(task.grid, task.min_separation)),
          scale_(static_cast<float>(2.0 / events_.sum_w2)) {
        for (const timing::Statistic& s : task.statistics)
            if (s.kind == timing::Statistic::Kind::h) with_h_ = true;
    }

    SearchOutcome run() {
        const std::int64_t width = lanes * plan_.block(), first = task_.grid.first;
        kept_end_ = std::max(first, last_kept_power(task_) + 1);
        const std::int64_t tables = (kept_end_ - first + width - 1) / width;
        kept_.resize(static_cast<std::size_t>(tables * width));
        pool_.for_each(static_cast<std::size_t>(tables), [&](std::size_t u) {
            const std::int64_t at = static_cast<std::int64_t>(u) * width;
            powers(1, first + at, kept_.data() + at);
        });

        const std::int64_t own = width - 2 * halo_;
        const std::int64_t units = (end_ - first + own - 1) / own;
        std::vector<std::vector<Collected>> found(static_cast<std::size_t>(units));
        pool_.for_each(found.size(), [&](std::size_t u) {
            found[u] = stretch(first + static_cast<std::int64_t>(u) * own, own);
        });

        SearchOutcome outcome;
        const std::int64_t count = end_ - first;
        for (std::size_t s = 0; s < task_.statistics.size(); ++s) {
            Collected all(task_.max_peaks, task_.band_edges);
            for (const auto& unit : found) all.add(unit[s]);
            outcome.statistics.push_back({task_.statistics[s], all.peaks.sorted(),
                                          count ? all.sum / static_cast<double>(count) : 0.0, count,
                                          all.bands.peaks(task_.grid, task_.statistics[s].harmonics)});
        }
        return outcome;
    }

  private:
    struct Buffers {
        AlignedFloats grid, sums, term, z2, h, best;
        std::vector<float> highest, chunk_sum;
    };
    static Buffers& buffers() {
        thread_local Buffers b;
        return b;
    }

    /// What harmonic k adds to Z2 at the grid indices from .. from + lanes * block - 1.
    void powers(int k, std::int64_t from, float* out) const {
        Buffers& b = buffers();
        float* grid = b.grid.fit(plan_.grid_floats());
        const std::int64_t block = plan_.block(), centre = from + block / 2;
        if (static_cast<double>(k * from) * task_.grid.df >= events_.window_fmax) {
            plan_.run_powers(events_.step, task_.weight, k, centre, block, scale_, grid, out);
            return;
        }
        float* sums = b.sums.fit(plan_.sum_floats());
        plan_.run(events_.step, task_.weight, k, centre, block, grid, sums);
        subtract_window(k, from, sums);
        plan_.powers(sums, scale_, out);
    }

    /// Subtracts what a constant source would show through the GTIs, where that matters.
    void subtract_window(int k, std::int64_t from, float* sums) const {
        const double df = k * task_.grid.df;
        for (std::int64_t i = 0; i < lanes * plan_.block(); ++i) {
            const double f = static_cast<double>(from + i) * df;
            if (f >= events_.window_fmax) break;
            const timing::Complex w = timing::gti_window(f, task_.gti_start.data(), task_.gti_stop.data(),
                                                         static_cast<int>(task_.gti_start.size())) *
                                      events_.sum_w;
            const std::int64_t lane = i / plan_.block(), l = i % plan_.block();
            sums[2 * l * lanes + lane] -= static_cast<float>(w.re);
            sums[(2 * l + 1) * lanes + lane] -= static_cast<float>(w.im);
        }
    }

    /// The statistics of the trials at grid indices begin .. begin + own - 1, as far as the grid reaches.
    /// Values start `halo_` trials earlier and end as much later, so that peaks are found without a look at
    /// other stretches; those outside the grid stay below every peak.
    std::vector<Collected> stretch(std::int64_t begin, std::int64_t own) const {
        Buffers& b = buffers();
        const std::int64_t from = begin - halo_, width = own + 2 * halo_;
        const auto n = static_cast<std::size_t>(width);
        float *z2 = b.z2.fit(n), *h = with_h_ ? b.h.fit(n) : nullptr, *best = b.best.fit(n);
        std::fill_n(z2, n, 0.0f);
        if (with_h_) std::fill_n(h, n, -std::numeric_limits<float>::infinity());
        std::vector<Collected> found(task_.statistics.size(), Collected(task_.max_peaks, task_.band_edges));
        for (int k = 1; k <= events_.harmonics; ++k) {
            const std::int64_t low = std::max(from, task_.grid.first);
            const std::int64_t high = std::min(std::min(from + width, end_) - 1,
                                               last_harmonic_index(task_.harmonic_fmax, task_.grid.df, k));
            if (low <= high) {
                const auto add = [&](const float* term, std::int64_t stride, std::int64_t first,
                                     std::int64_t last) {
                    const std::int64_t at = first - from;
                    plan_.kernel().add({term, stride, last - first + 1, static_cast<float>(4 * (k - 1)), k},
                                       z2 + at, h ? h + at : nullptr, best + at);
                };
                const std::int64_t kept = std::min(high, (kept_end_ - 1) / k);
                if (kept >= low) add(kept_.data() + (k * low - task_.grid.first), k, low, kept);
                if (kept < high) {
                    float* term = b.term.fit(n);
                    powers(k, from, term);
                    const std::int64_t next = std::max(low, kept + 1);
                    add(term + (next - from), 1, next, high);
                }
            }
            for (std::size_t s = 0; s < found.size(); ++s) {
                if (task_.statistics[s].harmonics != k) continue;
                const bool is_h = task_.statistics[s].kind == timing::Statistic::Kind::h;
                collect(begin, std::min(own, end_ - begin), is_h ? h : z2, is_h ? best : nullptr, k,
                        found[s]);
            }
        }
        return found;
    }

    /// Adds the mean and the peaks of one statistic over `n` trials from grid index `begin`, whose values
    /// start at values[halo_].
    void collect(std::int64_t begin, std::int64_t n, const float* values, const float* best, int harmonics,
                 Collected& out) const {
        Buffers& b = buffers();
        const std::int64_t chunks = (n + nufft_chunk - 1) / nufft_chunk;
        b.highest.resize(static_cast<std::size_t>(chunks));
        b.chunk_sum.resize(static_cast<std::size_t>(chunks));
        plan_.kernel().scan(values + halo_, n, b.highest.data(), b.chunk_sum.data());
        const std::int64_t trial = begin - task_.grid.first;
        const bool one_band = !out.bands.empty() && out.bands.band(trial) == out.bands.band(trial + n - 1);
        const int band = out.bands.empty() ? -1 : out.bands.band(trial);
        for (std::int64_t c = 0; c < chunks; ++c) {
            if (!out.bands.empty() && (!one_band || out.bands.is_band(band)))
                note_bands(trial, c * nufft_chunk, std::min(n, (c + 1) * nufft_chunk), values + halo_,
                           one_band ? band : -1, b.highest[static_cast<std::size_t>(c)], out.bands);
            out.sum += static_cast<double>(b.chunk_sum[static_cast<std::size_t>(c)]);
            double threshold = out.peaks.threshold();
            if (!(static_cast<double>(b.highest[static_cast<std::size_t>(c)]) > threshold)) continue;
            for (std::int64_t i = c * nufft_chunk; i < std::min(n, (c + 1) * nufft_chunk); ++i) {
                const float* v = values + halo_ + i;
                if (!(static_cast<double>(*v) > threshold) || !exceeds_neighbours(v)) continue;
                const std::int64_t index = begin + i;
                out.peaks.add({index - task_.grid.first, static_cast<double>(index) * task_.grid.df,
                               static_cast<double>(*v),
                               best ? static_cast<int>(best[halo_ + i]) : harmonics});
                threshold = out.peaks.threshold();
            }
        }
    }

    /// Offers the trials trial + from .. trial + to - 1 to their bands. `band` is that of all of them, or -1
    /// when the stretch has several.
    static void note_bands(std::int64_t trial, std::int64_t from, std::int64_t to, const float* values,
                           int band, float highest, BandMaxima& bands) {
        if (!(highest > 0.0f) || (band >= 0 && static_cast<double>(highest) <= bands.highest(band))) return;
        for (std::int64_t i = from; i < to; ++i) {
            const int of_trial = band >= 0 ? band : bands.band(trial + i);
            if (bands.is_band(of_trial)) bands.add(of_trial, trial + i, static_cast<double>(values[i]));
        }
    }

    bool exceeds_neighbours(const float* v) const {
        for (std::int64_t d = 1; d <= halo_; ++d)
            if (v[-d] >= *v || v[d] > *v) return false;
        return true;
    }

    const EventTask& task_;
    const NufftPlan& plan_;
    const ThreadPool& pool_;
    PreparedEvents events_;
    std::int64_t end_, halo_;  ///< end_: grid index after the last trial
    float scale_;
    bool with_h_ = false;
    std::vector<float> kept_;  ///< powers at the grid indices from the first trial to before kept_end_
    std::int64_t kept_end_ = 0;
};

}  // namespace

std::int64_t last_kept_power(const EventTask& task) {
    const std::int64_t first = task.grid.first, last = first + task.grid.count - 1;
    const int harmonics = max_harmonics(task);
    std::int64_t best_last = first - 1;
    double best_cost = std::numeric_limits<double>::infinity();
    // The cost is counted in powers: those kept, and those computed for each harmonic that lies beyond them.
    for (int multiple = 0; multiple <= harmonics; ++multiple) {
        const std::int64_t kept = multiple == 0 ? first - 1 : multiple * last;
        if (kept - first >= most_kept) break;
        double cost = static_cast<double>(kept - first + 1);
        for (int k = 1; k <= harmonics; ++k) {
            const std::int64_t high =
                std::min(last, last_harmonic_index(task.harmonic_fmax, task.grid.df, k));
            cost += static_cast<double>(std::max<std::int64_t>(0, high - std::max(first - 1, kept / k)));
        }
        if (cost < best_cost) {
            best_cost = cost;
            best_last = kept;
        }
    }
    return best_last;
}

SearchOutcome search_events(const EventTask& task, const NufftPlan& plan, const ThreadPool& pool) {
    return EventSearch(task, plan, pool).run();
}

}  // namespace xsift::engine
