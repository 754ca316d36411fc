#include "exposure_header.hpp"
#include "fits_handle.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include <xsift/io/fits_file.hpp>

namespace xsift::io {
namespace {

constexpr std::array packed_suffixes{".gz", ".Z"};
constexpr std::array fits_suffixes{".fits", ".fit", ".ftz", ".fts", ".evt", ".pha", ".pi",
                                   ".lc",   ".arf", ".rmf", ".rsp", ".ds",  ".img"};

bool ends_with_word(std::string_view text, std::string_view suffix) {
    return text.size() > suffix.size() && same_word(text.substr(text.size() - suffix.size()), suffix);
}

/// Removes a packing suffix.
std::string_view unpacked_name(std::string_view file) {
    for (std::string_view suffix : packed_suffixes)
        if (ends_with_word(file, suffix)) return file.substr(0, file.size() - suffix.size());
    return file;
}

/// What an HDU makes of a file, or unknown.
FileKind kind_of(const HduInfo& hdu) {
    const auto named = [&](std::string_view name) { return same_word(hdu.name, name); };
    const auto classed = [&](std::string_view name) { return same_word(hdu.class1, name); };
    if (!hdu.table) return FileKind::unknown;
    if (named("EVENTS") || classed("EVENTS")) return FileKind::events;
    if (named("SPECTRUM") || classed("SPECTRUM"))
        return same_word(hdu.class2, "BKG") ? FileKind::background : FileKind::spectrum;
    if (named("RATE") || classed("LIGHTCURVE")) return FileKind::light_curve;
    if (named("MATRIX") || named("SPECRESP MATRIX") || same_word(hdu.class2, "RSP_MATRIX"))
        return FileKind::rmf;
    if (named("SPECRESP") || same_word(hdu.class2, "SPECRESP")) return FileKind::arf;
    if (named("SRCLIST")) return FileKind::source_list;
    return FileKind::unknown;
}

bool all_of(std::string_view text, int (*test)(int)) {
    return std::all_of(text.begin(), text.end(), [&](unsigned char c) { return test(c) != 0; });
}

FileKind pps_kind(std::string_view product) {
    if (product == "SRSPEC") return FileKind::spectrum;
    if (product == "BGSPEC") return FileKind::background;
    if (product == "SRCARF") return FileKind::arf;
    if (product == "SRCTSR") return FileKind::light_curve;
    if (product == "OBSMLI") return FileKind::source_list;
    return FileKind::unknown;
}

}  // namespace

std::string_view kind_name(FileKind kind) {
    switch (kind) {
        case FileKind::events:
            return "events";
        case FileKind::light_curve:
            return "light curve";
        case FileKind::spectrum:
            return "spectrum";
        case FileKind::background:
            return "background";
        case FileKind::arf:
            return "arf";
        case FileKind::rmf:
            return "rmf";
        case FileKind::source_list:
            return "source list";
        case FileKind::unknown:
            break;
    }
    return "unknown";
}

bool has_fits_name(std::string_view file) {
    const std::string_view name = unpacked_name(file);
    return std::any_of(fits_suffixes.begin(), fits_suffixes.end(),
                       [&](std::string_view suffix) { return ends_with_word(name, suffix); });
}

std::string file_stem(std::string_view file) {
    file.remove_prefix(file.find_last_of('/') + 1);
    file = unpacked_name(file);
    for (std::string_view suffix : fits_suffixes)
        if (ends_with_word(file, suffix)) return std::string(file.substr(0, file.size() - suffix.size()));
    return std::string(file);
}

PpsName parse_pps_name(std::string_view file) {
    // P 0760940101 PN S003 SRSPEC 0 001: the digit before the source number is a data subset (spectra: 0, the
    // highest digit of the number; time series: an energy band).
    constexpr std::size_t length = 27;
    const std::string stem = file_stem(file);
    const std::string_view name = stem;
    if (name.size() != length || name[0] != 'P' || !all_of(name.substr(1, 10), std::isdigit) ||
        !all_of(name.substr(11, 2), std::isalnum) || !std::isalpha(static_cast<unsigned char>(name[13])) ||
        !all_of(name.substr(14, 3), std::isdigit) || !all_of(name.substr(17, 6), std::isupper) ||
        !all_of(name.substr(23, 4), std::isxdigit))
        return {};
    PpsName pps{stem.substr(1, 10), stem.substr(11, 2), stem.substr(13, 4),
                stem.substr(17, 6), stem.substr(23, 4), {}};
    pps.kind = pps_kind(pps.product);
    if (pps.kind == FileKind::light_curve) pps.source[0] = '0';
    if (pps.kind == FileKind::source_list || pps.kind == FileKind::unknown) pps.source.clear();
    std::transform(pps.source.begin(), pps.source.end(), pps.source.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return pps;
}

FileSummary summarise_fits(const std::string& path) {
    FitsHandle fits(path);
    FileSummary summary;
    const HduInfo* hdu = fits.find_table([](const HduInfo& h) { return kind_of(h) != FileKind::unknown; });
    if (hdu == nullptr) {
        // Says so itself when the reason is compression.
        for (const HduInfo& other : fits.hdus())
            if (other.tile_compressed) fits.select(other);
        return summary;
    }
    fits.select(*hdu);
    summary.kind = kind_of(*hdu);
    if (const PpsName pps = parse_pps_name(fits.base_name());
        summary.kind == FileKind::spectrum && pps.kind == FileKind::background)
        summary.kind = FileKind::background;
    summary.object = fits.text("OBJECT");
    const auto position = [&](const char* ra_key, const char* dec_key, double& ra, double& dec) {
        const auto a = fits.number(ra_key), b = fits.number(dec_key);
        if (a && b && std::isnan(ra)) ra = *a, dec = *b;
    };
    position("SRC_CRA", "SRC_CDEC", summary.ra, summary.dec);
    position("SRC_RA", "SRC_DEC", summary.ra, summary.dec);
    position("RA_OBJ", "DEC_OBJ", summary.target_ra, summary.target_dec);
    if (summary.kind == FileKind::spectrum) {
        summary.background_file = linked_file(fits, "BACKFILE");
        summary.arf_file = linked_file(fits, "ANCRFILE");
        summary.response_file = linked_file(fits, "RESPFILE");
    }
    return summary;
}

}  // namespace xsift::io
