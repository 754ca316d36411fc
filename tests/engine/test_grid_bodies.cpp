// The bodies of the device's grid kernels, run on the host at sizes above a tile and a warp.
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/fold_tile.hpp>
#include <xsift/engine/grid_cell.hpp>

namespace xsift::engine {
namespace {

TEST(GridBodies, TiledFoldIsTheMatrixProduct) {
    const FoldShape shape{37, 53, 71};  // none a multiple of the tile
    RandomStream random(1, 0);
    std::vector<float> templates, fold;
    for (std::int64_t i = 0; i < shape.n_templates * shape.n_energies; ++i)
        templates.push_back(static_cast<float>(random.uniform()));
    for (std::int64_t i = 0; i < shape.n_energies * shape.n_bins; ++i)
        fold.push_back(static_cast<float>(random.uniform()));
    std::int64_t compared = 0;
    for (std::int64_t by = 0; by < fold_tile_count(shape.n_templates); ++by)
        for (std::int64_t bx = 0; bx < fold_tile_count(shape.n_bins); ++bx) {
            std::array<std::array<float, fold_tile_side>, fold_tile_side> sum{};
            for (std::int64_t step = 0; step < fold_tile_count(shape.n_energies); ++step) {
                FoldTiles tiles;
                for (int r = 0; r < fold_tile_side; ++r)
                    for (int c = 0; c < fold_tile_side; ++c)
                        load_fold_tiles(tiles, shape, templates.data(), fold.data(), by, bx, step, r, c);
                for (int r = 0; r < fold_tile_side; ++r)
                    for (int c = 0; c < fold_tile_side; ++c)
                        sum[r][c] = fold_tile_product(tiles, r, c, sum[r][c]);
            }
            for (int r = 0; r < fold_tile_side; ++r)
                for (int c = 0; c < fold_tile_side; ++c) {
                    const std::int64_t t = by * fold_tile_side + r, k = bx * fold_tile_side + c;
                    if (t >= shape.n_templates || k >= shape.n_bins) continue;
                    double expected = 0.0;
                    for (std::int64_t e = 0; e < shape.n_energies; ++e)
                        expected += static_cast<double>(templates[t * shape.n_energies + e]) *
                                    static_cast<double>(fold[e * shape.n_bins + k]);
                    EXPECT_NEAR(static_cast<double>(sum[r][c]), expected, 1e-5 * expected);
                    ++compared;
                }
        }
    EXPECT_EQ(compared, shape.n_templates * shape.n_bins);
}

/// What the lanes of a warp do: strided partial sums, then a butterfly that leaves the total in every lane.
struct LaneSum {
    std::int64_t n;
    template <typename Term>
    PairSum operator()(const Term& term) const {
        constexpr int lanes = 32;
        std::array<PairSum, lanes> sum{};
        for (int lane = 0; lane < lanes; ++lane)
            for (std::int64_t k = lane; k < n; k += lanes) {
                const PairSum value = term(k);
                sum[lane].a += value.a;
                sum[lane].b += value.b;
            }
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            const auto before = sum;
            for (int lane = 0; lane < lanes; ++lane) {
                sum[lane].a += before[lane ^ distance].a;
                sum[lane].b += before[lane ^ distance].b;
            }
        }
        for (const PairSum& lane : sum) {
            EXPECT_EQ(lane.a, sum[0].a);  // else the lanes would take different branches
            EXPECT_EQ(lane.b, sum[0].b);
        }
        return sum[0];
    }
};

struct PlainSum {
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

TEST(GridBodies, LanesAgreeAndGiveThePlainSums) {
    for (std::int64_t n : {1, 31, 32, 33, 200}) {
        RandomStream random(2, static_cast<std::uint64_t>(n));
        std::vector<double> counts, background;
        std::vector<float> rate;
        for (std::int64_t k = 0; k < n; ++k) {
            rate.push_back(static_cast<float>(random.uniform()));
            counts.push_back(static_cast<double>(random.poisson(2.0)));
            background.push_back(static_cast<double>(random.poisson(5.0)));
        }
        for (double tb : {0.0, 9e3}) {
            const CellData data{counts.data(), background.data(), 1e3, tb, 1e-12, 1.0, n};
            const GridCell lanes = fit_cell(7, data, rate.data(), LaneSum{n});
            const GridCell plain = fit_cell(7, data, rate.data(), PlainSum{n});
            EXPECT_EQ(lanes.index, 7);
            EXPECT_NEAR(lanes.stat, plain.stat, 1.0 / stat_steps);
            EXPECT_NEAR(lanes.norm / plain.norm, 1.0, 1e-6);
        }
    }
}

TEST(GridBodies, OrderOfCells) {
    EXPECT_TRUE(better_cell({3, 1.0, 5.0}, {1, 1.0, 6.0}));
    EXPECT_TRUE(better_cell({1, 1.0, 5.0}, {3, 1.0, 5.0}));
    EXPECT_FALSE(better_cell({3, 1.0, 5.0}, {1, 1.0, 5.0}));
    EXPECT_TRUE(better_cell({3, 1.0, 5.0}, {1, 1.0, NAN}));
    EXPECT_FALSE(better_cell({1, 1.0, NAN}, {3, 1.0, 5.0}));
    EXPECT_TRUE(better_cell({1, 1.0, NAN}, {3, 1.0, NAN}));
}

}  // namespace
}  // namespace xsift::engine
