#include "photon_moments.hpp"

namespace xsift::refine {
namespace {
#include "photon_moments_kernel.hpp"
}  // namespace
void add_moments_avx2(const MomentPass& pass, int harmonics, double* moments) {
    add_moments(pass, harmonics, moments);
}
}  // namespace xsift::refine
