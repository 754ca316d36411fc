#pragma once
/// @file
/// A map of the whole sky in HEALPix pixels.

#include <cstdint>
#include <string>
#include <vector>

namespace xsift {

/// Values in the ring scheme, 12 nside^2 of them; NaN where the map knows nothing.
struct SkyMap {
    std::int64_t nside = 0;
    bool galactic = true;  ///< galactic coordinates; false: equatorial
    std::vector<float> values;
    std::string origin;    ///< what it is and where it comes from
    std::string checksum;  ///< of the file or of the embedded bytes
};

}  // namespace xsift
