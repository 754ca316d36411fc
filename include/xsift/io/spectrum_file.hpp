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
    std::string background_file, arf_file, response_file;
};

/// Reads counts, or rates times EXPOSURE where the header says that the errors are Poissonian.
/// @throws Error (input): NO_SPECTRUM_EXTENSION, NEGATIVE_COUNTS, ZERO_EXPOSURE, BAD_SCALING, UNSUPPORTED
/// (background
///   already subtracted, Gaussian errors, scalings that differ from channel to channel, several spectra in a
///   file).
SpectrumFile read_spectrum(const std::string& path);

/// Puts a spectrum together. Channels the file leaves out hold no counts and are marked bad.
/// @param wanted name of the response in the header, kept when another one is used by a rule (substituted).
/// @throws Error (input): CHANNEL_MISMATCH, NO_ARF, ARF_MISMATCH.
Spectrum assemble_spectrum(const SpectrumFile& source, const std::optional<SpectrumFile>& background,
                           const std::optional<EffectiveArea>& arf, const ResponseFile& response,
                           bool substituted);

}  // namespace xsift::io
