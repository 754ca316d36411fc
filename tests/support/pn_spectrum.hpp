#pragma once
/// @file
/// The EPIC-pn spectra of tests/data with their backgrounds, effective areas and response.

#include "test_files.hpp"

#include <string>

#include <xsift/io/spectrum_file.hpp>

namespace xsift::test {

/// The pn response of tests/data, read once.
inline const io::ResponseFile& pn_response() {
    static const auto response = io::read_response(data_path("responses/epn_e3_ef20_sdY6_v19.0.rmf.gz"));
    return response;
}

/// A source spectrum of a folder of pipeline products.
inline Spectrum read_pn_spectrum(const std::string& folder, const std::string& name) {
    const auto other = [&](const char* kind) {
        std::string path = folder + "/" + name;
        return path.replace(path.rfind("SRSPEC"), 6, kind);
    };
    return io::assemble_spectrum(io::read_spectrum(folder + "/" + name), {io::read_spectrum(other("BGSPEC"))},
                                 io::read_effective_area(other("SRCARF")), pn_response());
}

/// A source spectrum of tests/data by its (hexadecimal) source number.
inline Spectrum pn_spectrum(const std::string& number) {
    return read_pn_spectrum(data_path("xmm-pps"), "P0760940101PNS003SRSPEC" + number + ".FTZ");
}

}  // namespace xsift::test
