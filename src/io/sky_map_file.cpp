#include "fits_handle.hpp"

#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/sky_map_file.hpp>

namespace xsift::io {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error(ErrorKind::input, "BAD_SKY_MAP", path + ": no HEALPix map of the whole sky", why,
                "Give a map of the full sky with implicit pixel numbers.");
}

}  // namespace

SkyMap read_sky_map(const std::string& path, bool& nested) {
    FitsHandle fits(path);
    const HduInfo* found = nullptr;
    for (const HduInfo& hdu : fits.hdus()) {
        if (!hdu.table || found != nullptr) continue;
        fits.select(hdu);
        if (fits.own_number("NSIDE")) found = &hdu;
    }
    if (found == nullptr) refuse(path, "no table with the keyword NSIDE");
    fits.select(*found);
    const double nside = *fits.own_number("NSIDE");
    if (!(nside >= 1.0 && nside <= 8192.0) || std::exp2(std::round(std::log2(nside))) != nside)
        refuse(path, fmt::format("NSIDE = {}", nside));
    const std::string ordering = fits.own_text("ORDERING"), system = fits.own_text("COORDSYS");
    nested = ordering.starts_with("NEST");
    if (!nested && !same_word(ordering, "RING")) refuse(path, fmt::format("ORDERING = '{}'", ordering));
    if (fits.own_text("INDXSCHM").starts_with("EXPL")) refuse(path, "pixels with explicit numbers");
    SkyMap map;
    map.nside = static_cast<std::int64_t>(nside);
    if (system.starts_with("E")) refuse(path, "ecliptic coordinates");
    map.galactic = !(system.starts_with("C") || system.starts_with("Q"));
    const auto pixels = static_cast<std::size_t>(12 * map.nside * map.nside);
    map.values.reserve(pixels);
    for (std::int64_t row = 0; row < found->rows && map.values.size() < pixels; ++row) {
        const std::vector<float> values = fits.row_floats(1, row);
        map.values.insert(map.values.end(), values.begin(), values.end());
    }
    if (map.values.size() != pixels)
        refuse(path, fmt::format("{} values instead of {}", map.values.size(), pixels));
    for (float& value : map.values)
        if (!(value > -1.6e30f)) value = std::nanf("");
    map.origin = fmt::format("{} nside {}", std::filesystem::path(path).filename().string(), map.nside);
    map.checksum = file_hash(path);
    return map;
}

}  // namespace xsift::io
