// The seam for machines with no CUDA compiler: the same factory, saying so.
#include <xsift/core/error.hpp>
#include <xsift/cuda/factory.hpp>

namespace xsift::cuda {

Availability availability() {
    return {false, "this xsift was built without CUDA", {}};
}

engine::Ceilings ceilings() {
    return {};
}

bool has_warpgroup_products() {
    return false;
}

engine::Engines make_engines(const DeviceOptions&) {
    throw Error(ErrorKind::backend_unavailable, "BUILT_WITHOUT_CUDA", "the cuda backend cannot be used",
                availability().reason, "Use --backend cpu, or build with a CUDA compiler on PATH.");
}

}  // namespace xsift::cuda
