#include "exposure_header.hpp"
#include "fits_handle.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/spectrum_file.hpp>

namespace xsift::io {
namespace {

[[noreturn]] void throw_unsupported(const FitsHandle& fits, const std::string& what,
                                    const std::string& remedy) {
    throw Error(ErrorKind::input, "UNSUPPORTED", fits.path() + ": " + what, {}, remedy);
}

/// AREASCAL or BACKSCAL: a keyword, or a column that must not vary.
double scaling(FitsHandle& fits, const char* name) {
    double value = fits.number(name).value_or(1.0);
    if (const int column = fits.column(name)) {
        const std::vector<double> values = fits.numbers(column);
        if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
            throw_unsupported(fits, fmt::format("{} differs from channel to channel", name),
                              "Give a spectrum with one value (as a keyword).");
        if (!values.empty()) value = values.front();
    }
    if (!std::isfinite(value) || value <= 0.0)
        throw Error(ErrorKind::input, "BAD_SCALING", fmt::format("{}: {} is {}", fits.path(), name, value),
                    {}, "Correct the keyword.");
    return value;
}

/// QUALITY or GROUPING: a column, or a keyword for all channels (0: nothing to say).
std::vector<std::int16_t> channel_flags(FitsHandle& fits, const char* name) {
    if (const int column = fits.column(name)) {
        const auto values = fits.integers(column);
        std::vector<std::int16_t> flags(values.size());
        std::transform(values.begin(), values.end(), flags.begin(), [](std::int64_t value) {
            return static_cast<std::int16_t>(std::clamp<std::int64_t>(value, -1, 99));
        });
        return flags;
    }
    const auto value = static_cast<std::int16_t>(std::clamp(fits.own_number(name).value_or(0.0), -1.0, 99.0));
    if (value == 0) return {};
    return std::vector<std::int16_t>(static_cast<std::size_t>(fits.current().rows), value);
}

std::vector<double> read_counts(FitsHandle& fits, double exposure) {
    const int counts = fits.column("COUNTS"), rate = fits.column("RATE");
    if (counts == 0 && rate == 0)
        throw_unsupported(fits, "neither COUNTS nor RATE", "Give an OGIP spectrum.");
    std::vector<double> values = fits.numbers(counts != 0 ? counts : rate);
    if (counts == 0) {
        if (fits.own_text("POISSERR").empty() || fits.own_number("POISSERR").value_or(0.0) == 0.0)
            throw_unsupported(fits, "rates whose errors are not Poissonian", "Give the spectrum in counts.");
        for (double& value : values) {
            value *= exposure;
            // Rates in single precision: what was a whole number is one again.
            const double whole = std::round(value);
            if (std::abs(value - whole) <= 1e-6 * std::max(1.0, whole)) value = whole;
        }
    }
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!(values[i] >= 0.0) || !std::isfinite(values[i]))
            throw Error(ErrorKind::input, "NEGATIVE_COUNTS",
                        fmt::format("{}: row {} holds {} counts", fits.path(), i + 1, values[i]),
                        "counts of a Poisson process are not negative",
                        "Give the spectrum before background subtraction.");
    return values;
}

void require_channels(const std::string& file, int detector_channels, const Response& response) {
    if (static_cast<std::size_t>(detector_channels) != response.n_channels())
        throw Error(ErrorKind::input, "CHANNEL_MISMATCH",
                    fmt::format("{}: the response has another number of channels", file),
                    fmt::format("{} in the spectrum, {} in {}", detector_channels, response.n_channels(),
                                response.name),
                    "Give the response that belongs to the spectrum.");
}

/// Values by channel index of the response; channels that the file leaves out get the filler.
template <typename T>
std::vector<T> by_channel(const SpectrumFile& file, const std::vector<T>& values, std::size_t n, T filler) {
    std::vector<T> result(n, filler);
    for (std::size_t i = 0; i < values.size(); ++i)
        result[static_cast<std::size_t>(file.channel[i] - file.first_channel)] = values[i];
    return result;
}

}  // namespace

SpectrumFile read_spectrum(const std::string& path) {
    FitsHandle fits(path);
    const auto is_spectrum = [](const HduInfo& h) {
        return same_word(h.name, "SPECTRUM") || same_word(h.class1, "SPECTRUM");
    };
    const HduInfo* hdu = fits.find_table(is_spectrum);
    if (hdu == nullptr)
        throw Error(ErrorKind::input, "NO_SPECTRUM_EXTENSION", path + ": no SPECTRUM extension", {},
                    "Give an OGIP spectrum.");
    fits.select(*hdu);
    if (same_word(hdu->class2, "NET"))
        throw_unsupported(fits, "the background is already subtracted",
                          "Give the spectrum before subtraction.");
    const int channel = fits.column("CHANNEL");
    if (channel == 0) throw_unsupported(fits, "no column CHANNEL", "Give an OGIP spectrum.");
    if (fits.column("SPEC_NUM") != 0 || fits.column_type(channel).second != 1)
        throw_unsupported(fits, "several spectra in one file", "Give one file a spectrum.");

    SpectrumFile file;
    file.exposure = read_exposure(fits, false);
    const double exposure = fits.number("EXPOSURE").value_or(0.0);
    if (!std::isfinite(exposure) || exposure <= 0.0)
        throw Error(ErrorKind::input, "ZERO_EXPOSURE", fmt::format("{}: EXPOSURE is {} s", path, exposure),
                    {}, "Correct the keyword, or leave the spectrum out.");
    file.exposure.livetime = exposure;
    file.counts = read_counts(fits, exposure);
    file.quality = channel_flags(fits, "QUALITY");
    file.grouping = channel_flags(fits, "GROUPING");
    file.area_scale = scaling(fits, "AREASCAL");
    file.back_scale = scaling(fits, "BACKSCAL");
    file.background_file = linked_file(fits, "BACKFILE");
    file.arf_file = linked_file(fits, "ANCRFILE");
    file.response_file = linked_file(fits, "RESPFILE");

    if (hdu->rows == 0) throw_unsupported(fits, "a spectrum without channels", "Give an OGIP spectrum.");
    const auto channels = fits.integers(channel);
    const std::int64_t lowest = *std::min_element(channels.begin(), channels.end());
    const auto declared = fits.own_number(fmt::format("TLMIN{}", channel));
    const bool whole =
        hdu->rows == static_cast<std::int64_t>(fits.number("DETCHANS").value_or(double(hdu->rows)));
    file.detector_channels =
        static_cast<int>(fits.number("DETCHANS").value_or(static_cast<double>(hdu->rows)));
    file.first_channel = static_cast<int>(whole ? lowest : static_cast<std::int64_t>(declared.value_or(1.0)));
    std::vector<bool> seen(static_cast<std::size_t>(std::max(0, file.detector_channels)));
    for (std::int64_t value : channels) {
        const std::int64_t index = value - file.first_channel;
        if (index < 0 || index >= file.detector_channels || seen[static_cast<std::size_t>(index)])
            throw Error(ErrorKind::input, "CHANNEL_MISMATCH",
                        fmt::format("{}: channel {} is there twice or lies outside DETCHANS = {}", path,
                                    value, file.detector_channels));
        seen[static_cast<std::size_t>(index)] = true;
        file.channel.push_back(static_cast<int>(value));
    }
    return file;
}

Spectrum assemble_spectrum(const SpectrumFile& source, const std::optional<SpectrumFile>& background,
                           const std::optional<EffectiveArea>& arf, const ResponseFile& response,
                           bool substituted) {
    const Response& matrix = *response.response;
    const std::size_t n = matrix.n_channels();
    require_channels(source.exposure.file, source.detector_channels, matrix);
    Spectrum spectrum;
    spectrum.exposure = source.exposure;
    spectrum.counts = by_channel(source, source.counts, n, 0.0);
    constexpr std::int16_t good = 0, absent = 1;
    const bool complete = source.channel.size() == n;
    if (!source.quality.empty() || !complete) {
        const std::vector<std::int16_t> all_good(source.channel.size(), good);
        spectrum.quality = by_channel(source, source.quality.empty() ? all_good : source.quality, n, absent);
    }
    if (!source.grouping.empty()) spectrum.grouping = by_channel(source, source.grouping, n, std::int16_t{1});
    spectrum.area_scale = source.area_scale;
    spectrum.back_scale = source.back_scale;
    spectrum.response_wanted = source.response_file;
    spectrum.response = response.response;
    if (substituted) spectrum.flags |= spectrum_response_substituted;

    if (background) {
        require_channels(background->exposure.file, background->detector_channels, matrix);
        spectrum.background_file = background->exposure.file;
        spectrum.background_counts = by_channel(*background, background->counts, n, 0.0);
        spectrum.background_exposure = background->exposure.livetime;
        spectrum.background_area_scale = background->area_scale;
        spectrum.background_back_scale = background->back_scale;
    } else {
        spectrum.flags |= spectrum_no_background;
    }
    if (arf) {
        bool interpolated = false;
        spectrum.arf_file = arf->file;
        spectrum.effective_area = area_on_response(*arf, matrix, interpolated);
        if (interpolated) spectrum.flags |= spectrum_arf_interpolated;
    } else if (response.redistribution_only) {
        throw Error(ErrorKind::input, "NO_ARF", source.exposure.file + ": no effective area",
                    matrix.name + " holds the redistribution alone, and the header names no ANCRFILE",
                    "Set ANCRFILE, or give a response that includes the area.");
    } else {
        spectrum.flags |= spectrum_no_arf;
    }
    return spectrum;
}

}  // namespace xsift::io
