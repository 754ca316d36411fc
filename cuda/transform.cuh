#pragma once
/// @file
/// The search of long photon lists and of light curves: non-uniform FFTs in fast memory a tile.

#include "device_buffer.cuh"
#include "stream.cuh"

#include <cstdint>

#include <xsift/engine/transform_tile.hpp>

namespace xsift::cuda {

/// Launches of the transform on the current device.
class TransformSearch {
  public:
    /// Whether the device has the fast memory; asks it once.
    bool available();

    /// Starts the search of tiles. Pointers are to device memory.
    /// @param n_tasks tasks that `tasks` holds, of at most `harmonics` harmonics
    /// @param next zero
    /// @param sums n_tiles x stride
    void start(const engine::ProductTask* tasks, std::size_t n_tasks, int harmonics,
               const engine::Tile* tiles, unsigned n_tiles, unsigned* next, double* sums, unsigned stride,
               const Stream& stream);

    /// The same for light curves: tasks with weighted_value, of 2 harmonics and one statistic.
    void start_curves(const engine::ProductTask* tasks, std::size_t n_tasks, const engine::Tile* tiles,
                      unsigned n_tiles, unsigned* next, double* sums, unsigned stride, const Stream& stream);

  private:
    /// The constants of the transform and the units of the fixed point of each task and harmonic.
    void prepare(const engine::ProductTask* tasks, std::size_t n_tasks, int harmonics, const Stream& stream);

    bool asked_ = false;
    unsigned blocks_ = 0;
    DeviceBuffer<float> correction_, scale_;
    DeviceBuffer<engine::CurveSums> waiting_;  ///< tile_width a block
};

}  // namespace xsift::cuda
