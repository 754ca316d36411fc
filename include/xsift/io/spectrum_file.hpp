#pragma once
/// @file
/// OGIP spectra (PHA I), as they stand in their files, and put together with what belongs to them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <xsift/data/spectrum.hpp>
#include <xsift/io/response_file.hpp>

namespace xsift::io {

/// A SPECTRUM extension. Names of files are empty where the header says none.
struct SpectrumFile {
    Exposure exposure;  ///< livetime is EXPOSURE, s
    std::vector<int> channel;
    std::vector<double> counts;
    std::vector<std::int16_t> quality, grouping;  ///< empty: all good, not grouped
    int first_channel = 0;                        ///< TLMIN of CHANNEL, else the lowest channel
    int detector_channels = 0;                    ///< DETCHANS, else the number of rows
    double area_scale = 1.0, back_scale = 1.0;
    std::vector<double> area_scales, back_scales;  ///< as many as channels where they differ, else empty
    bool has_back_scale = false;                   ///< BACKSCAL is there, not the default of 1
    /// Backgrounds inside the file, as grating spectra of Chandra have them (BACKGROUND_UP, BACKGROUND_DOWN
    /// with BACKSCUP, BACKSCDN): counts, exposure and scalings alone are set.
    std::vector<SpectrumFile> own_backgrounds;
    std::string background_file;  ///< several names: joined by commas
    std::string arf_file, response_file;
};

/// Reads counts, or rates times EXPOSURE where the header says that the errors are Poissonian.
/// @throws Error (input): NO_SPECTRUM_EXTENSION, NEGATIVE_COUNTS, NON_INTEGER_COUNTS, ZERO_EXPOSURE,
///   BAD_SCALING, UNSUPPORTED (background already subtracted, Gaussian errors, several spectra in a file).
SpectrumFile read_spectrum(const std::string& path);

/// The names in a BACKFILE: several backgrounds are separated by commas.
std::vector<std::string> background_names(const std::string& text);

/// How files that do not quite belong together are taken.
struct AssembleOptions {
    bool substituted = false;       ///< the response is not the one of the header; flagged
    bool interpolate_area = false;  ///< an ARF on other energies is resampled and flagged, not refused
};

/// Puts a spectrum together. Channels the file leaves out hold no counts and are marked bad. Several
/// backgrounds become one: their counts and their exposures times scalings are added, which loses nothing as
/// long as they have one rate. The header's name of the response is kept when another one is used.
/// @throws Error (input): CHANNEL_MISMATCH, NO_BACKSCAL, NO_ARF, ARF_MISMATCH.
Spectrum assemble_spectrum(const SpectrumFile& source, const std::vector<SpectrumFile>& backgrounds,
                           const std::optional<EffectiveArea>& arf, const ResponseFile& response,
                           const AssembleOptions& options = {});

}  // namespace xsift::io
