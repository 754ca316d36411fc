#include <xsift/core/x86.hpp>
#include <xsift/timing/photon_moments.hpp>

namespace xsift::timing {
const MomentKernels& best_moments() {
    if (has_x86_64_v4()) return moments_avx512;
    return has_avx2() ? moments_avx2 : moments_baseline;
}
}  // namespace xsift::timing
