#pragma once
/// @file
/// A tile of the photon search as a matrix product for tensor cores: what one thread of a block does, on host
/// and device alike. Factors have half precision, sums single precision.
///
/// A tile has `tile_centres` centres and frequencies at (j + 1/2) df on either side of each, as the matrix
/// product of the CPU: with a = w exp(2 pi i f_c t) and b = exp(2 pi i (j + 1/2) df t), the four products of
/// their real and imaginary parts give the sums at both frequencies. Centres are the rows, photons the inner
/// dimension, offsets the columns of products of 16 x 16 with 16 x 8 matrices (mma.sync.m16n8k16); a warp has
/// 16 centres, a thread the elements of each matrix that the instruction gives it.
///
/// What differs between host and device is a parameter, Ops: `turn(phase)` gives cos and sin of a 32-bit
/// phase as a SinglePhasor, `pack(low, high)` two numbers rounded to half precision in one word.

#include <cmath>
#include <cstdint>

#include <xsift/engine/search_kernel.hpp>
#include <xsift/timing/drift.hpp>

namespace xsift::engine {

inline constexpr int tile_warps = 4, tile_threads = 32 * tile_warps;
inline constexpr int tile_centres = 16 * tile_warps, tile_offsets = 64;
inline constexpr int tile_columns = tile_offsets / 8;                        ///< matrices of 8 offsets
inline constexpr std::int64_t tile_width = 2 * tile_centres * tile_offsets;  ///< frequencies
inline constexpr int tile_photons = 64, tile_steps = tile_photons / 16;      ///< photons in fast memory
/// Peaks kept a task and statistic; the host asks again with another threshold when there were more.
inline constexpr std::uint32_t tile_peaks = 1024;

/// A peak as a tile writes it.
struct TilePeak {
    float value;
    std::int32_t harmonics;
    std::int64_t trial;
};

/// One event task as tiles see it. Pointers are to memory that the kernel can reach. Weights are scaled to a
/// mean square of 1, so that half precision holds them.
struct ProductTask {
    const timing::FixedPhase* step = nullptr;    ///< n_photons
    const timing::FixedPhase* offset = nullptr;  ///< n_photons, of phases that drift; null: 0
    timing::DriftTrial drift;
    const float* weight = nullptr;  ///< n_photons, or null: all 1
    float largest_weight = 1.0f;    ///< of their absolute values
    /// Of a light curve: weights (whose sum is 1) times values (mean 0, variance 1); its statistic is the
    /// Lomb-Scargle power. Null for photons.
    const float* weighted_value = nullptr;
    float largest_weighted_value = 1.0f;
    std::int32_t n_photons = 0, halo = 1;
    std::int64_t first = 0, count = 0;  ///< grid index of the first trial, trials
    double df = 0.0, harmonic_fmax = 0.0;
    double sum_w = 0.0, sum_w2 = 0.0;  ///< scaled as the weights
    const double *gti_start = nullptr, *gti_stop = nullptr;
    int n_gti = 0;
    double window_fmax = 0.0;
    int harmonics = 1, n_statistics = 0;
    int statistic_harmonics[max_statistics] = {};
    bool statistic_is_h[max_statistics] = {};
    float threshold[max_statistics] = {};  ///< peaks at or below are not kept
    const std::int64_t* edges = nullptr;   ///< of the bands, trials
    int bands = 0;
    unsigned long long* band_trials = nullptr;  ///< n_statistics x bands x band_depth packed trials
    TilePeak* peaks = nullptr;                  ///< n_statistics x tile_peaks
    std::uint32_t* n_peaks = nullptr;           ///< n_statistics: those above the threshold, kept or not
};

/// One tile: the trials from `begin` on are its own (fewer than tile_width by the halos on either side).
struct Tile {
    std::int32_t task = 0;
    std::int32_t plain_harmonics = -1;  ///< as plain_harmonics() says
    std::int64_t begin = 0;
};
XSIFT_HD inline std::int64_t tile_own(const ProductTask& task) {
    return tile_width - 2 * task.halo;
}

/// Two words of four: the elements of a matrix of 16 photons by 8 offsets that a thread holds.
struct OffsetFragment {
    std::uint32_t cosine[2], sine[2];
};

/// The sums at one frequency.
struct SumPair {
    float re, im;
};

/// Photons of a tile that are in fast memory, and their factors at the offsets.
struct TilePhotons {
    std::uint32_t base[tile_photons];     ///< phase at the first centre
    std::uint32_t between[tile_photons];  ///< from a centre to the next
    std::uint32_t step[tile_photons], half[tile_photons];
    float weight[tile_photons];
    SinglePhasor eight_offsets[tile_photons], eight_centres[tile_photons];  ///< turns over eight of each
    union {
        OffsetFragment offset[tile_steps][tile_columns][32];
        alignas(16) std::uint32_t cores[tile_steps][2][tile_columns][2][32];  ///< OffsetCores of each step
        SumPair pending[8][tile_threads];                                     ///< when the products are done
    };
};

/// Where the value at a position of the tile stands. The two frequencies on either side of a centre are in
/// one row; rows are eight places more apart than they are long, so that the threads of a warp, which have
/// eight rows of the same columns, store to different banks.
inline constexpr int tile_row = 2 * tile_offsets, tile_row_gap = 8;
inline constexpr int tile_slots = static_cast<int>(tile_width) / tile_row * (tile_row + tile_row_gap);
XSIFT_HD inline int tile_slot(int at) {
    return at + at / tile_row * tile_row_gap;
}

/// The statistics of a tile's frequencies, each at its tile_slot.
struct TileValues {
    alignas(16) float z2[tile_slots], h[tile_slots];
    alignas(16) std::uint8_t best[tile_slots];
};

/// One statistic of a tile by position.
struct TileView {
    const float* value;
    XSIFT_HD TileView(const ProductTask& task, int s, const TileValues& values)
        : value(task.statistic_is_h[s] ? values.h : values.z2) {}
    XSIFT_HD float operator[](std::int64_t at) const { return value[tile_slot(static_cast<int>(at))]; }
};

/// A photon on its way into fast memory.
struct LoadedPhoton {
    timing::FixedPhase step, offset;
    float weight;
};

/// Photon p (0 <= p < tile_photons) of those from `from` on for harmonic k; a weight of 0 beyond the last.
XSIFT_HD inline LoadedPhoton load_photon(const ProductTask& task, int k, std::int32_t from, int p) {
    const std::int32_t j = from + p;
    if (j >= task.n_photons) return {0, 0, 0.0f};
    const auto harmonic = static_cast<timing::FixedPhase>(k);
    return {task.step[j] * harmonic, task.offset ? task.offset[j] * harmonic : 0,
            task.weight ? task.weight[j] : 1.0f};
}

/// Puts photon p into fast memory: part 0 its phases, part 1 the turns over eight offsets and centres, so
/// that two threads share the work.
template <typename Ops>
XSIFT_HD inline void place_photon(TilePhotons& to, const ProductTask& task, std::int64_t tile_begin,
                                  const LoadedPhoton& photon, int p, int part) {
    const timing::FixedPhase step = photon.step,
                             between = step * static_cast<timing::FixedPhase>(2 * tile_offsets);
    if (part == 1) {
        to.eight_offsets[p] = Ops::turn(static_cast<std::uint32_t>(step * 8 >> 32));
        to.eight_centres[p] = Ops::turn(static_cast<std::uint32_t>(between * 8 >> 32));
        return;
    }
    // Half a step, of a turn taken as signed: twice it is the step again, modulo one turn.
    const auto half = static_cast<timing::FixedPhase>(static_cast<std::int64_t>(step) >> 1);
    const std::int64_t centre = task.first + tile_begin - task.halo + tile_offsets - 1;
    to.base[p] = static_cast<std::uint32_t>(
        (step * static_cast<timing::FixedPhase>(centre) + half + photon.offset) >> 32);
    to.between[p] = static_cast<std::uint32_t>(between >> 32);
    to.step[p] = static_cast<std::uint32_t>(step >> 32);
    to.half[p] = static_cast<std::uint32_t>(half >> 32);
    to.weight[p] = photon.weight;
}

/// Photon of a step that a thread holds at word w, half h: the layout of mma.m16n8k16.
XSIFT_HD inline int fragment_photon(int lane, int word, int half) {
    return 2 * (lane % 4) + half + 8 * word;
}

/// Columns whose factors follow from each other by rotation, which costs less than a sine and a cosine each.
inline constexpr int columns_in_turn = 4;
/// Units of work on the factors of `steps` steps.
XSIFT_HD inline int offset_units(int steps) {
    return steps * (tile_columns / columns_in_turn);
}

/// Factors at the offsets: columns_in_turn matrices of a step, unit 0 <= unit < offset_units(steps).
/// put(step, column, fragment) takes each.
template <typename Ops, typename Put>
XSIFT_HD inline void make_offset_factors(const TilePhotons& photons, int unit, int lane, const Put& put) {
    constexpr int turns = tile_columns / columns_in_turn;
    const int s = unit / turns, first = unit % turns * columns_in_turn;
    const auto j = static_cast<std::uint32_t>(8 * first + lane / 4);
    SinglePhasor at[2][2], eight[2][2];
    for (int word = 0; word < 2; ++word)
        for (int half = 0; half < 2; ++half) {
            const int p = 16 * s + fragment_photon(lane, word, half);
            at[word][half] = Ops::turn(photons.half[p] + j * photons.step[p]);
            eight[word][half] = photons.eight_offsets[p];
        }
    for (int column = first; column < first + columns_in_turn; ++column) {
        OffsetFragment fragment;
        for (int word = 0; word < 2; ++word) {
            fragment.cosine[word] = Ops::pack(at[word][0].cosine, at[word][1].cosine);
            fragment.sine[word] = Ops::pack(at[word][0].sine, at[word][1].sine);
            for (int half = 0; half < 2; ++half) at[word][half] = at[word][half] * eight[word][half];
        }
        put(s, column, fragment);
    }
}
template <typename Ops>
XSIFT_HD inline void make_offset_fragments(TilePhotons& to, int unit, int lane) {
    make_offset_factors<Ops>(to, unit, lane, [&](int s, int column, const OffsetFragment& fragment) {
        to.offset[s][column][lane] = fragment;
    });
}

/// Factors at the centres that a thread holds in step s.
struct CentreFragment {
    std::uint32_t cosine[4], sine[4];
};
template <typename Ops>
XSIFT_HD inline CentreFragment make_centre_fragment(const TilePhotons& photons, int warp, int lane, int s) {
    CentreFragment fragment;
    const auto row = static_cast<std::uint32_t>(16 * warp + lane / 4);
    // Words 0 and 1: rows g and g + 8 of the first eight photons; 2 and 3: of the others.
    for (int word = 0; word < 4; word += 2) {
        const int p = 16 * s + fragment_photon(lane, word / 2, 0), q = p + 1;
        const float of_p = photons.weight[p], of_q = photons.weight[q];
        SinglePhasor low = Ops::turn(photons.base[p] + row * photons.between[p]),
                     high = Ops::turn(photons.base[q] + row * photons.between[q]);
        low = {of_p * low.cosine, of_p * low.sine};
        high = {of_q * high.cosine, of_q * high.sine};
        fragment.cosine[word] = Ops::pack(low.cosine, high.cosine);
        fragment.sine[word] = Ops::pack(low.sine, high.sine);
        low = low * photons.eight_centres[p];
        high = high * photons.eight_centres[q];
        fragment.cosine[word + 1] = Ops::pack(low.cosine, high.cosine);
        fragment.sine[word + 1] = Ops::pack(low.sine, high.sine);
    }
    return fragment;
}

/// The four products that a thread holds of 16 centres by 8 offsets: centre x offset.
struct ProductFragment {
    float cc[4], cs[4], sc[4], ss[4];
};

/// A harmonic as it is added to all frequencies of a tile alike.
struct PlainHarmonic {
    int k;
    float scale;  ///< 2 / sum of w^2

    XSIFT_HD PlainHarmonic(const ProductTask& task, int harmonic)
        : k(harmonic), scale(static_cast<float>(2.0 / task.sum_w2)) {}
    XSIFT_HD float power(SumPair sums) const { return scale * (sums.re * sums.re + sums.im * sums.im); }
};

/// A harmonic that some frequencies of a tile may lack, or for which the window of the intervals matters.
struct TileHarmonic : PlainHarmonic {
    std::int64_t first;         ///< trial of the lowest frequency; may be below 0
    std::int64_t low, high;     ///< positions of the trials that have the harmonic: [low, high)
    std::int64_t windowed = 0;  ///< positions below: the window of the good time intervals matters

    XSIFT_HD TileHarmonic(const ProductTask& task, std::int64_t tile_begin, int harmonic)
        : PlainHarmonic(task, harmonic), first(tile_begin - task.halo) {
        const std::int64_t last = last_harmonic_index(task.harmonic_fmax, task.df, k) - task.first,
                           end = last < task.count - 1 ? last + 1 : task.count;
        low = first < 0 ? -first : 0;
        high = end - first < tile_width ? end - first : tile_width;
        const double of_window = task.window_fmax / (task.df * k) - static_cast<double>(task.first + first);
        windowed = of_window <= 0.0          ? 0
                   : of_window >= tile_width ? tile_width
                                             : static_cast<std::int64_t>(of_window) + 1;
    }
    /// Never false for the first harmonic.
    XSIFT_HD bool any() const { return high > low; }
    /// All frequencies are treated alike.
    XSIFT_HD bool plain() const { return low == 0 && high == tile_width && windowed == 0; }
};

/// How many harmonics of a tile are added to all of its frequencies alike, when the others are added to none;
/// -1 when it is not as simple.
inline std::int32_t plain_harmonics(const ProductTask& task, std::int64_t tile_begin) {
    for (int k = 1; k <= task.harmonics; ++k) {
        const TileHarmonic harmonic(task, tile_begin, k);
        if (!harmonic.any()) return k - 1;
        if (!harmonic.plain()) return -1;
    }
    return task.harmonics;
}

/// Sets the value of a place to that before the first harmonic.
XSIFT_HD inline void clear_value(TileValues& values, int slot) {
    values.z2[slot] = 0.0f;
    values.h[slot] = -1e30f;
    values.best[slot] = 1;
}

/// Adds what harmonic k adds at a place of the tile.
template <bool with_h>
XSIFT_HD inline void add_power(const PlainHarmonic& harmonic, int slot, float power, TileValues& values) {
    const float z2 = values.z2[slot] + power;
    values.z2[slot] = z2;
    if constexpr (with_h) {
        const float h = z2 - 4.0f * static_cast<float>(harmonic.k - 1);
        if (h > values.h[slot]) {
            values.h[slot] = h;
            values.best[slot] = static_cast<std::uint8_t>(harmonic.k);
        }
    }
}

/// What a harmonic adds to a place. The first harmonic finds nothing there: nothing has to be cleared before.
template <bool is_first, bool with_h>
XSIFT_HD inline void put_power(const PlainHarmonic& harmonic, int slot, float power, TileValues& values) {
    if constexpr (is_first) {
        values.z2[slot] = power;
        if constexpr (with_h) {
            values.h[slot] = power;
            values.best[slot] = 1;
        }
    } else {
        add_power<with_h>(harmonic, slot, power, values);
    }
}

/// What the good time intervals show of a constant source at f, the frequency of harmonic k, Hz.
XSIFT_HD inline timing::Complex constant_sum(const ProductTask& task, double f, int k) {
    const timing::Complex window = task.drift.any()
                                       ? timing::drift_window(f, k * task.drift.fdot(f / k), task.gti_start,
                                                              task.gti_stop, nullptr, task.n_gti)
                                       : timing::gti_window(f, task.gti_start, task.gti_stop, task.n_gti);
    return window * task.sum_w;
}

/// What a harmonic adds at a position where it may be missing or the window of the intervals matters.
XSIFT_HD inline void add_rare(const ProductTask& task, const TileHarmonic& harmonic, int at, SumPair sums,
                              TileValues& values) {
    if (harmonic.k == 1) clear_value(values, tile_slot(at));
    if (at < harmonic.low || at >= harmonic.high) return;
    const double f = static_cast<double>((task.first + harmonic.first + at) * harmonic.k) * task.df;
    if (at < harmonic.windowed && f < task.window_fmax) {
        const timing::Complex w = constant_sum(task, f, harmonic.k);
        sums.re -= static_cast<float>(w.re);
        sums.im -= static_cast<float>(w.im);
    }
    add_power<true>(harmonic, tile_slot(at), harmonic.power(sums), values);
}

/// The sums above and below a centre that element i of the products gives.
XSIFT_HD inline SumPair sums_above(const ProductFragment& p, int i) {
    return {p.cc[i] - p.ss[i], p.cs[i] + p.sc[i]};
}
XSIFT_HD inline SumPair sums_below(const ProductFragment& p, int i) {
    return {p.cc[i] + p.ss[i], p.sc[i] - p.cs[i]};
}

/// Row of a thread's elements 0 and 1 (2 and 3: eight rows on), and its first offset of a column.
XSIFT_HD inline int product_row(int warp, int lane) {
    return 16 * warp + lane / 4;
}
XSIFT_HD inline int product_offset(int lane, int column) {
    return 8 * column + 2 * (lane % 4);
}

/// Adds all that a thread holds of column `column`. What is the same for all threads is a template argument,
/// so that the columns follow each other without branches.
/// @tparam is_first the first harmonic
/// @tparam with_h a statistic of the task is the H-test
template <bool is_first, bool with_h>
XSIFT_HD inline void add_products(const PlainHarmonic& harmonic, int warp, int lane, int column,
                                  const ProductFragment& p, TileValues& values) {
    const int offset = product_offset(lane, column);
    for (int i = 0; i < 4; i += 2) {  // two offsets of one centre
        const int middle = (product_row(warp, lane) + 4 * i) * (tile_row + tile_row_gap) + tile_offsets;
        const auto put = [&](int slot, SumPair sums) {
            put_power<is_first, with_h>(harmonic, slot, harmonic.power(sums), values);
        };
        put(middle + offset, sums_above(p, i));  // pairs of places, so that they are stored as one
        put(middle + offset + 1, sums_above(p, i + 1));
        put(middle - 2 - offset, sums_below(p, i + 1));
        put(middle - 1 - offset, sums_below(p, i));
    }
}

/// The same where frequencies are not treated alike. Sums wait in `photons.pending`, so that a loop does what
/// is long.
XSIFT_HD inline void add_rare_products(const ProductTask& task, const TileHarmonic& harmonic, int warp,
                                       int lane, int column, const ProductFragment& p, TilePhotons& photons,
                                       TileValues& values) {
    const int thread = 32 * warp + lane;
    for (int i = 0; i < 4; ++i) {
        photons.pending[2 * i][thread] = sums_above(p, i);
        photons.pending[2 * i + 1][thread] = sums_below(p, i);
    }
    for (int e = 0; e < 8; ++e) {
        const int i = e / 2, offset = product_offset(lane, column) + i % 2,
                  middle = (product_row(warp, lane) + 8 * (i / 2)) * tile_row + tile_offsets;
        add_rare(task, harmonic, e % 2 == 0 ? middle + offset : middle - 1 - offset,
                 photons.pending[e][thread], values);
    }
}

/// What a thread finds among the trials of one statistic that it looks after.
struct TileShare {
    float sum = 0.0f, highest = 0.0f;
};

/// Own trials of a tile, as positions in its values: [begin, end).
XSIFT_HD inline int own_begin(const ProductTask& task) {
    return task.halo;
}
XSIFT_HD inline int own_end(const ProductTask& task, std::int64_t tile_begin) {
    const std::int64_t left = task.count - tile_begin, own = tile_own(task);
    return task.halo + static_cast<int>(left < own ? left : own);
}

/// Four values of a tile that a thread reads at once; 0 (which no statistic undercuts) in place of those that
/// are not the tile's own.
struct TileFour {
    float value[4], highest;

    XSIFT_HD TileFour(const TileView& view, int at, int begin, int end) {
        const float* from = view.value + tile_slot(at);
        for (int i = 0; i < 4; ++i) value[i] = from[i];
        if (at < begin || at + 4 > end)
            for (int i = 0; i < 4; ++i)
                if (at + i < begin || at + i >= end) value[i] = 0.0f;
        highest = fmaxf(fmaxf(value[0], value[1]), fmaxf(value[2], value[3]));
    }
    XSIFT_HD float sum() const { return (value[0] + value[1]) + (value[2] + value[3]); }
};

/// First pass over a statistic by one of `threads` threads: sums, and offer(peak) for every peak above the
/// threshold.
template <typename Offer>
XSIFT_HD inline TileShare scan_values(const ProductTask& task, std::int64_t tile_begin, int s,
                                      const TileValues& values, int thread, int threads, const Offer& offer) {
    const TileView view(task, s, values);
    const float threshold = task.threshold[s];
    const int begin = own_begin(task), end = own_end(task, tile_begin);
    TileShare share;
    for (int at = 4 * thread; at < end; at += 4 * threads) {
        const TileFour four(view, at, begin, end);
        share.sum += four.sum();
        share.highest = fmaxf(share.highest, four.highest);
        if (!(four.highest > threshold)) continue;
        for (int i = 0; i < 4; ++i)
            if (four.value[i] > threshold && is_peak(view, tile_width, at + i, task.halo))
                offer(TilePeak{
                    four.value[i],
                    task.statistic_is_h[s] ? values.best[tile_slot(at + i)] : task.statistic_harmonics[s],
                    tile_begin - task.halo + at + i});
    }
    return share;
}

/// The bands in which a tile's own trials lie.
struct TileBands {
    int low, high, bands;
    XSIFT_HD TileBands(const ProductTask& task, std::int64_t tile_begin)
        : low(band_of(tile_begin, task.edges, task.bands)),
          high(band_of(tile_begin + own_end(task, tile_begin) - task.halo - 1, task.edges, task.bands)),
          bands(task.bands) {}
    XSIFT_HD bool one() const { return low == high; }
    XSIFT_HD bool any() const { return bands > 0 && high >= 0 && low < bands; }
};

/// Second pass: offer(band, packed trial of the task) for the trials of the tile that may be among the
/// highest of their band: those of at least `least`, which is 0 where the tile lies in several bands.
template <typename Offer>
XSIFT_HD inline void offer_bands(const ProductTask& task, std::int64_t tile_begin, int s,
                                 const TileBands& bands, const TileValues& values, int thread, int threads,
                                 float least, const Offer& offer) {
    const TileView view(task, s, values);
    const int begin = own_begin(task), end = own_end(task, tile_begin);
    const std::int64_t first = tile_begin - task.halo;
    for (int at = 4 * thread; at < end; at += 4 * threads) {
        const TileFour four(view, at, begin, end);
        if (!(four.highest > 0.0f && four.highest >= least)) continue;
        for (int i = 0; i < 4; ++i) {
            if (!(four.value[i] > 0.0f && four.value[i] >= least)) continue;
            const std::int64_t trial = first + at + i;
            const int band = bands.one() ? bands.low : band_of(trial, task.edges, task.bands);
            if (band >= 0 && band < task.bands)
                offer(band, packed_trial(four.value[i], static_cast<std::uint32_t>(trial)));
        }
    }
}

/// How many of n peaks come before peak i: higher ones, of equals those of lower trials.
XSIFT_HD inline int peak_rank(const TilePeak* peaks, int n, int i) {
    const TilePeak own = peaks[i];
    int rank = 0;
    for (int j = 0; j < n; ++j)
        rank +=
            peaks[j].value > own.value || (peaks[j].value == own.value && peaks[j].trial < own.trial) ? 1 : 0;
    return rank;
}

/// What a thread of many adds to the sum over the photons in double at a grid index: every `threads`-th
/// photon.
XSIFT_HD inline timing::Complex exact_share(const ProductTask& task, std::uint64_t index, int k, int thread,
                                            int threads) {
    timing::Complex sum;
    for (std::int32_t j = thread; j < task.n_photons; j += threads) {
        const timing::FixedPhase phase = task.step[j] * index + (task.offset ? task.offset[j] : 0);
        const timing::Phasor p = timing::phasor(phase * static_cast<timing::FixedPhase>(k));
        const double w = task.weight ? static_cast<double>(task.weight[j]) : 1.0;
        sum = sum + timing::Complex{w * p.cosine, w * p.sine};
    }
    return sum;
}

/// What harmonic k adds to Z2 of a trial in double, given the sum over the photons.
XSIFT_HD inline double exact_term(const ProductTask& task, std::int64_t trial, int k, timing::Complex sum) {
    const std::int64_t index = task.first + trial;
    if (index > last_harmonic_index(task.harmonic_fmax, task.df, k)) return 0.0;
    const double f = static_cast<double>(index * k) * task.df;
    if (f < task.window_fmax) sum = sum - constant_sum(task, f, k);
    return timing::z2_term(sum.re, sum.im, task.sum_w2);
}

/// What a thread of many adds to the sums of a light curve in double at a grid index.
XSIFT_HD inline timing::LombScargleSums<double> exact_curve_share(const ProductTask& task,
                                                                  std::uint64_t index, int thread,
                                                                  int threads) {
    timing::LombScargleSums<double> sums;
    sums.c2 = 0.0;
    for (std::int32_t j = thread; j < task.n_photons; j += threads) {
        const timing::Phasor one = timing::phasor(task.step[j] * index),
                             two = timing::phasor(task.step[j] * (2 * index));
        const auto w = static_cast<double>(task.weight[j]), wy = static_cast<double>(task.weighted_value[j]);
        add_bin(sums, w, wy, one, two);
    }
    return sums;
}

/// Photons times harmonics of a tile: what it costs.
inline double tile_cost(const ProductTask& task, std::int64_t tile_begin) {
    int harmonics = 0;
    while (harmonics < task.harmonics && TileHarmonic(task, tile_begin, harmonics + 1).any()) ++harmonics;
    return static_cast<double>(harmonics) * (static_cast<double>(task.n_photons) + 100.0);
}

}  // namespace xsift::engine
