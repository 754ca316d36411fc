#pragma once
/// @file
/// OGIP responses: redistribution matrices (RMF, RSP) and effective areas (ARF).

#include <memory>
#include <string>
#include <vector>

#include <xsift/data/spectrum.hpp>

namespace xsift::io {

struct ResponseFile {
    std::shared_ptr<const Response> response;
    bool redistribution_only = false;  ///< HDUCLAS3 = REDIST or DETECTOR: needs an effective area
};

/// Reads MATRIX (or SPECRESP MATRIX) and EBOUNDS. F_CHAN counts from TLMIN of its column, else from the first
/// channel of EBOUNDS. Groups without channels are left out. LO_THRES tells what the maker left out; nothing
/// more is dropped for it.
/// @throws Error (input): BAD_RESPONSE for a matrix that contradicts itself, OVERLAPPING_GROUPS, and what a
/// FITS file can be.
ResponseFile read_response(const std::string& path);

/// SPECRESP of an ARF.
struct EffectiveArea {
    std::string file;
    std::vector<double> energy_lo, energy_hi;  ///< keV
    std::vector<double> area;                  ///< cm2
};
/// @throws Error (input, "BAD_ARF").
EffectiveArea read_effective_area(const std::string& path);

/// The area at the response's energies: taken as it is when all edges agree to 1e-4, otherwise interpolated
/// linearly between bin centres (interpolated is set). @throws Error (input, "ARF_MISMATCH") when it does not
/// cover them.
std::vector<double> area_on_response(const EffectiveArea& arf, const Response& response, bool& interpolated);

}  // namespace xsift::io
