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

#include <cstdint>

#include <xsift/engine/search_kernel.hpp>

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
    const timing::FixedPhase* step = nullptr;  ///< n_photons
    const float* weight = nullptr;             ///< n_photons, or null: all 1
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
    union {
        OffsetFragment offset[tile_steps][tile_columns][32];
        SumPair pending[8][tile_threads];  ///< when the products are done
    };
};

/// The statistics of a tile's frequencies.
struct TileValues {
    float z2[tile_width], h[tile_width];
    std::uint8_t best[tile_width];
};

/// Fetches photon p (0 <= p < tile_photons) of those from `from` on for harmonic k of the tile.
XSIFT_HD inline void fetch_photon(TilePhotons& to, const ProductTask& task, std::int64_t tile_begin, int k,
                                  std::int32_t from, int p) {
    const std::int32_t j = from + p;
    const bool there = j < task.n_photons;
    const timing::FixedPhase step = there ? task.step[j] * static_cast<timing::FixedPhase>(k) : 0;
    // Half a step, of a turn taken as signed: twice it is the step again, modulo one turn.
    const auto half = static_cast<timing::FixedPhase>(static_cast<std::int64_t>(step) >> 1);
    const std::int64_t centre = task.first + tile_begin - task.halo + tile_offsets - 1;
    to.base[p] = static_cast<std::uint32_t>((step * static_cast<timing::FixedPhase>(centre) + half) >> 32);
    to.between[p] =
        static_cast<std::uint32_t>((step * static_cast<timing::FixedPhase>(2 * tile_offsets)) >> 32);
    to.step[p] = static_cast<std::uint32_t>(step >> 32);
    to.half[p] = static_cast<std::uint32_t>(half >> 32);
    to.weight[p] = there ? (task.weight ? task.weight[j] : 1.0f) : 0.0f;
}

/// Photon of a step that a thread holds at word w, half h: the layout of mma.m16n8k16.
XSIFT_HD inline int fragment_photon(int lane, int word, int half) {
    return 2 * (lane % 4) + half + 8 * word;
}

/// Factors at the offsets, fragment number e (0 <= e < tile_steps * tile_columns * 32).
template <typename Ops>
XSIFT_HD inline void make_offset_fragment(TilePhotons& to, int e) {
    const int lane = e % 32, column = e / 32 % tile_columns, s = e / (32 * tile_columns);
    const auto j = static_cast<std::uint32_t>(8 * column + lane / 4);
    OffsetFragment fragment;
    for (int word = 0; word < 2; ++word) {
        const int p = 16 * s + fragment_photon(lane, word, 0), q = p + 1;
        const SinglePhasor low = Ops::turn(to.half[p] + j * to.step[p]),
                           high = Ops::turn(to.half[q] + j * to.step[q]);
        fragment.cosine[word] = Ops::pack(low.cosine, high.cosine);
        fragment.sine[word] = Ops::pack(low.sine, high.sine);
    }
    to.offset[s][column][lane] = fragment;
}

/// Factors at the centres that a thread holds in step s.
struct CentreFragment {
    std::uint32_t cosine[4], sine[4];
};
template <typename Ops>
XSIFT_HD inline CentreFragment make_centre_fragment(const TilePhotons& photons, int warp, int lane, int s) {
    CentreFragment fragment;
    for (int word = 0; word < 4; ++word) {
        // Words 0 and 1: rows g and g + 8 of the first eight photons; 2 and 3: of the others.
        const auto row = static_cast<std::uint32_t>(16 * warp + lane / 4 + 8 * (word % 2));
        const int p = 16 * s + fragment_photon(lane, word / 2, 0), q = p + 1;
        const SinglePhasor low = Ops::turn(photons.base[p] + row * photons.between[p]),
                           high = Ops::turn(photons.base[q] + row * photons.between[q]);
        fragment.cosine[word] = Ops::pack(photons.weight[p] * low.cosine, photons.weight[q] * high.cosine);
        fragment.sine[word] = Ops::pack(photons.weight[p] * low.sine, photons.weight[q] * high.sine);
    }
    return fragment;
}

/// The four products that a thread holds of 16 centres by 8 offsets: centre x offset.
struct ProductFragment {
    float cc[4], cs[4], sc[4], ss[4];
};

/// What is the same for all frequencies of a tile while harmonic k is added.
struct TileHarmonic {
    int k = 1;
    std::int64_t first = 0;          ///< trial of the lowest frequency; may be below 0
    std::int64_t low = 0, high = 0;  ///< positions of the trials that have the harmonic: [low, high)
    std::int64_t windowed = 0;       ///< positions below: the window of the good time intervals matters
    float scale = 0.0f;              ///< 2 / sum of w^2
    bool with_h = false;

    XSIFT_HD TileHarmonic(const ProductTask& task, std::int64_t tile_begin, int harmonic, bool h)
        : k(harmonic),
          first(tile_begin - task.halo),
          scale(static_cast<float>(2.0 / task.sum_w2)),
          with_h(h) {
        const std::int64_t last = last_harmonic_index(task.harmonic_fmax, task.df, k) - task.first,
                           end = last < task.count - 1 ? last + 1 : task.count;
        low = first < 0 ? -first : 0;
        high = end - first < tile_width ? end - first : tile_width;
        const double of_window = task.window_fmax / (task.df * k) - static_cast<double>(task.first + first);
        windowed = of_window <= 0.0          ? 0
                   : of_window >= tile_width ? tile_width
                                             : static_cast<std::int64_t>(of_window) + 1;
    }
    XSIFT_HD bool any() const { return high > low; }
    /// All frequencies are treated alike.
    XSIFT_HD bool plain() const { return low == 0 && high == tile_width && windowed == 0; }
};

/// Adds what a harmonic adds at one frequency of the tile.
XSIFT_HD inline void add_power(const TileHarmonic& harmonic, std::int64_t at, float re, float im,
                               TileValues& values) {
    const float z2 = values.z2[at] + harmonic.scale * (re * re + im * im);
    values.z2[at] = z2;
    if (!harmonic.with_h) return;
    const float h = z2 - 4.0f * static_cast<float>(harmonic.k - 1);
    if (h > values.h[at]) {
        values.h[at] = h;
        values.best[at] = static_cast<std::uint8_t>(harmonic.k);
    }
}

/// The same with everything that is not plain.
XSIFT_HD inline void add_power(const ProductTask& task, const TileHarmonic& harmonic, std::int64_t at,
                               float re, float im, TileValues& values) {
    if (at < harmonic.low || at >= harmonic.high) return;
    const double f = static_cast<double>((task.first + harmonic.first + at) * harmonic.k) * task.df;
    if (at < harmonic.windowed && f < task.window_fmax) {
        const timing::Complex w =
            timing::gti_window(f, task.gti_start, task.gti_stop, task.n_gti) * task.sum_w;
        re -= static_cast<float>(w.re);
        im -= static_cast<float>(w.im);
    }
    add_power(harmonic, at, re, im, values);
}

/// The same for all that a thread holds of column `column`. Where frequencies are not treated alike, sums
/// wait in `photons.pending`, so that a loop does what is rare.
XSIFT_HD inline void add_products(const ProductTask& task, const TileHarmonic& harmonic, int warp, int lane,
                                  int column, const ProductFragment& p, TilePhotons& photons,
                                  TileValues& values) {
    const bool plain = harmonic.plain();
    const int thread = 32 * warp + lane;
    const auto middle = [=](int i) { return (2 * (16 * warp + lane / 4 + 8 * (i / 2)) + 1) * tile_offsets; };
    const auto offset = [=](int i) { return 8 * column + 2 * (lane % 4) + i % 2; };
    for (int i = 0; i < 4; ++i) {
        const int above = middle(i) + offset(i), below = middle(i) - 1 - offset(i);
        const float above_re = p.cc[i] - p.ss[i], above_im = p.cs[i] + p.sc[i], below_re = p.cc[i] + p.ss[i],
                    below_im = p.sc[i] - p.cs[i];
        if (plain) {
            add_power(harmonic, above, above_re, above_im, values);
            add_power(harmonic, below, below_re, below_im, values);
        } else {
            photons.pending[2 * i][thread] = {above_re, above_im};
            photons.pending[2 * i + 1][thread] = {below_re, below_im};
        }
    }
    for (int e = 0; e < 8 && !plain; ++e) {
        const int i = e / 2, at = e % 2 == 0 ? middle(i) + offset(i) : middle(i) - 1 - offset(i);
        const SumPair sums = photons.pending[e][thread];
        add_power(task, harmonic, at, sums.re, sums.im, values);
    }
}

/// Sets the values that a thread looks after to those before the first harmonic.
XSIFT_HD inline void clear_values(TileValues& values, int thread) {
    for (std::int64_t at = thread; at < tile_width; at += tile_threads) {
        values.z2[at] = 0.0f;
        values.h[at] = -1e30f;
        values.best[at] = 1;
    }
}

/// What a thread finds among the trials of one statistic that it looks after.
struct TileShare {
    float sum = 0.0f;
    std::uint64_t highest = 0;  ///< packed, of the tile's own trials by their positions
};

/// Own trials of a tile, as positions in its values: [begin, end).
XSIFT_HD inline std::int64_t own_begin(const ProductTask& task) {
    return task.halo;
}
XSIFT_HD inline std::int64_t own_end(const ProductTask& task, std::int64_t tile_begin) {
    const std::int64_t left = task.count - tile_begin, own = tile_own(task);
    return task.halo + (left < own ? left : own);
}

/// First pass over a statistic: sums, and offer(peak) for every peak above the threshold.
template <typename Offer>
XSIFT_HD inline TileShare scan_values(const ProductTask& task, std::int64_t tile_begin, int s,
                                      const TileValues& values, int thread, const Offer& offer) {
    const bool is_h = task.statistic_is_h[s];
    const float *value = is_h ? values.h : values.z2, threshold = task.threshold[s];
    const std::int64_t end = own_end(task, tile_begin);
    TileShare share;
    float highest = 0.0f;
    std::uint32_t where = 0;
    for (std::int64_t at = own_begin(task) + thread; at < end; at += tile_threads) {
        const float v = value[at];
        share.sum += v;
        if (v > highest) {
            highest = v;
            where = static_cast<std::uint32_t>(at);
        }
        if (v > threshold && is_peak(value, tile_width, at, task.halo))
            offer(TilePeak{v, is_h ? values.best[at] : task.statistic_harmonics[s],
                           tile_begin - task.halo + at});
    }
    if (highest > 0.0f) share.highest = packed_trial(highest, where);
    return share;
}

/// Second pass: offer(band, packed trial of the task) for the trials of the tile that may be among the
/// highest of their band. `least`: of the highest of each thread, the packed band_depth-th, which as many
/// trials reach at least; used where the tile lies in one band.
template <typename Offer>
XSIFT_HD inline void offer_bands(const ProductTask& task, std::int64_t tile_begin, int s,
                                 const TileValues& values, int thread, std::uint64_t least,
                                 const Offer& offer) {
    const float* value = task.statistic_is_h[s] ? values.h : values.z2;
    const std::int64_t begin = own_begin(task), end = own_end(task, tile_begin);
    const std::int64_t first = tile_begin - task.halo;
    const int low = band_of(first + begin, task.edges, task.bands),
              high = band_of(first + end - 1, task.edges, task.bands);
    if (low == high && (low < 0 || low >= task.bands)) return;
    for (std::int64_t at = begin + thread; at < end; at += tile_threads) {
        if (!(value[at] > 0.0f)) continue;
        if (low == high && packed_trial(value[at], static_cast<std::uint32_t>(at)) < least) continue;
        const int band = low == high ? low : band_of(first + at, task.edges, task.bands);
        if (band < 0 || band >= task.bands) continue;
        offer(band, packed_trial(value[at], static_cast<std::uint32_t>(first + at)));
    }
}

/// What a thread of many adds to the sum over the photons in double at a grid index: every `threads`-th
/// photon.
XSIFT_HD inline timing::Complex exact_share(const ProductTask& task, std::uint64_t index, int thread,
                                            int threads) {
    timing::Complex sum;
    for (std::int32_t j = thread; j < task.n_photons; j += threads) {
        const timing::Phasor p = timing::phasor(task.step[j] * index);
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
    if (f < task.window_fmax)
        sum = sum - timing::gti_window(f, task.gti_start, task.gti_stop, task.n_gti) * task.sum_w;
    return timing::z2_term(sum.re, sum.im, task.sum_w2);
}

/// Photons times harmonics of a tile: what it costs.
inline double tile_cost(const ProductTask& task, std::int64_t tile_begin) {
    int harmonics = 0;
    while (harmonics < task.harmonics && TileHarmonic(task, tile_begin, harmonics + 1, false).any())
        ++harmonics;
    return static_cast<double>(harmonics) * (static_cast<double>(task.n_photons) + 100.0);
}

}  // namespace xsift::engine
