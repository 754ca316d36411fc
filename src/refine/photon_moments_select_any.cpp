#include "photon_moments.hpp"

namespace xsift::refine {
const MomentKernels& best_moments() {
    return moments_baseline;
}
}  // namespace xsift::refine
