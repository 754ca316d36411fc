#include "nufft.hpp"

namespace xsift::engine {
std::vector<const NufftKernel*> nufft_kernels() {
    return {&nufft_baseline};
}
}  // namespace xsift::engine
