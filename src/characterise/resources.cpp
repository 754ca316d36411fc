#include "resources.hpp"

// The assembler reads the files; the compiler only sees their ends.
#define XSIFT_EMBED(name, suffix)                                                                \
    asm(".pushsection .rodata\n.balign 16\n.global xsift_" #name "_begin\n.global xsift_" #name  \
        "_end\nxsift_" #name "_begin:\n.incbin \"" XSIFT_CHARACTERISE_RESOURCES "/" #name suffix \
        "\"\nxsift_" #name "_end:\n.popsection\n");                                              \
    extern "C" const unsigned char xsift_##name##_begin[], xsift_##name##_end[];

XSIFT_EMBED(hi4pi_nside64, ".bin")
XSIFT_EMBED(class_model, ".txt")

namespace xsift::characterise {

std::span<const unsigned char> hi4pi_resource() {
    return {xsift_hi4pi_nside64_begin, xsift_hi4pi_nside64_end};
}

std::span<const unsigned char> class_model_resource() {
    return {xsift_class_model_begin, xsift_class_model_end};
}

}  // namespace xsift::characterise
