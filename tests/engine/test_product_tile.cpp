// The tiles of the tensor-core search, run on the host thread by thread with factors rounded to half
// precision.
#include "half_precision.hpp"
#include "search_tasks.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/oracle_search.hpp>
#include <xsift/engine/product_tile.hpp>
#include <xsift/engine/transform_tile.hpp>

namespace xsift::engine {
namespace {

using test::HostOps;
using Kind = timing::Statistic::Kind;

struct Found {
    std::vector<TilePeak> peaks;
    std::vector<unsigned long long> bands;
    std::vector<float> values;  ///< of the trials, from the tiles that own them
    double sum = 0.0;
};

enum class Way { product, transform };

/// The sums of a tile by the transform, as the threads of a block make them.
class HostTransform {
  public:
    std::vector<SumPair> run(const ProductTask& task, const float* weight, std::int64_t begin, int k,
                             float scale) {
        for (int c = 0; c < transform_size; ++c) clear_cell(*grid_, c);
        for (std::int32_t j = 0; j < task.n_photons; ++j)
            spread_photon<HostOps>(*grid_, task, weight, transform_centre(task, begin), k, scale, j);
        for (int c = 0; c < transform_size; ++c) convert_cell(*grid_, c);
        for (int pass = 0; pass < transform_passes; ++pass)
            for (int b = transform_size / 4; b-- > 0;) transform_butterfly<HostOps>(*grid_, pass, b);
        std::vector<SumPair> sums;
        for (int at = 0; at < tile_width; ++at)
            sums.push_back(transformed_sums(*grid_, correction_.data(), 1.0f / scale, at));
        return sums;
    }

  private:
    std::unique_ptr<TransformGrid> grid_ = std::make_unique<TransformGrid>();
    std::vector<float> correction_ = transform_correction();
};

/// A task as the device gets it, and what its tiles find: the order of things is that of the kernel.
class HostTiles {
  public:
    HostTiles(const EventTask& task, float threshold, Way way = Way::product)
        : source_(task), events_(task), way_(way) {
        const double rms = std::sqrt(events_.sum_w2 / static_cast<double>(task.time.size()));
        for (const float w : task.weight) weight_.push_back(static_cast<float>(static_cast<double>(w) / rms));
        task_ = product_task(task, events_.sum_w, events_.sum_w2, rms);
        task_.step = events_.step.data();
        task_.weight = weight_.empty() ? nullptr : weight_.data();
        if (!weight_.empty()) task_.largest_weight = *std::max_element(weight_.begin(), weight_.end());
        task_.gti_start = task.gti_start.data();
        task_.gti_stop = task.gti_stop.data();
        for (int s = 0; s < task_.n_statistics; ++s) {
            task_.threshold[s] = threshold;
            with_h_ = with_h_ || task_.statistic_is_h[s];
        }
        task_.edges = task.band_edges.data();
        found_.resize(task.statistics.size());
        for (Found& f : found_) {
            f.bands.assign(static_cast<std::size_t>(task_.bands * band_depth), 0);
            f.values.assign(static_cast<std::size_t>(task.grid.count), -1.0f);
        }
    }

    const std::vector<Found>& run() {
        for (std::int64_t begin = 0; begin < task_.count; begin += tile_own(task_)) run_tile(begin);
        return found_;
    }
    const ProductTask& task() const { return task_; }
    int plain_tiles() const { return plain_; }
    int rare_tiles() const { return rare_; }

  private:
    void run_tile(std::int64_t begin) {
        const std::int32_t plain = plain_harmonics(task_, begin);
        (plain >= 0 ? plain_ : rare_) += 1;
        for (int k = 1; k <= task_.harmonics; ++k) {
            const TileHarmonic harmonic(task_, begin, k);
            if (harmonic.any() && way_ == Way::product) add(begin, harmonic, plain >= 0);
            if (harmonic.any() && way_ == Way::transform) add_transformed(begin, harmonic, plain >= 0);
            for (int s = 0; s < task_.n_statistics; ++s)
                if (task_.statistic_harmonics[s] == k) collect(begin, s);
        }
    }

    void add(std::int64_t begin, const TileHarmonic& harmonic, bool plain) {
        ProductFragment sums[tile_warps][tile_columns][32] = {};
        for (std::int32_t from = 0; from < task_.n_photons; from += tile_photons) {
            for (int p = 0; p < tile_photons; ++p)
                for (int part = 0; part < 2; ++part)
                    place_photon<HostOps>(*photons_, task_, begin, load_photon(task_, harmonic.k, from, p), p,
                                          part);
            for (int unit = 0; unit < offset_units(tile_steps); ++unit)
                for (int lane = 0; lane < 32; ++lane) make_offset_fragments<HostOps>(*photons_, unit, lane);
            for (int s = 0; s < tile_steps; ++s)
                for (int warp = 0; warp < tile_warps; ++warp) {
                    std::uint32_t cosine[32][4], sine[32][4];
                    for (int lane = 0; lane < 32; ++lane) {
                        const CentreFragment a = make_centre_fragment<HostOps>(*photons_, warp, lane, s);
                        std::copy_n(a.cosine, 4, cosine[lane]);
                        std::copy_n(a.sine, 4, sine[lane]);
                    }
                    for (int column = 0; column < tile_columns; ++column)
                        multiply(cosine, sine, photons_->offset[s][column], sums[warp][column]);
                }
        }
        for (int warp = 0; warp < tile_warps; ++warp)
            for (int column = 0; column < tile_columns; ++column)
                for (int lane = 0; lane < 32; ++lane)
                    if (plain)
                        add_plain(harmonic, warp, lane, column, sums[warp][column][lane]);
                    else
                        add_rare_products(task_, harmonic, warp, lane, column, sums[warp][column][lane],
                                          *photons_, *values_);
    }

    void add_transformed(std::int64_t begin, const TileHarmonic& harmonic, bool plain) {
        std::vector<std::int32_t> photons(transform_size);
        for (std::int32_t j = 0; j < task_.n_photons; ++j)
            ++photons[static_cast<std::size_t>(
                cell_of(task_.step[j] * static_cast<timing::FixedPhase>(harmonic.k)))];
        std::int32_t most = 0;
        for (int c = 0; c < transform_size; ++c) most = std::max(most, cell_load(photons.data(), c));
        const float scale = fixed_point_scale(most, task_.largest_weight);
        const std::vector<SumPair> sums = transform_.run(task_, task_.weight, begin, harmonic.k, scale);
        for (int at = 0; at < tile_width; ++at) {
            const SumPair of_trial = sums[static_cast<std::size_t>(at)];
            if (!plain)
                add_rare(task_, harmonic, at, of_trial, *values_);
            else if (harmonic.k == 1)
                put_power<true, true>(harmonic, tile_slot(at), harmonic.power(of_trial), *values_);
            else
                put_power<false, true>(harmonic, tile_slot(at), harmonic.power(of_trial), *values_);
        }
    }

    void add_plain(const PlainHarmonic& harmonic, int warp, int lane, int column, const ProductFragment& p) {
        if (harmonic.k == 1 && with_h_)
            add_products<true, true>(harmonic, warp, lane, column, p, *values_);
        else if (harmonic.k == 1)
            add_products<true, false>(harmonic, warp, lane, column, p, *values_);
        else if (with_h_)
            add_products<false, true>(harmonic, warp, lane, column, p, *values_);
        else
            add_products<false, false>(harmonic, warp, lane, column, p, *values_);
    }

    static void multiply(const std::uint32_t (*cosine)[4], const std::uint32_t (*sine)[4],
                         const OffsetFragment* offset, ProductFragment* sums) {
        std::uint32_t b_cosine[32][2], b_sine[32][2];
        float d[4][32][4];
        for (int lane = 0; lane < 32; ++lane) {
            std::copy_n(offset[lane].cosine, 2, b_cosine[lane]);
            std::copy_n(offset[lane].sine, 2, b_sine[lane]);
            std::copy_n(sums[lane].cc, 4, d[0][lane]);
            std::copy_n(sums[lane].cs, 4, d[1][lane]);
            std::copy_n(sums[lane].sc, 4, d[2][lane]);
            std::copy_n(sums[lane].ss, 4, d[3][lane]);
        }
        test::host_mma(d[0], cosine, b_cosine);
        test::host_mma(d[1], cosine, b_sine);
        test::host_mma(d[2], sine, b_cosine);
        test::host_mma(d[3], sine, b_sine);
        for (int lane = 0; lane < 32; ++lane) {
            std::copy_n(d[0][lane], 4, sums[lane].cc);
            std::copy_n(d[1][lane], 4, sums[lane].cs);
            std::copy_n(d[2][lane], 4, sums[lane].sc);
            std::copy_n(d[3][lane], 4, sums[lane].ss);
        }
    }

    void collect(std::int64_t begin, int s) {
        Found& found = found_[static_cast<std::size_t>(s)];
        const TileView value(task_, s, *values_);
        for (std::int64_t at = own_begin(task_); at < own_end(task_, begin); ++at)
            found.values[static_cast<std::size_t>(begin - task_.halo + at)] = value[at];
        std::vector<float> highest;
        for (int thread = 0; thread < tile_threads; ++thread) {
            const TileShare share = scan_values(task_, begin, s, *values_, thread, tile_threads,
                                                [&](const TilePeak& peak) { found.peaks.push_back(peak); });
            found.sum += static_cast<double>(share.sum);
            highest.push_back(share.highest);
        }
        const TileBands bands(task_, begin);
        if (!bands.any()) return;
        float least = 0.0f;
        if (bands.one()) {
            std::vector<float> sorted = highest;
            std::sort(sorted.begin(), sorted.end(), std::greater<>());
            least = std::max(
                sorted[band_depth - 1],
                value_of_packed(found.bands[static_cast<std::size_t>((bands.low + 1) * band_depth - 1)]));
        }
        for (int thread = tile_threads; thread-- > 0;) {
            if (bands.one() && !(highest[static_cast<std::size_t>(thread)] >= least)) continue;
            offer_bands(task_, begin, s, bands, *values_, thread, tile_threads, least,
                        [&](int band, std::uint64_t trial) {
                            keep_in_band(found.bands.data() + band * band_depth, trial,
                                         [](unsigned long long* slot, std::uint64_t offered) {
                                             const std::uint64_t there = *slot;
                                             if (offered > there) *slot = offered;
                                             return there;
                                         });
                        });
        }
    }

    const EventTask& source_;
    PreparedEvents events_;
    Way way_;
    HostTransform transform_;
    std::vector<float> weight_;
    ProductTask task_;
    bool with_h_ = false;
    int plain_ = 0, rare_ = 0;
    std::vector<Found> found_;
    std::unique_ptr<TilePhotons> photons_ = std::make_unique<TilePhotons>();
    std::unique_ptr<TileValues> values_ = poisoned();

    /// Memory is not cleared on a device.
    static std::unique_ptr<TileValues> poisoned() {
        auto values = std::make_unique<TileValues>();
        std::fill(std::begin(values->z2), std::end(values->z2), std::nanf(""));
        std::fill(std::begin(values->h), std::end(values->h), std::nanf(""));
        return values;
    }
};

/// Every trial against the oracle, the peaks and the highest of the bands against plain loops over the tiles'
/// own values.
void expect_right(const EventTask& task, double& square, int& n, Way way = Way::product) {
    HostTiles tiles(task, 0.0f, way);
    const std::vector<Found>& found = tiles.run();
    const auto truth = oracle_periodograms(task);
    for (std::size_t s = 0; s < truth.size(); ++s) {
        const std::vector<float>& values = found[s].values;
        double sum = 0.0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double error =
                (static_cast<double>(values[i]) - truth[s][i]) / std::max(1.0, truth[s][i] / 10);
            ASSERT_LT(std::fabs(error), 1e-2) << s << ' ' << i << ' ' << truth[s][i];
            square += error * error;
            ++n;
            sum += static_cast<double>(values[i]);
        }
        EXPECT_NEAR(found[s].sum, sum, 1e-5 * sum);
        std::vector<std::int64_t> peaks, wanted;
        for (const TilePeak& peak : found[s].peaks) {
            peaks.push_back(peak.trial);
            EXPECT_EQ(peak.value, values[static_cast<std::size_t>(peak.trial)]);
        }
        for (std::int64_t i = 0; i < task.grid.count; ++i)
            if (is_peak(values.data(), task.grid.count, i, tiles.task().halo)) wanted.push_back(i);
        std::sort(peaks.begin(), peaks.end());
        EXPECT_EQ(peaks, wanted);
        for (int b = 0; b < tiles.task().bands; ++b) {
            std::vector<std::uint64_t> packed;
            for (std::int64_t i = task.band_edges[static_cast<std::size_t>(b)];
                 i < std::min(task.band_edges[static_cast<std::size_t>(b) + 1], task.grid.count); ++i)
                if (values[static_cast<std::size_t>(i)] > 0.0f)
                    packed.push_back(
                        packed_trial(values[static_cast<std::size_t>(i)], static_cast<std::uint32_t>(i)));
            std::sort(packed.begin(), packed.end(), std::greater<>());
            packed.resize(band_depth, 0);
            for (int depth = 0; depth < band_depth; ++depth)
                EXPECT_EQ(found[s].bands[static_cast<std::size_t>(b * band_depth + depth)],
                          packed[static_cast<std::size_t>(depth)]);
        }
    }
}

/// Lists of so many photons on grids of so many trials.
void expect_right_at(const std::vector<std::pair<int, int>>& sizes, Way way, int fewest) {
    double square = 0.0;
    int n = 0;
    for (const auto& [photons, count] : sizes) {
        const EventList list = test::photons(static_cast<std::size_t>(photons), 4e4, 0.0123, 0.4, 3);
        EventTask task = test::task_of(list, 50'000 + photons, count);
        task.statistics = {{Kind::z2, 1}, {Kind::z2, 2}};
        expect_right(task, square, n, way);
    }
    EXPECT_LT(std::sqrt(square / n), 1e-3);
    EXPECT_GT(n, fewest);
}

TEST(ProductTile, AgreesWithTheOracleAtUnequalSizes) {
    expect_right_at({{5, 100}, {17, 9000}, {150, 3000}, {333, 1000}}, Way::product, 20'000);
}

TEST(TransformTile, AgreesWithTheOracleAtUnequalSizes) {
    expect_right_at({{5, 100}, {150, 9000}, {4000, 700}}, Way::transform, 18'000);
}

/// Weights, the window of the intervals and a limit of the harmonics.
void expect_right_with_all(std::size_t photons, Way way, double largest_rms) {
    EventList list = test::photons(photons, 4e4, 0.0123, 0.5, 4);
    RandomStream random(9, 0);
    for (std::size_t i = 0; i < list.size(); ++i)
        list.weight.push_back(1e-6f * static_cast<float>(random.uniform()));
    EventTask task = test::task_of(list, 1, 1500);
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    task.harmonic_fmax = 0.02;
    double square = 0.0;
    int n = 0;
    expect_right(task, square, n, way);
    EXPECT_LT(std::sqrt(square / n), largest_rms);
}

TEST(ProductTile, AgreesWithWeightsWindowAndHarmonicLimit) {
    expect_right_with_all(120, Way::product, 2e-3);  // up to 20 harmonics, whose errors add
}

TEST(TransformTile, AgreesWithWeightsWindowAndHarmonicLimit) {
    expect_right_with_all(500, Way::transform, 1e-3);
}

TEST(TransformTile, AFullCellDoesNotOverflow) {
    // All photons at one phase of the grid: the cells that they reach hold the most they can.
    std::vector<double> time;
    for (int i = 0; i < 20'000; ++i) time.push_back(123.4 + 1e-3 * i / 20'000.0);
    EventTask task;
    task.time = time;
    task.grid = {1e-5, 1000, 500};
    task.statistics = {{Kind::z2, 1}};
    task.min_separation = 3e-5;
    task.band_edges = {0, 500};
    double square = 0.0;
    int n = 0;
    expect_right(task, square, n, Way::transform);
    EXPECT_LT(std::sqrt(square / n), 1e-3);
}

TEST(TransformTile, LightCurvesAgreeWithTheDirectSums) {
    RandomStream random(21, 0);
    std::vector<double> time, value, weight;
    for (int i = 0; i < 400; ++i) {
        time.push_back(90.0 * i + 30.0 * random.uniform());
        value.push_back(5.0 + std::sin(0.01 * time.back()) + random.normal());
        weight.push_back(0.5 + random.uniform());
    }
    const LightCurveTask curve{time, value, weight, {1.0 / (4 * 36000.0), 4, 5000}, 30, 1.5 / 36000.0};
    const PreparedLightCurve prepared(curve);
    ProductTask task;
    task.step = prepared.step.data();
    task.weight = prepared.weight.data();
    task.weighted_value = prepared.weighted_value.data();
    task.n_photons = static_cast<std::int32_t>(time.size());
    task.halo = static_cast<std::int32_t>(peak_halo(curve.grid, curve.min_separation));
    task.first = curve.grid.first;
    task.count = curve.grid.count;
    task.df = curve.grid.df;
    task.sum_w2 = 1.0;
    task.harmonic_fmax = std::numeric_limits<double>::infinity();

    HostTransform transform;
    const float scale = fixed_point_scale(400, 0.5f);
    const auto weighted = transform.run(task, task.weighted_value, 0, 1, scale),
               plain = transform.run(task, task.weight, 0, 1, scale),
               twice = transform.run(task, task.weight, 0, 2, scale);
    const TileHarmonic harmonic(task, 0, 1);
    const auto truth = oracle_periodograms(curve);
    double square = 0.0;
    for (int at = 0; at < tile_width; ++at) {
        const auto p = static_cast<std::size_t>(at);
        const float power = curve_power(harmonic, at, {weighted[p], plain[p]}, twice[p]);
        const std::int64_t trial = at - task.halo;
        if (trial < 0 || trial >= task.count) {
            EXPECT_EQ(power, 0.0f);
            continue;
        }
        const double wanted = truth[0][static_cast<std::size_t>(trial)];
        EXPECT_NEAR(static_cast<double>(power), wanted, 2e-5);
        square += (static_cast<double>(power) - wanted) * (static_cast<double>(power) - wanted);
        if (trial % 500 == 0) {
            timing::LombScargleSums<double> sums =
                exact_curve_share(task, static_cast<std::uint64_t>(task.first + trial), 0, 1);
            sums.yy = 1.0;
            EXPECT_NEAR(timing::lomb_scargle_power(sums), wanted, 1e-6);
        }
    }
    EXPECT_LT(std::sqrt(square / 5000.0), 2e-6);
}

TEST(TransformTile, OutputsOfNeighbouringFrequenciesShareNoBanks) {
    for (const int from : {0, 16, 4096, transform_size - 16}) {
        std::vector<int> banks;
        for (int l = from; l < from + 16; ++l) banks.push_back(2 * transform_output(l) % 32);
        std::sort(banks.begin(), banks.end());
        EXPECT_EQ(std::unique(banks.begin(), banks.end()), banks.end()) << from;
    }
}

TEST(ProductTile, RecomputesCandidatesInDouble) {
    const EventList list = test::photons(200, 4e4, 0.0123, 0.5, 5);
    EventTask task = test::task_of(list, 400, 300);
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    HostTiles tiles(task, 0.0f);
    const auto truth = oracle_periodograms(task);
    for (std::int64_t trial = 0; trial < task.grid.count; trial += 13) {
        timing::HTest<double> h;
        for (int k = 1; k <= 20; ++k) {
            timing::Complex sum;
            for (int thread = 0; thread < 128; ++thread)
                sum = sum + exact_share(tiles.task(), static_cast<std::uint64_t>(task.grid.first + trial), k,
                                        thread, 128);
            h.add(exact_term(tiles.task(), trial, k, sum));
        }
        const auto at = static_cast<std::size_t>(trial);
        EXPECT_NEAR(h.h, truth[3][at], 1e-9 * (1 + std::fabs(truth[3][at])));
    }
}

TEST(ProductTile, CountsOnlyPeaksAboveTheThreshold) {
    const EventList list = test::photons(60, 4e4, 0.0123, 0.5, 6);
    EventTask task = test::task_of(list, 4, 2000);
    task.statistics = {{Kind::z2, 1}};
    HostTiles all(task, 0.0f), some(task, 8.0f);
    std::size_t above = 0;
    for (const TilePeak& peak : all.run()[0].peaks) above += peak.value > 8.0f;
    EXPECT_EQ(some.run()[0].peaks.size(), above);
    EXPECT_GT(above, 2u);
}

TEST(ProductTile, PlainAndRareTilesFindTheSame) {
    const EventList list = test::photons(90, 4e4, 0.0123, 0.5, 7);
    EventTask task = test::task_of(list, 5'000, 60'000);
    task.statistics = {{Kind::z2, 1}, {Kind::z2, 3}, {Kind::h, 4}};
    HostTiles tiles(task, 0.0f);
    double square = 0.0;
    int n = 0;
    expect_right(task, square, n);
    tiles.run();
    EXPECT_GE(tiles.plain_tiles(), 5);
    EXPECT_EQ(tiles.rare_tiles(), 2);  // the first and the last
    EXPECT_LT(std::sqrt(square / n), 1e-3);
}

TEST(ProductTile, RanksPeaksByHeightThenTrial) {
    const std::vector<TilePeak> peaks = {{3.0f, 1, 50}, {7.0f, 1, 40}, {3.0f, 1, 20}, {9.0f, 1, 30}};
    std::vector<int> ranks;
    for (int i = 0; i < 4; ++i) ranks.push_back(peak_rank(peaks.data(), 4, i));
    EXPECT_EQ(ranks, (std::vector<int>{3, 1, 2, 0}));
}

TEST(ProductTile, NoTwoThreadsOfAWarpStoreToOneBank) {
    for (int column = 0; column < tile_columns; ++column)
        for (const int half : {0, 16})  // pairs of places: a warp stores them in two goes
            for (const int side : {tile_offsets, -2}) {
                std::vector<int> banks;
                for (int lane = half; lane < half + 16; ++lane) {
                    const int offset = product_offset(lane, column),
                              slot = product_row(0, lane) * (tile_row + tile_row_gap) +
                                     (side > 0 ? tile_offsets + offset : tile_offsets - 2 - offset);
                    banks.push_back(slot % 32);
                    banks.push_back((slot + 1) % 32);
                }
                std::sort(banks.begin(), banks.end());
                EXPECT_EQ(std::unique(banks.begin(), banks.end()), banks.end());
            }
}

TEST(HalfPrecision, RoundsAsTheStandardSays) {
    EXPECT_EQ(test::half_bits(1.0f), 0x3c00);
    EXPECT_EQ(test::half_bits(-2.0f), 0xc000);
    EXPECT_EQ(test::half_bits(65504.0f), 0x7bff);
    EXPECT_EQ(test::half_bits(0x1p-24f), 0x0001);
    EXPECT_EQ(test::half_bits(1.0f + 0x1p-11f), 0x3c00);  // a tie goes to even
    EXPECT_EQ(test::half_bits(1.0f + 3 * 0x1p-11f), 0x3c02);
    RandomStream random(31, 0);
    for (int i = 0; i < 1000; ++i) {
        const auto x = static_cast<float>(2.0 * random.uniform() - 1.0);
        EXPECT_EQ(test::half_value(test::half_bits(x)), test::rounded_to_half(x));
        EXPECT_NEAR(static_cast<double>(test::rounded_to_half(x)), static_cast<double>(x), 0x1p-12);
    }
}

}  // namespace
}  // namespace xsift::engine
