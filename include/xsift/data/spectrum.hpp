#pragma once
/// @file
/// Spectra, responses and effective areas (OGIP).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/data/source.hpp>

namespace xsift {

/// Redistribution matrix (OGIP RMF). Rows are energies; each row holds its non-zero groups back to back.
/// Channel indices here always start at 0; first_channel is the number the file gives to index 0.
struct Response {
    std::string name;                            ///< base name of the file it was read from
    std::string hash;                            ///< content hash: equal responses have equal hashes
    int first_channel = 0;                       ///< TLMIN of the channel column: 0 or 1
    std::vector<double> energy_lo, energy_hi;    ///< keV, n_energies; may contain the lower bound 0
    std::vector<double> channel_lo, channel_hi;  ///< keV, n_channels (EBOUNDS)
    /// Groups of non-zero elements in compressed rows: row i has the groups
    /// [row_group[i], row_group[i+1]); group g covers channels group_first[g] .. + group_count[g] - 1
    /// and its values start at group_value[g].
    std::vector<std::int64_t> row_group;    ///< n_energies + 1
    std::vector<std::int32_t> group_first;  ///< channel index
    std::vector<std::int32_t> group_count;
    std::vector<std::int64_t> group_value;
    std::vector<float> value;  ///< probability (times area for an RSP), per channel

    std::size_t n_energies() const { return energy_lo.size(); }
    std::size_t n_channels() const { return channel_lo.size(); }
};

/// What can be said against a spectrum. Bits; also in FLAGS of SPECTRAL_FITS.
enum SpectrumFlag : std::uint32_t {
    spectrum_response_substituted =
        1u << 0,                       ///< another response than the header's was used, by an explicit rule
    spectrum_no_background = 1u << 1,  ///< no background spectrum: C-stat
    spectrum_no_arf = 1u << 2,         ///< no effective area file: the response is taken to include it
    spectrum_background_mostly_empty = 1u
                                       << 3,  ///< W-stat bias: most background bins of the fit hold no count
    spectrum_arf_interpolated = 1u << 4,      ///< ARF resampled onto the response's energies
};

/// Counts of one source in one exposure, with its background, effective area and response.
struct Spectrum {
    Exposure exposure;                   ///< exposure.livetime is EXPOSURE of the source spectrum, s
    std::uint32_t flags = 0;             ///< SpectrumFlag bits
    std::vector<double> counts;          ///< n_channels
    std::vector<std::int16_t> quality;   ///< n_channels or empty; 0 is good
    std::vector<std::int16_t> grouping;  ///< n_channels or empty; 1 starts a bin, -1 continues it
    double area_scale = 1.0;             ///< AREASCAL
    double back_scale = 1.0;             ///< BACKSCAL
    /// Where AREASCAL or BACKSCAL differ from channel to channel both of these are set (n_channels), and the
    /// scalar values do not count: AREASCAL of the source spectrum, and AREASCAL times BACKSCAL of the
    /// background over BACKSCAL of the source. A channel where one of them is not positive is bad.
    std::vector<double> area_scales, background_scales;

    std::string background_file;            ///< empty when there is no background; several: a,b
    std::vector<double> background_counts;  ///< n_channels or empty
    double background_exposure = 0.0;       ///< s
    double background_area_scale = 1.0;
    double background_back_scale = 1.0;

    std::string arf_file;
    std::vector<double> effective_area;  ///< cm2 at the response's energies; empty for an RSP
    std::string response_wanted;         ///< name in the header (RESPFILE)
    std::shared_ptr<const Response> response;

    bool has_background() const { return !background_counts.empty(); }
    double total_counts() const {
        double sum = 0.0;
        for (double c : counts) sum += c;
        return sum;
    }
};

}  // namespace xsift
