#include "resources.hpp"

// The assembler reads the files; the compiler only sees their ends.
#define XSIFT_EMBED(name)                                                                                    \
    asm(".pushsection .rodata\n.balign 16\n.global xsift_" #name "_begin\n.global xsift_" #name              \
        "_end\nxsift_" #name "_begin:\n.incbin \"" XSIFT_SPECTRAL_RESOURCES "/" #name ".bin\"\nxsift_" #name \
        "_end:\n.popsection\n");                                                                             \
    extern "C" const unsigned char xsift_##name##_begin[], xsift_##name##_end[];

XSIFT_EMBED(tbabs_wilm)
XSIFT_EMBED(tbabs_angr)
XSIFT_EMBED(tbabs_aspl)
XSIFT_EMBED(apec)

namespace xsift::spectral {

std::span<const unsigned char> absorption_resource(Abundance abundance) {
    switch (abundance) {
        case Abundance::angr:
            return {xsift_tbabs_angr_begin, xsift_tbabs_angr_end};
        case Abundance::aspl:
            return {xsift_tbabs_aspl_begin, xsift_tbabs_aspl_end};
        case Abundance::wilm:
            break;
    }
    return {xsift_tbabs_wilm_begin, xsift_tbabs_wilm_end};
}

std::span<const unsigned char> apec_resource() {
    return {xsift_apec_begin, xsift_apec_end};
}

}  // namespace xsift::spectral
