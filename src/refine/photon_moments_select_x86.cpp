#include "photon_moments.hpp"

#include <xsift/core/x86.hpp>

namespace xsift::refine {
const MomentKernels& best_moments() {
    if (has_x86_64_v4()) return moments_avx512;
    return has_avx2() ? moments_avx2 : moments_baseline;
}
}  // namespace xsift::refine
