#include "nufft.hpp"

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/engine/spreading.hpp>

namespace xsift::engine {
namespace {

constexpr SpreadingKernel spreading{static_cast<int>(nufft_width)};

/// Where the transform leaves output k: the digits (4, 4, ..., and a last 2 when log2 is odd) in reverse.
std::int32_t reversed(int k, int size) {
    int position = 0;
    for (int length = size; length > 1;) {
        const int radix = length >= 4 ? 4 : 2;
        length /= radix;
        position += (k % radix) * length;
        k /= radix;
    }
    return position;
}

}  // namespace

const NufftKernel& nufft_best() {
    static const NufftKernel* const best = nufft_kernels().back();
    return *best;
}

NufftPlan::NufftPlan(int block, const NufftKernel& kernel)
    : kernel_(&kernel), block_(block), size_(2 * block), log2_size_(0) {
    while ((1 << log2_size_) < size_) ++log2_size_;
    twiddle_.resize(static_cast<std::size_t>(2 * size_));
    for (int k = 0; k < size_; ++k) {
        const double angle = constants::two_pi * k / size_;
        twiddle_[2 * k] = static_cast<float>(std::cos(angle));
        twiddle_[2 * k + 1] = static_cast<float>(std::sin(angle));
    }
    table_.resize(std::size_t{nufft_table_rows + 1} * nufft_width);
    constexpr int before = static_cast<int>(nufft_width) / 2 - 1;  // cells below that of the photon
    for (int row = 0; row <= nufft_table_rows; ++row)
        for (int i = 0; i < static_cast<int>(nufft_width); ++i)
            table_[static_cast<std::size_t>(row) * nufft_width + i] =
                static_cast<float>(spreading.value(i - before - static_cast<double>(row) / nufft_table_rows));
    order_.resize(static_cast<std::size_t>(block_));
    correction_.resize(static_cast<std::size_t>(block_));
    for (int l = 0; l < block_; ++l) {
        const int k = l - block_ / 2;
        order_[l] = reversed((k + size_) % size_, size_);
        correction_[l] = static_cast<float>(1.0 / spreading.transform(static_cast<double>(k) / size_));
    }
}

NufftSpread NufftPlan::spread_job(std::span<const std::uint64_t> step, std::span<const float> weight,
                                  int harmonic, std::int64_t centre, std::int64_t stride) const {
    return {step.data(),
            weight.empty() ? nullptr : weight.data(),
            static_cast<std::int64_t>(step.size()),
            static_cast<std::uint64_t>(harmonic),
            static_cast<std::uint64_t>(centre),
            static_cast<std::uint64_t>(stride),
            size_,
            log2_size_,
            table_.data()};
}

void NufftPlan::run(std::span<const std::uint64_t> step, std::span<const float> weight, int harmonic,
                    std::int64_t centre, std::int64_t stride, float* grid, float* sums,
                    std::span<const std::uint64_t> offset) const {
    NufftSpread job = spread_job(step, weight, harmonic, centre, stride);
    if (!offset.empty()) job.offset = offset.data();
    kernel_->spread(job, grid);
    finish(grid, sums);
}

void NufftPlan::spread(std::span<const std::uint64_t> step, std::span<const float> weight, int harmonic,
                       std::int64_t centre, std::int64_t stride, float* grid) const {
    kernel_->spread(spread_job(step, weight, harmonic, centre, stride), grid);
}

void NufftPlan::finish(float* grid, float* sums) const {
    kernel_->transform(grid, size_, twiddle_.data());
    kernel_->gather({order_.data(), correction_.data(), block_}, grid, sums);
}

void NufftPlan::finish_powers(float* grid, float scale, float* out) const {
    kernel_->transform(grid, size_, twiddle_.data());
    kernel_->powers({order_.data(), correction_.data(), block_}, grid, scale, out);
}

void NufftPlan::powers(const float* sums, float scale, float* out) const {
    kernel_->powers({nullptr, nullptr, block_}, sums, scale, out);
}

}  // namespace xsift::engine
