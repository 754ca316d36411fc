#include <charconv>

#include <xsift/core/error.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

Abundance parse_abundance(const std::string& text) {
    for (Abundance a : {Abundance::wilm, Abundance::angr, Abundance::aspl})
        if (text == to_string(a)) return a;
    throw Error(ErrorKind::usage, "UNKNOWN_ABUNDANCE", "the abundance table '" + text + "' is not known",
                "tables are wilm, angr, aspl", "Correct --abund.");
}

std::string to_string(Abundance abundance) {
    if (abundance == Abundance::angr) return "angr";
    return abundance == Abundance::aspl ? "aspl" : "wilm";
}

Binning parse_binning(const std::string& text) {
    if (text == "default" || text == "resolution") return {};
    if (text == "none") return {Binning::Kind::none, 0};
    if (text.starts_with("min:")) {
        int n = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + 4, end, n);
        if (error == std::errc{} && stop == end && n > 0) return {Binning::Kind::min_counts, n};
    }
    throw Error(ErrorKind::usage, "UNKNOWN_BINNING", "the binning '" + text + "' is not known",
                "binnings are default, none, min:N with N > 0", "Correct --binning.");
}

std::string to_string(const Binning& binning) {
    if (binning.kind == Binning::Kind::none) return "none";
    if (binning.kind == Binning::Kind::min_counts) return "min:" + std::to_string(binning.minimum);
    return "default";
}

}  // namespace xsift::spectral
