#include "event_search.hpp"

#include "collected.hpp"
#include "work_space.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <map>
#include <utility>

#include <xsift/engine/direct_sum.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/window.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::engine {
namespace {

constexpr std::int64_t lanes = nufft_lanes;
/// Most powers kept for the harmonics of one task: 32 MiB.
constexpr std::int64_t most_kept = std::int64_t{1} << 23;

/// Lists of so many photons are spread in parts by all threads together: then the last blocks of a search do
/// not wait for one thread. So many blocks at once, each from so many grids (1 MB each).
constexpr std::size_t shared_photons = std::size_t{1} << 19, shared_blocks = 4, shared_parts = 4;

/// Trials a stretch of the matrix product and of direct sums: a few hundred kilobytes of factors and values.
constexpr std::int64_t most_stretch = 16384;

std::int64_t rounded_up(std::int64_t n, std::int64_t granule) {
    return (n + granule - 1) / granule * granule;
}

/// Width of the stretches of a grid, halos included: a short one has a single stretch.
std::int64_t stretch_width(std::int64_t count, std::int64_t halo, Evaluator evaluator) {
    const std::int64_t wanted = std::max(count, std::int64_t{1}) + 2 * halo,
                       granule = evaluator == Evaluator::matrix ? 2 * matrix_half_width : 1;
    return rounded_up(std::min(wanted, std::max(most_stretch, 8 * halo)), granule);
}

/// Calls body(i) for each i in [0, n) on all threads, beginning them in this order: what is left at the end
/// is one body a thread.
template <typename Body>
void for_each_in_order(const ThreadPool& pool, std::size_t n, const Body& body) {
    std::atomic<std::size_t> next{0};
    pool.for_each(std::min(n, static_cast<std::size_t>(pool.size())), [&](std::size_t) {
        for (std::size_t i = next++; i < n; i = next++) body(i);
    });
}

class EventSearch {
  public:
    EventSearch(const EventTask& task, const NufftPlan& plan, Evaluator evaluator, const ThreadPool& pool)
        : task_(task),
          plan_(plan),
          evaluator_(evaluator),
          pool_(pool),
          events_(task, &pool),
          end_(task.grid.first + std::max<std::int64_t>(task.grid.count, 0)),
          halo_(peak_halo(task.grid, task.min_separation)),
          width_(evaluator == Evaluator::nufft ? lanes * plan.block()
                                               : stretch_width(task.grid.count, halo_, evaluator)),
          scale_(static_cast<float>(2.0 / events_.sum_w2)) {
        for (const timing::Statistic& s : task.statistics)
            if (s.kind == timing::Statistic::Kind::h) with_h_ = true;
    }

    SearchOutcome run() {
        const std::int64_t width = width_, first = task_.grid.first;
        kept_end_ = std::max(first, last_kept_power(task_) + 1);
        const std::int64_t tables = (kept_end_ - first + width - 1) / width;
        const std::int64_t own = width - 2 * halo_;
        const std::int64_t units = (end_ - first + own - 1) / own;
        kept_.resize(static_cast<std::size_t>(tables * width));
        std::vector<Table> wanted;
        for (std::int64_t u = 0; u < tables; ++u)
            wanted.push_back({1, first + u * width, kept_.data() + u * width});
        if (evaluator_ == Evaluator::nufft && task_.time.size() >= shared_photons) {
            add_terms(units, own, wanted);
            fill_together(wanted);
        } else {
            for_each_in_order(pool_, wanted.size(), [&](std::size_t i) {
                powers(wanted[i].harmonic, wanted[i].from, wanted[i].out);
            });
        }

        std::deque<Gathered> all;
        for (std::size_t i = 0; i < task_.statistics.size(); ++i)
            all.emplace_back(task_.max_peaks, task_.band_edges, static_cast<std::size_t>(units));
        for_each_in_order(pool_, static_cast<std::size_t>(units), [&](std::size_t u) {
            std::vector<Collected> found;
            found.reserve(all.size());
            for (const Gathered& of : all) found.push_back(of.begin());
            stretch(first + static_cast<std::int64_t>(u) * own, own, found);
            for (std::size_t s = 0; s < found.size(); ++s) all[s].add(u, found[s]);
        });

        SearchOutcome outcome;
        for (std::size_t s = 0; s < task_.statistics.size(); ++s)
            outcome.statistics.push_back(all[s].outcome(task_.statistics[s], task_.grid));
        return outcome;
    }

  private:
    /// Powers of a harmonic at width_ grid indices from one on.
    struct Table {
        int harmonic;
        std::int64_t from;
        float* out;
    };

    /// The grid indices of a stretch at which a harmonic is used, and the last whose power is kept.
    struct Used {
        std::int64_t low, high, kept;
    };
    Used used(int k, std::int64_t from, std::int64_t width) const {
        const std::int64_t high = std::min(std::min(from + width, end_) - 1,
                                           last_harmonic_index(task_.harmonic_fmax, task_.grid.df, k));
        return {std::max(from, task_.grid.first), high, std::min(high, (kept_end_ - 1) / k)};
    }

    /// The tables of all stretches beyond the kept powers, if they are not too many.
    void add_terms(std::int64_t units, std::int64_t own, std::vector<Table>& wanted) {
        std::vector<std::pair<int, std::int64_t>> terms;
        for (std::int64_t u = 0; u < units; ++u) {
            const std::int64_t from = task_.grid.first + u * own - halo_;
            for (int k = 1; k <= events_.harmonics; ++k) {
                const Used at = used(k, from, width_);
                if (at.low <= at.high && at.kept < at.high) terms.emplace_back(k, from);
            }
        }
        if (static_cast<std::int64_t>(terms.size()) * width_ > most_kept) return;
        terms_.resize(terms.size() * static_cast<std::size_t>(width_));
        for (std::size_t i = 0; i < terms.size(); ++i) {
            float* out = terms_.data() + i * static_cast<std::size_t>(width_);
            wanted.push_back({terms[i].first, terms[i].second, out});
            term_[terms[i]] = out;
        }
    }

    /// Tables by transforms, the photons of each in parts. The parts are added in their order.
    void fill_together(const std::vector<Table>& wanted) {
        const std::size_t floats = plan_.grid_floats(), n = task_.time.size();
        std::vector<AlignedFloats> grids(shared_blocks * shared_parts);
        const auto grid = [&](std::size_t i) { return grids[i].fit(floats); };
        for (std::size_t first = 0; first < wanted.size(); first += shared_blocks) {
            const std::size_t tables = std::min(shared_blocks, wanted.size() - first);
            for_each_in_order(pool_, tables * shared_parts, [&](std::size_t i) {
                const Table& table = wanted[first + i / shared_parts];
                const std::size_t part = i % shared_parts, low = part * n / shared_parts,
                                  high = (part + 1) * n / shared_parts;
                const std::span<const float> weight(task_.weight);
                plan_.spread(std::span(events_.step).subspan(low, high - low),
                             weight.empty() ? weight : weight.subspan(low, high - low), table.harmonic,
                             table.from + plan_.block() / 2, plan_.block(), grid(i));
            });
            for_each_in_order(pool_, tables, [&](std::size_t t) {
                float* sum = grid(t * shared_parts);
                for (std::size_t part = 1; part < shared_parts; ++part) {
                    const float* more = grid(t * shared_parts + part);
                    for (std::size_t i = 0; i < floats; ++i) sum[i] += more[i];
                }
                const Table& table = wanted[first + t];
                finish_nufft(table.harmonic, table.from, sum, table.out);
            });
        }
    }

    struct Buffers {
        AlignedFloats grid, sums, term, z2, h, best;
        std::vector<float> highest, chunk_sum;
    };
    static Buffers& buffers() {
        thread_local Buffers b;
        return b;
    }

    /// What harmonic k adds to Z2 at the grid indices from .. from + width - 1.
    void powers(int k, std::int64_t from, float* out) const {
        switch (evaluator_) {
            case Evaluator::direct:
                return powers_directly(k, from, out);
            case Evaluator::matrix:
                return powers_by_product(k, from, out);
            case Evaluator::nufft:
                return powers_by_nufft(k, from, out);
        }
    }

    /// Whether the window of the GTIs is subtracted from any of the sums.
    bool windowed(int k, std::int64_t from) const {
        return static_cast<double>(k * from) * task_.grid.df < events_.window_fmax;
    }

    void powers_directly(int k, std::int64_t from, float* out) const {
        const float* weight = task_.weight.empty() ? nullptr : task_.weight.data();
        for (std::int64_t i = 0; i < width_; ++i) {
            const timing::Complex sum =
                direct_sum(events_.step.data(), weight, static_cast<std::int64_t>(events_.step.size()),
                           static_cast<std::uint64_t>(k * (from + i))) -
                window(static_cast<double>(k * (from + i)) * task_.grid.df);
            out[i] = static_cast<float>(timing::z2_term(sum.re, sum.im, events_.sum_w2));
        }
    }

    void powers_by_product(int k, std::int64_t from, float* out) const {
        Buffers& b = buffers();
        MatrixJob job{events_.step.data(),
                      task_.weight.empty() ? nullptr : task_.weight.data(),
                      static_cast<std::int64_t>(events_.step.size()),
                      static_cast<std::uint64_t>(k),
                      static_cast<std::uint64_t>(from),
                      width_,
                      scale_,
                      out};
        if (windowed(k, from)) {
            job.re = b.sums.fit(static_cast<std::size_t>(2 * width_));
            job.im = job.re + width_;
        }
        plan_.kernel().matrix(job, b.grid.fit(matrix_floats(job.n, job.count)));
        if (!windowed(k, from)) return;
        for (std::int64_t i = 0; i < width_; ++i) {
            const timing::Complex w = window(static_cast<double>(k * (from + i)) * task_.grid.df);
            const float re = job.re[i] - static_cast<float>(w.re), im = job.im[i] - static_cast<float>(w.im);
            out[i] = scale_ * (re * re + im * im);
        }
    }

    void powers_by_nufft(int k, std::int64_t from, float* out) const {
        float* grid = buffers().grid.fit(plan_.grid_floats());
        const std::int64_t block = plan_.block();
        plan_.spread(events_.step, task_.weight, k, from + block / 2, block, grid);
        finish_nufft(k, from, grid, out);
    }

    /// The powers of photons that were spread over a grid.
    void finish_nufft(int k, std::int64_t from, float* grid, float* out) const {
        if (!windowed(k, from)) return plan_.finish_powers(grid, scale_, out);
        const std::int64_t block = plan_.block();
        float* sums = buffers().sums.fit(plan_.sum_floats());
        plan_.finish(grid, sums);
        for (std::int64_t i = 0; i < width_; ++i) {
            const double f = static_cast<double>(k * (from + i)) * task_.grid.df;
            if (f >= events_.window_fmax) break;
            const timing::Complex w = window(f);
            const std::int64_t lane = i / block, l = i % block;
            sums[2 * l * lanes + lane] -= static_cast<float>(w.re);
            sums[(2 * l + 1) * lanes + lane] -= static_cast<float>(w.im);
        }
        plan_.powers(sums, scale_, out);
    }

    /// What a constant source would show through the GTIs, where that matters.
    timing::Complex window(double f) const {
        if (f >= events_.window_fmax) return {};
        return timing::gti_window(f, task_.gti_start.data(), task_.gti_stop.data(),
                                  static_cast<int>(task_.gti_start.size())) *
               events_.sum_w;
    }

    /// The statistics of the trials at grid indices begin .. begin + own - 1, as far as the grid reaches.
    /// Values start `halo_` trials earlier and end as much later, so that peaks are found without a look at
    /// other stretches; those outside the grid stay below every peak.
    void stretch(std::int64_t begin, std::int64_t own, std::vector<Collected>& found) const {
        Buffers& b = buffers();
        const std::int64_t from = begin - halo_, width = own + 2 * halo_;
        const auto n = static_cast<std::size_t>(width);
        float *z2 = b.z2.fit(n), *h = with_h_ ? b.h.fit(n) : nullptr, *best = b.best.fit(n);
        std::fill_n(z2, n, 0.0f);
        if (with_h_) std::fill_n(h, n, -std::numeric_limits<float>::infinity());
        for (int k = 1; k <= events_.harmonics; ++k) {
            const auto [low, high, kept] = used(k, from, width);
            if (low <= high) {
                const auto add = [&](const float* term, std::int64_t stride, std::int64_t first,
                                     std::int64_t last) {
                    const std::int64_t at = first - from;
                    plan_.kernel().add({term, stride, last - first + 1, static_cast<float>(4 * (k - 1)), k},
                                       z2 + at, h ? h + at : nullptr, best + at);
                };
                if (kept >= low) add(kept_.data() + (k * low - task_.grid.first), k, low, kept);
                if (kept < high) {
                    const auto made = term_.find({k, from});
                    float* term = made != term_.end() ? made->second : b.term.fit(n);
                    if (made == term_.end()) powers(k, from, term);
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
        if (!(highest > 0.0f) || (band >= 0 && static_cast<double>(highest) < bands.threshold(band))) return;
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
    Evaluator evaluator_;
    const ThreadPool& pool_;
    PreparedEvents events_;
    std::int64_t end_, halo_;  ///< end_: grid index after the last trial
    std::int64_t width_;       ///< trials whose powers are computed together
    float scale_;
    bool with_h_ = false;
    std::vector<float> kept_;  ///< powers at the grid indices from the first trial to before kept_end_
    std::int64_t kept_end_ = 0;
    std::vector<float> terms_;                             ///< powers of harmonics beyond them
    std::map<std::pair<int, std::int64_t>, float*> term_;  ///< of a harmonic from a grid index on
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

Evaluator choose_evaluator(const EventTask& task, const NufftPlan& plan, const SearchCosts& costs) {
    const std::int64_t halo = peak_halo(task.grid, task.min_separation), count = task.grid.count,
                       group = lanes * plan.block();
    const auto padded = [&](std::int64_t width) {
        const std::int64_t own = width - 2 * halo;
        return (std::max(count, std::int64_t{1}) + own - 1) / own * width;
    };
    EvaluatorSizes sizes;
    sizes.direct = padded(stretch_width(count, halo, Evaluator::direct));
    sizes.matrix = padded(stretch_width(count, halo, Evaluator::matrix));
    sizes.nufft = padded(group);
    sizes.nufft_groups = sizes.nufft / group;
    return choose_evaluator(task.time.size(), sizes, costs);
}

SearchOutcome search_events(const EventTask& task, const NufftPlan& plan, Evaluator evaluator,
                            const ThreadPool& pool) {
    return EventSearch(task, plan, evaluator, pool).run();
}

}  // namespace xsift::engine
