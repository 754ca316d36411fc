#include "resources.hpp"

// The assembler reads the files; the compiler only sees their ends.
#define XSIFT_EMBED(name)                                                                       \
    asm(".pushsection .rodata\n.balign 16\n.global xsift_" #name "_begin\n.global xsift_" #name \
        "_end\nxsift_" #name "_begin:\n.incbin \"" XSIFT_CHARACTERISE_RESOURCES "/" #name       \
        ".bin\"\nxsift_" #name "_end:\n.popsection\n");                                         \
    extern "C" const unsigned char xsift_##name##_begin[], xsift_##name##_end[];

XSIFT_EMBED(hi4pi_nside64)

namespace xsift::characterise {

std::span<const unsigned char> hi4pi_resource() {
    return {xsift_hi4pi_nside64_begin, xsift_hi4pi_nside64_end};
}

}  // namespace xsift::characterise
