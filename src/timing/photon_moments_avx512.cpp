#include <xsift/timing/photon_moments.hpp>

namespace xsift::timing {
namespace {
#include "photon_moments_kernel.hpp"
}  // namespace
const MomentKernels moments_avx512{add_moments, add_photon_sums, fill_phasors};
}  // namespace xsift::timing
