// The kernels of the searches by tiles, whole, on a block of host threads: barriers, atomics, shared memory
// and the order of things are the device's; arithmetic and matrix instruction are the host's.
#include "emulated_block.hpp"
#include "emulated_warpgroup.hpp"
#include "exact_body.cuh"
#include "half_precision.hpp"
#include "product_body.cuh"
#include "search_tasks.hpp"
#include "transform_body.cuh"
#include "warpgroup_body.cuh"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/oracle_search.hpp>

namespace xsift::cuda {
namespace {

using engine::band_depth;
using engine::EventTask;
using engine::tile_peaks;
using Kind = timing::Statistic::Kind;

struct BlockOps : test::HostOps {
    static void add(std::int32_t* cell, std::int32_t value) { atomicAdd(cell, value); }
    static void multiply_add(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
        test::multiply_in_warp(d, a, b, test::host_mma);
    }
};

struct WarpgroupOps : BlockOps {
    inline static const unsigned char* fast_memory = nullptr;  ///< what its addresses count from
    static void begin(TileSums&) {}
    static void multiply_add(TileSums& sums, const engine::CentreFragment& a,
                             const engine::OffsetCores& offsets) {
        const auto address =
            static_cast<std::uint32_t>(reinterpret_cast<const unsigned char*>(&offsets) - fast_memory);
        const test::DescribedMatrix cores(engine::matrix_descriptor(address), fast_memory);
        multiply_add(sums, a.cosine, cores, &ProductFragment::cc, &ProductFragment::cs);
        multiply_add(sums, a.sine, cores, &ProductFragment::sc, &ProductFragment::ss);
    }
    static void end() {}
    static void wait_for_all_but_one() {}
    static void finish(TileSums&) {}

  private:
    using Part = float (ProductFragment::*)[4];
    static void multiply_add(TileSums& sums, const std::uint32_t (&a)[4], const test::DescribedMatrix& b,
                             Part with_cosines, Part with_sines) {
        float d[16][4] = {};
        test::multiply_in_warpgroup(d, a, b);
        for (int group = 0; group < 16; ++group)
            for (int i = 0; i < 4; ++i)
                (sums.column[group % 8].*(group < 8 ? with_cosines : with_sines))[i] += d[group][i];
    }
};

/// A task in memory that a kernel can reach, and what kernels find.
class EmulatedTask {
  public:
    explicit EmulatedTask(const EventTask& task, timing::DriftTrial drift = {})
        : source_(task), events_(task), drift_(drift) {
        const double rms = std::sqrt(events_.sum_w2 / static_cast<double>(task.time.size()));
        for (const float w : task.weight) weight_.push_back(static_cast<float>(static_cast<double>(w) / rms));
        const std::size_t statistics = task.statistics.size(), bands = task.band_edges.size() - 1;
        bands_.assign(statistics * bands * band_depth, 0);
        peaks_.resize(statistics * tile_peaks);
        n_peaks_.assign(statistics, 0);
        task_ = engine::product_task(task, events_.sum_w, events_.sum_w2, rms);
        for (std::size_t j = 0; j < task.time.size(); ++j) {
            const timing::DriftedPhase phase = timing::drifted_phase(task.grid.df, task.time[j], drift);
            step_.push_back(phase.step);
            offset_.push_back(phase.offset);
        }
        task_.step = step_.data();
        task_.offset = drift.any() ? offset_.data() : nullptr;
        task_.drift = drift;
        task_.weight = weight_.empty() ? nullptr : weight_.data();
        if (!weight_.empty()) task_.largest_weight = *std::max_element(weight_.begin(), weight_.end());
        task_.gti_start = task.gti_start.data();
        task_.gti_stop = task.gti_stop.data();
        for (std::size_t s = 0; s < statistics; ++s) {
            task_.threshold[s] = 4.0f;
            slots_.push_back({0, static_cast<std::int32_t>(s), task.max_peaks});
        }
        task_.edges = task.band_edges.data();
        task_.band_trials = bands_.data();
        task_.peaks = peaks_.data();
        task_.n_peaks = n_peaks_.data();
        for (std::int64_t begin = 0; begin < task_.count; begin += engine::tile_own(task_))
            tiles_.push_back({0, engine::plain_harmonics(task_, begin), begin});
        sums_.assign(tiles_.size() * statistics, -1e30);
    }

    template <typename Products = WarpProducts<BlockOps>>
    void search_by_product() {
        const auto shared = std::make_unique<SharedTile>();
        WarpgroupOps::fast_memory = reinterpret_cast<const unsigned char*>(shared.get());
        test::run_block(engine::tile_threads, [&](int thread) {
            cuda::search_by_product<Products>(*shared, thread, &task_, tiles_.data(), n_tiles(), &next_,
                                              sums_.data(), static_cast<unsigned>(slots_.size()));
        });
    }

    void search_by_transform() {
        std::vector<std::int32_t> photons(engine::transform_size);
        std::vector<float> scale(static_cast<std::size_t>(task_.harmonics));
        const std::vector<float> correction = engine::transform_correction();
        for (unsigned block = 0; block < scale.size(); ++block) {
            std::int32_t most = 0;
            test::run_block(engine::transform_threads, [&](int thread) {
                find_load(photons.data(), most, thread, block, &task_, task_.harmonics, scale.data());
            });
        }
        const auto shared = std::make_unique<SharedTransform>();
        test::run_block(engine::transform_threads, [&](int thread) {
            cuda::search_by_transform<BlockOps>(*shared, thread, &task_, task_.harmonics, scale.data(),
                                                correction.data(), tiles_.data(), n_tiles(), &next_,
                                                sums_.data(), static_cast<unsigned>(slots_.size()));
        });
    }

    /// Sums, peaks, bands and recomputed peaks against the double-precision periodogram.
    void expect_right() {
        const auto truth = this->truth();
        for (std::size_t s = 0; s < truth.size(); ++s) {
            double sum = 0.0;
            for (std::size_t t = 0; t < tiles_.size(); ++t) sum += sums_[t * slots_.size() + s];
            const double wanted = std::accumulate(truth[s].begin(), truth[s].end(), 0.0);
            EXPECT_NEAR(sum, wanted, 1e-3 * wanted);
            ASSERT_LE(n_peaks_[s], tile_peaks);
            for (std::uint32_t i = 0; i < n_peaks_[s]; ++i) {
                const TilePeak& peak = peaks_[s * tile_peaks + i];
                expect_near(peak.value, truth[s][static_cast<std::size_t>(peak.trial)]);
            }
            expect_bands(s, truth[s]);
            expect_recomputed(s, truth[s]);
        }
    }

  private:
    std::vector<std::vector<double>> truth() const {
        if (!drift_.any()) return engine::oracle_periodograms(source_);
        engine::CompositeTask task;
        task.members = {{source_.time, source_.weight, source_.gti_start, source_.gti_stop, {}}};
        task.grid = source_.grid;
        task.drift = {drift_.value, 1, drift_.acceleration};
        task.statistics = source_.statistics;
        auto of_three = engine::oracle_periodograms(task);
        for (auto& values : of_three) values.erase(values.begin(), values.begin() + 2 * task.grid.count);
        return of_three;
    }
    unsigned n_tiles() const { return static_cast<unsigned>(tiles_.size()); }
    static void expect_near(float value, double wanted) {
        EXPECT_NEAR(static_cast<double>(value), wanted, 1e-2 * std::max(1.0, wanted / 10));
    }

    void expect_bands(std::size_t s, const std::vector<double>& truth) const {
        for (std::size_t b = 0; b + 1 < source_.band_edges.size(); ++b) {
            std::vector<double> band(truth.begin() + source_.band_edges[b],
                                     truth.begin() + std::min(source_.band_edges[b + 1], task_.count));
            std::sort(band.begin(), band.end(), std::greater<>());
            for (std::size_t d = 0; d < std::min<std::size_t>(band_depth, band.size()); ++d) {
                const std::uint64_t packed =
                    bands_[(s * (source_.band_edges.size() - 1) + b) * band_depth + d];
                ASSERT_GT(packed, 0u);
                expect_near(engine::value_of_packed(packed), band[d]);
                expect_near(engine::value_of_packed(packed), truth[engine::index_of_packed(packed)]);
            }
        }
    }

    /// The kernels that choose and recompute find the highest peaks that were kept, to the last digits.
    void expect_recomputed(std::size_t s, const std::vector<double>& truth) {
        const int most = source_.max_peaks;
        std::vector<std::int64_t> trials(slots_.size() * static_cast<std::size_t>(most), -1);
        std::vector<ExactPeak> found(trials.size(), ExactPeak{-1, 0.0, 0});
        std::vector<TilePeak> shared(tile_peaks);
        test::run_block(exact_threads, [&](int thread) {
            select_peaks(shared.data(), thread, static_cast<unsigned>(s), &task_, slots_.data(), most,
                         trials.data());
        });
        std::vector<TilePeak> ranked(
            peaks_.begin() + static_cast<std::ptrdiff_t>(s * tile_peaks),
            peaks_.begin() + static_cast<std::ptrdiff_t>(s * tile_peaks + n_peaks_[s]));
        std::sort(ranked.begin(), ranked.end(), [](const TilePeak& a, const TilePeak& b) {
            return a.value != b.value ? a.value > b.value : a.trial < b.trial;
        });
        std::vector<double> numbers(exact_threads);
        for (std::size_t rank = 0; rank < std::min<std::size_t>(ranked.size(), 3); ++rank) {
            const std::size_t block = s * static_cast<std::size_t>(most) + rank;
            EXPECT_EQ(trials[block], ranked[rank].trial);
            test::run_block(exact_threads, [&](int thread) {
                recompute_peak(numbers.data(), thread, static_cast<unsigned>(block), &task_, slots_.data(),
                               most, trials.data(), found.data());
            });
            const double wanted = truth[static_cast<std::size_t>(ranked[rank].trial)];
            EXPECT_NEAR(found[block].value, wanted, 1e-6 * wanted);
            EXPECT_EQ(found[block].trial, ranked[rank].trial);
        }
    }

    const EventTask& source_;
    engine::PreparedEvents events_;
    timing::DriftTrial drift_;
    std::vector<timing::FixedPhase> step_, offset_;
    std::vector<float> weight_;
    ProductTask task_;
    std::vector<StatisticSlot> slots_;
    std::vector<engine::Tile> tiles_;
    std::vector<double> sums_;
    std::vector<unsigned long long> bands_;
    std::vector<TilePeak> peaks_;
    std::vector<std::uint32_t> n_peaks_;
    unsigned next_ = 0;
};

/// Several tiles, of which the middle one is plain, in one band and in several.
TEST(EmulatedKernels, LongListsByTransform) {
    const EventList list = test::photons(150, 4e4, 0.0123, 0.4, 3);
    EventTask task = test::task_of(list, 50'000, 17'000);
    task.statistics = {{Kind::z2, 1}};
    task.band_edges = {0, 17'000};
    EmulatedTask emulated(task);
    emulated.search_by_transform();
    emulated.expect_right();
}

TEST(EmulatedKernels, TransformWithWeightsAndWindow) {
    EventList list = test::photons(70, 4e4, 0.0123, 0.4, 3);
    for (std::size_t i = 0; i < list.size(); ++i)
        list.weight.push_back(0.2f + 0.01f * static_cast<float>(i % 70));
    EventTask task = test::task_of(list, 3, 9000);
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    task.statistics = {{Kind::z2, 1}, {Kind::h, 3}};
    EmulatedTask emulated(task);
    emulated.search_by_transform();
    emulated.expect_right();
}

TEST(EmulatedKernels, FewPhotonsByProduct) {
    const EventList list = test::photons(37, 4e4, 0.0123, 0.4, 3);
    EventTask task = test::task_of(list, 50'000, 17'000);
    task.statistics = {{Kind::z2, 1}};
    task.band_edges = {0, 12'000, 17'000};
    EmulatedTask emulated(task);
    emulated.search_by_product();
    emulated.expect_right();
}

/// Times from the middle of the exposure, as those of a drift.
EventList centred(EventList list) {
    for (auto* times : {&list.time, &list.gti.start, &list.gti.stop})
        for (double& t : *times) t -= 2e4;
    return list;
}

TEST(EmulatedKernels, DriftingFrequenciesByProduct) {
    EventList list = centred(test::photons(50, 4e4, 0.0123, 0.4, 3));
    for (std::size_t i = 0; i < list.size(); ++i)
        list.weight.push_back(0.2f + 0.01f * static_cast<float>(i % 70));
    EventTask task = test::task_of(list, 3, 900);
    task.grid.df = 1.0 / 1.6e5;
    task.min_separation = 1.5 / 4e4;
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    task.statistics = {{Kind::z2, 1}, {Kind::z2, 2}};
    EmulatedTask emulated(task, {7e-9, false});
    emulated.search_by_product();
    emulated.expect_right();
}

TEST(EmulatedKernels, DriftsAndAccelerationsByTransform) {
    const EventList list = centred(test::photons(80, 4e4, 0.0123, 0.4, 3));
    EventTask task = test::task_of(list, 40'000, 9000);
    task.grid.df = 1.0 / 1.6e5;
    task.min_separation = 1.5 / 4e4;
    task.statistics = {{Kind::z2, 1}};
    for (const timing::DriftTrial drift : {timing::DriftTrial{-5e-9, false}, {20.0, true}}) {
        EmulatedTask emulated(task, drift);
        emulated.search_by_transform();
        emulated.expect_right();
    }
}

/// Two turns of photons, the second with fewer steps, and a window.
template <typename Products>
void expect_two_turns_right() {
    const EventList list = test::photons(90, 4e4, 0.0123, 0.4, 3);
    EventTask task = test::task_of(list, 3, 700);
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    task.statistics = {{Kind::z2, 1}, {Kind::h, 2}};
    EmulatedTask emulated(task);
    emulated.search_by_product<Products>();
    emulated.expect_right();
}

TEST(EmulatedKernels, ProductWithTwoTurnsOfPhotonsAndWindow) {
    expect_two_turns_right<WarpProducts<BlockOps>>();
}

TEST(EmulatedKernels, ProductOfWarpgroupsWithTwoTurnsOfPhotonsAndWindow) {
    expect_two_turns_right<WarpgroupProducts<WarpgroupOps>>();
}

/// What no tile holds is recomputed too: fits of several harmonics, near the end of the grid with fewer.
TEST(EmulatedKernels, FitsOfSeveralHarmonicsInDouble) {
    constexpr std::size_t n = 150;
    std::vector<double> time, value, weight;
    RandomStream random(4, 0);
    for (std::size_t j = 0; j < n; ++j) {
        time.push_back(100.0 * (static_cast<double>(j) + 0.4 * random.uniform()));
        value.push_back(2.0 + std::cos(0.004 * time.back()) + 0.5 * random.normal());
        weight.push_back(0.5 + random.uniform());
    }
    engine::LightCurveTask task{time, value, weight, {1.0 / 6e4, 4, 200}, 10, 1e-4, {1, 3}};
    task.harmonic_fmax = 5e-3;
    const auto truth = engine::oracle_periodograms(task);
    const engine::PreparedLightCurve curve(task);
    engine::MultiTermPass pass;
    pass.step = curve.step.data();
    pass.weight = curve.weight.data();
    pass.weighted_value = curve.weighted_value.data();
    pass.n = n;
    pass.first = task.grid.first;
    pass.count = task.grid.count;
    pass.df = task.grid.df;
    pass.harmonic_fmax = task.harmonic_fmax;
    pass.terms = 3;
    pass.n_statistics = 2;
    std::copy(task.terms.begin(), task.terms.end(), pass.statistic_terms);
    std::vector<double> numbers(exact_threads);
    for (const std::int64_t trial : {34, 120, 199})  // three usable harmonics, two, one
        for (const std::size_t s : {0, 1}) {
            ExactPeak found;
            test::run_block(exact_threads, [&](int thread) {
                const ExactPeak own = exact_terms(numbers.data(), thread, pass, static_cast<int>(s), trial);
                if (thread == 0) found = own;
            });
            const double wanted = truth[s][static_cast<std::size_t>(trial)];
            EXPECT_NEAR(found.value, wanted, 1e-6) << trial << " " << s;
            EXPECT_EQ(found.trial, trial);
            EXPECT_EQ(found.harmonics, s == 0 ? 1 : trial == 34 ? 3 : trial == 120 ? 2 : 1);
        }
}

/// Several tiles by groups of warps, with weights.
TEST(EmulatedKernels, FewPhotonsByProductOfWarpgroups) {
    EventList list = test::photons(37, 4e4, 0.0123, 0.4, 3);
    for (std::size_t i = 0; i < list.size(); ++i) list.weight.push_back(0.2f + 0.03f * static_cast<float>(i));
    EventTask task = test::task_of(list, 50'000, 9000);
    task.statistics = {{Kind::z2, 1}};
    task.band_edges = {0, 6000, 9000};
    EmulatedTask emulated(task);
    emulated.search_by_product<WarpgroupProducts<WarpgroupOps>>();
    emulated.expect_right();
}

}  // namespace
}  // namespace xsift::cuda
