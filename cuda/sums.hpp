#pragma once
// Trigonometric sums in double on the device. Plain C++.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <xsift/engine/period_search.hpp>

namespace xsift::cuda {

class PhotonSummer {
  public:
    /// @param bytes of device memory that photons and sums of one launch may use
    explicit PhotonSummer(std::int64_t bytes);
    ~PhotonSummer();
    PhotonSummer(const PhotonSummer&) = delete;
    PhotonSummer& operator=(const PhotonSummer&) = delete;

    std::vector<std::vector<timing::Complex>> run(std::span<const engine::SumTask> tasks);

  private:
    struct Implementation;
    std::int64_t bytes_;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace xsift::cuda
