#pragma once
/// @file
/// Catalogues of sky objects (Gaia, 2MASS, AllWISE, ...) from FITS or CSV, a part at a time.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <xsift/data/sky_objects.hpp>

namespace xsift::io {

/// What a catalogue says about itself.
struct SkyObjectFile {
    double area = not_measured;   ///< deg^2, keyword SKYAREA
    double epoch = not_measured;  ///< yr, keyword EPOCH
};

/// What the header says; nothing for a CSV file.
SkyObjectFile describe_sky_objects(const std::string& path);

/// Reads the first table of a FITS file, or a CSV file with a header, in parts of at most `rows` objects.
/// @param columns names of columns by property: id, ra, dec, error, error-minor, error-angle (deg), pmra,
/// pmdec, parallax, parallax-error, G, BP, RP, J, H, K, W1, W2, W3, prior. Those not given are looked for
/// under their usual names; a magnitude is null where its error column (E_ before the name) is there and
/// null: an upper limit. Units of a FITS column that say mas make arcsec of a position error.
/// @throws Error (usage, "BAD_SKY_OBJECTS") for a named column that is not there, or without ra and dec.
SkyObjectFile read_sky_objects(const std::string& path, const std::map<std::string, std::string>& columns,
                               std::int64_t rows, const std::function<void(const SkyObjects&)>& visit);

/// Rows wanted of a part, ascending, given positions and proper motions.
using ChooseObjects = std::function<std::vector<std::size_t>(const SkyObjects& positions)>;

/// The same, but all that is not the place of an object is read of the chosen objects only.
SkyObjectFile read_sky_objects(const std::string& path, const std::map<std::string, std::string>& columns,
                               std::int64_t rows, const ChooseObjects& choose,
                               const std::function<void(const SkyObjects&)>& visit);

}  // namespace xsift::io
