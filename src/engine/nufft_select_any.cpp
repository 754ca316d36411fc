#include "nufft.hpp"

namespace xsift::engine {
const NufftKernel& nufft_best() {
    return nufft_baseline;
}
}  // namespace xsift::engine
