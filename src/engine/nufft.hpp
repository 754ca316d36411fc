#pragma once
// Trigonometric sums on a uniform grid by a blocked non-uniform FFT: modulate, spread, FFT, correct.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace xsift::engine {

inline constexpr unsigned nufft_lanes = 8;     ///< blocks processed together
inline constexpr unsigned nufft_width = 8;     ///< cells that a photon is spread over
inline constexpr int nufft_table_rows = 1024;  ///< offsets within a cell at which the kernel is tabulated

/// Photons of one block group: lane l covers the indices around centre + l * stride (in units of `harmonic`
/// steps).
struct NufftSpread {
    const std::uint64_t* step;  ///< phase advance of each photon per grid index, fixed point
    const float* weight;        ///< null: all 1
    std::int64_t n;
    std::uint64_t harmonic, centre, stride;
    int size, log2_size;                    ///< FFT length
    const float* table;                     ///< kernel: (nufft_table_rows + 1) x nufft_width
    const std::uint64_t* offset = nullptr;  ///< phase of each photon at index 0, fixed point; null: 0
};

/// Which outputs are wanted and how they are corrected.
struct NufftGather {
    const std::int32_t* order;
    const float* correction;
    int n;
};

/// The hot loops for one instruction set.
struct NufftKernel {
    const char* name;
    void (*run)(const NufftSpread&, const NufftGather&, const float* twiddle, float* grid, float* sums);
    void (*accumulate)(const float* sums, int n, float scale, float penalty, int harmonic, float* cumulative,
                       float* h, float* best);
};
extern const NufftKernel nufft_baseline;
extern const NufftKernel nufft_avx2;
/// The fastest kernel that this processor runs.
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
    const NufftKernel& kernel() const { return *kernel_; }

  private:
    const NufftKernel* kernel_;
    int block_, size_, log2_size_;
    std::vector<float> twiddle_, correction_, table_;
    std::vector<std::int32_t> order_;
};

}  // namespace xsift::engine
