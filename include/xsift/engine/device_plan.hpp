#pragma once
/// @file
/// What of a batch is on a device at a time, so that its memory suffices.

#include <cstdint>
#include <span>
#include <vector>

#include <xsift/engine/period_search.hpp>

namespace xsift::engine {

/// Bytes of device memory for what grows with the batch.
struct DeviceBudget {
    /// @param bytes in all
    explicit DeviceBudget(std::int64_t bytes);
    std::int64_t product_group;  ///< one group of event tasks; product_workers of them at a time
    std::int64_t segment;        ///< one segment of a direct search; direct_slots of them at a time
    std::int64_t sums;           ///< the photons and sums of one launch
    /// One group of tasks of the grid likelihood, and the room that its threads work in; grid_groups and
    /// grid_rooms of them at a time. What is left of the last eighth is for templates and for buffers that
    /// stay as large as the largest they were asked for.
    std::int64_t grid_group, grid_room;
};
inline constexpr int product_workers = 6;  ///< groups in flight: one computes, the others prepare and report
inline constexpr int direct_slots = 2;
inline constexpr int grid_groups = 4;  ///< two of grids or pairs, one of simulations, one of posteriors
inline constexpr int grid_rooms = 4;   ///< one each

/// What a tile of the photon search costs, nanoseconds of a whole device: by the matrix product, by the
/// transform. Estimated from the instructions that the compiler made for an H200, not measured; `xsift bench
/// --calibrate` measures them where there is a device.
struct DeviceCosts {
    double product_tile = 11.0, product_photon = 0.08;
    double transform_tile = 130.0, transform_photon = 0.0025;

    bool prefer_transform(std::int64_t photons) const {
        const auto n = static_cast<double>(photons);
        return transform_tile + n * transform_photon < product_tile + n * product_photon;
    }
};

struct ProductTask;
/// A task as tiles see it, but for what points to memory, weights' extremes and thresholds.
/// @param sum_w, sum_w2 of its weights and of their squares
/// @param unit what weights are divided by
ProductTask product_task(const EventTask& task, double sum_w, double sum_w2, double unit);

/// The first threshold of a search by tiles: what about 150 of the independent trials (half of all) exceed in
/// white noise. @param n photons, or bins of a light curve
float noise_threshold(const timing::Statistic& statistic, std::int64_t trials, std::size_t n);

/// Whether the tensor-core search can hold a task: photons, a grid that counts in 32 bits, peaks no further
/// apart than an eighth of a tile.
bool product_holds(const EventTask& task);
/// Device memory of a task of the tensor-core search, bytes.
std::int64_t product_bytes(const EventTask& task);
/// Tasks (by number) that are searched by one launch each: in order, at most 256 tasks, 2^23 photons and
/// `bytes` a group. Left out: those it cannot hold, and those too large for a group of their own.
std::vector<std::vector<std::size_t>> product_groups(std::span<const EventTask> tasks, std::int64_t bytes);

/// Photons [begin, end) of a task (by number) whose sums are made by one thread an index. The sums of a task
/// are those of its parts, added in their order.
struct SumPart {
    std::size_t task = 0;
    std::int64_t begin = 0, end = 0;
};
/// Parts of all tasks, in order, a group a launch: `bytes` a group where a part alone is not more. How a list
/// is cut depends on its length alone.
std::vector<std::vector<SumPart>> sum_groups(std::span<const SumTask> tasks, std::int64_t bytes);

/// Trials of a segment of a direct search that needs at most `bytes`, between 2^16 and 2^22, a power of two.
/// @param statistics of the task with the most
std::int64_t segment_trials(std::int64_t bytes, std::size_t statistics);

}  // namespace xsift::engine
