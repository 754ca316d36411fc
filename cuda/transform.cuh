#pragma once
/// @file
/// The photon search of long lists: a non-uniform FFT in fast memory a tile.

#include "device_buffer.cuh"
#include "stream.cuh"

#include <cstdint>

#include <xsift/engine/product_tile.hpp>

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

  private:
    bool asked_ = false;
    unsigned blocks_ = 0;
    DeviceBuffer<float> correction_, scale_;
};

}  // namespace xsift::cuda
