#include "photon_moments.hpp"

namespace xsift::refine {
namespace {
#include "photon_moments_kernel.hpp"
}  // namespace
const MomentKernels moments_avx512{add_moments, fill_phasors};
}  // namespace xsift::refine
