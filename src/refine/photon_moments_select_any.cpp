#include "photon_moments.hpp"

namespace xsift::refine {
AddMoments best_add_moments() {
    return add_moments_baseline;
}
}  // namespace xsift::refine
