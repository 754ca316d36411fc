#pragma once
// Trigonometric sums on a uniform grid by a blocked non-uniform FFT: modulate, spread, FFT, correct.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <xsift/engine/grid_cell.hpp>

namespace xsift::engine {

inline constexpr unsigned nufft_lanes = 8;     ///< blocks processed together
inline constexpr unsigned nufft_width = 8;     ///< cells that a photon is spread over
inline constexpr int nufft_table_rows = 1024;  ///< offsets within a cell at which the kernel is tabulated

/// Photons of one block group: lane l covers the indices around centre + l * stride (in units of `harmonic`
/// steps).
struct NufftSpread {
    const std::uint64_t* step = nullptr;  ///< phase advance of each photon per grid index, fixed point
    const float* weight = nullptr;        ///< null: all 1
    std::int64_t n = 0;
    std::uint64_t harmonic = 0, centre = 0, stride = 0;
    int size = 0, log2_size = 0;            ///< FFT length
    const float* table = nullptr;           ///< kernel: (nufft_table_rows + 1) x nufft_width
    const std::uint64_t* offset = nullptr;  ///< phase of each photon at index 0, fixed point; null: 0
};

/// Which outputs are wanted and how they are corrected.
struct NufftGather {
    const std::int32_t* order;
    const float* correction;
    int n;
};

/// What one harmonic adds to a run of trials: term[i * stride] to trial i.
struct NufftTerms {
    const float* term;
    std::int64_t stride, n;
    float penalty;  ///< what H loses with this harmonic
    int harmonic;
};

/// Offsets on either side of a centre of the matrix product: a centre serves twice as many outputs.
inline constexpr std::int64_t matrix_half_width = 128;

/// The sums, or the powers, of few photons at `count` grid indices (a multiple of 2 matrix_half_width) from
/// `first`, `harmonic` steps apart.
struct MatrixJob {
    const std::uint64_t* step = nullptr;  ///< as in NufftSpread
    const float* weight = nullptr;        ///< null: all 1
    std::int64_t n = 0;
    std::uint64_t harmonic = 0, first = 0;
    std::int64_t count = 0;
    float scale = 0.0f;                  ///< of the powers
    float* power = nullptr;              ///< count: scale |sum|^2, unless re is there
    float *re = nullptr, *im = nullptr;  ///< count: the sums
};
/// Centres for which factors are made: full vectors in every instruction set.
constexpr std::int64_t matrix_padded_centres(std::int64_t count) {
    return (count / (2 * matrix_half_width) + 15) / 16 * 16;
}
/// Floats of the work space of a job.
constexpr std::size_t matrix_floats(std::int64_t n, std::int64_t count) {
    return static_cast<std::size_t>(2 * n * (matrix_padded_centres(count) + matrix_half_width));
}

/// Templates of a model grid folded to the bins of a spectrum: rate = templates x fold, all row-major.
struct GridProduct {
    const float* templates;  ///< n_templates x n_energies
    const float* fold;       ///< n_energies x n_bins
    std::int64_t n_templates, n_energies, n_bins;
    float* rate;               ///< n_templates x n_bins
    std::int64_t rate_stride;  ///< from row to row of rate
};
/// Bins that a panel of the product is wide at most.
inline constexpr std::int64_t grid_product_widest = 48;
/// Floats of the work space of a product: one panel of any instruction set.
constexpr std::size_t grid_product_floats(std::int64_t n_energies) {
    return static_cast<std::size_t>(n_energies * grid_product_widest);
}
/// Cells to fit to one spectrum.
struct GridCells {
    CellData data;                                       ///< arrays filled up to CellCounts::lanes
    const float* rate = nullptr;                         ///< a row a template, filled up with zeros
    std::int64_t rate_stride = 0, first = 0, count = 0;  ///< first: number of the first template
    GridCell* cells = nullptr;                           ///< count
};
/// Floats that the measurement of the highest rate reads and writes.
inline constexpr unsigned peak_floats = 16;

/// Values scanned together.
inline constexpr std::int64_t nufft_chunk = 64;

/// The hot loops for one instruction set. Rows are of lanes: real parts, then imaginary parts.
struct NufftKernel {
    const char* name;
    /// Spreads photons over a grid that is zeroed first.
    void (*spread)(const NufftSpread&, float* grid);
    /// Transforms it; the outputs stay there, in the order of the transform.
    void (*transform)(float* grid, int size, const float* twiddle);
    /// Brings the outputs into their order, corrected.
    void (*gather)(const NufftGather&, const float* grid, float* sums);
    /// out[lane * n + l] = scale |row|^2, rows taken in an order and corrected unless these are null.
    void (*powers)(const NufftGather&, const float* rows, float scale, float* out);
    /// cumulative += term; unless h is null, h = max(h, cumulative - penalty), best the harmonic of it.
    void (*add)(const NufftTerms&, float* cumulative, float* h, float* best);
    /// The highest value (at least 0) and the sum of each chunk.
    void (*scan)(const float* values, std::int64_t n, float* highest, float* sum);
    /// The matrix product; `space` holds matrix_floats.
    void (*matrix)(const MatrixJob&, float* space);
    /// The product of a model grid; `space` holds grid_product_floats.
    void (*grid_product)(const GridProduct&, float* space);
    /// The norm and statistic of each template.
    void (*grid_cells)(const GridCells&);
    /// So many steps of peak_flop operations (multiplications and additions) in registers.
    void (*peak)(std::int64_t steps, float* out);
    double peak_flop;
};
extern const NufftKernel nufft_baseline;
extern const NufftKernel nufft_avx2;
extern const NufftKernel nufft_avx512;
/// The kernels that this processor runs, slowest first.
std::vector<const NufftKernel*> nufft_kernels();
/// The fastest of them.
const NufftKernel& nufft_best();

/// Constants of blocks of one size. Output l of a block (0 <= l < block) is the sum at index centre + l -
/// block/2.
class NufftPlan {
  public:
    explicit NufftPlan(int block, const NufftKernel& kernel = nufft_best());

    int block() const { return block_; }
    /// Floats of the FFT work space and of the sums of one block group.
    std::size_t grid_floats() const { return std::size_t{2} * nufft_lanes * static_cast<std::size_t>(size_); }
    std::size_t sum_floats() const { return std::size_t{2} * nufft_lanes * static_cast<std::size_t>(block_); }

    /// Sums of exp(2 pi i harmonic (centre + lane stride + l - block/2) theta_j), weighted; theta_j = step_j
    /// / 2^64, a photon's phase `offset` (none: 0) added, times the harmonic. `sums` holds for each l the
    /// lanes' real parts, then their imaginary parts.
    void run(std::span<const std::uint64_t> step, std::span<const float> weight, int harmonic,
             std::int64_t centre, std::int64_t stride, float* grid, float* sums,
             std::span<const std::uint64_t> offset = {}) const;
    /// The same in steps: photons spread over a grid (several grids of shares of the photons may be added),
    /// and the sums of it.
    void spread(std::span<const std::uint64_t> step, std::span<const float> weight, int harmonic,
                std::int64_t centre, std::int64_t stride, float* grid) const;
    void finish(float* grid, float* sums) const;
    /// In place of the sums out[lane * block + l] = scale |sum|^2.
    void finish_powers(float* grid, float scale, float* out) const;
    /// scale |sum|^2 of sums that `run` made and the caller has changed.
    void powers(const float* sums, float scale, float* out) const;
    const NufftKernel& kernel() const { return *kernel_; }

  private:
    NufftSpread spread_job(std::span<const std::uint64_t> step, std::span<const float> weight, int harmonic,
                           std::int64_t centre, std::int64_t stride) const;

    const NufftKernel* kernel_;
    int block_, size_, log2_size_;
    std::vector<float> twiddle_, correction_, table_;
    std::vector<std::int32_t> order_;
};

}  // namespace xsift::engine
