#pragma once
// Memory of a thread for the hot loops.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xsift::engine {

/// Floats on a 64-byte boundary; grows, never shrinks.
class AlignedFloats {
  public:
    float* fit(std::size_t n) {
        if (memory_.size() < n + slack) memory_.resize(n + slack);
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
        return memory_.data() + ((64 - address % 64) % 64) / sizeof(float);
    }

  private:
    static constexpr std::size_t slack = 64 / sizeof(float);
    std::vector<float> memory_;
};

}  // namespace xsift::engine
