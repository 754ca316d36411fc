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

[[noreturn]] void throw_scaling(const FitsHandle& fits, const char* name, double value) {
    throw Error(ErrorKind::input, "BAD_SCALING", fmt::format("{}: {} is {}", fits.path(), name, value), {},
                "Correct it.");
}

/// AREASCAL or BACKSCAL: a keyword or a column.
/// @param by_channel filled when the values of a column differ; 0 marks a channel that was not exposed
double scaling(FitsHandle& fits, const char* name, std::vector<double>& by_channel) {
    double value = fits.number(name).value_or(1.0);
    if (const int column = fits.column(name)) {
        std::vector<double> values = fits.numbers(column);
        for (double v : values)
            if (!std::isfinite(v) || v < 0.0) throw_scaling(fits, name, v);
        if (!values.empty()) value = *std::max_element(values.begin(), values.end());
        if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
            by_channel = std::move(values);
    }
    if (!std::isfinite(value) || value <= 0.0) throw_scaling(fits, name, value);
    return value;
}

/// The value of a channel (row of the file).
double scale_of(double value, const std::vector<double>& by_channel, std::size_t row) {
    return by_channel.empty() ? value : by_channel[row];
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
    // fmax, fmin: no number counts as -1.
    const auto value =
        static_cast<std::int16_t>(std::fmin(std::fmax(fits.own_number(name).value_or(0.0), -1.0), 99.0));
    if (value == 0) return {};
    return std::vector<std::int16_t>(static_cast<std::size_t>(fits.current().rows), value);
}

void require_counts(const FitsHandle& fits, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto holds = [&] {
            return fmt::format("{}: row {} holds {} counts", fits.path(), i + 1, values[i]);
        };
        if (!(values[i] >= 0.0) || !std::isfinite(values[i]))
            throw Error(ErrorKind::input, "NEGATIVE_COUNTS", holds(),
                        "counts of a Poisson process are not negative",
                        "Give the spectrum before background subtraction.");
        if (values[i] != std::round(values[i]))
            throw Error(ErrorKind::input, "NON_INTEGER_COUNTS", holds(),
                        "counts of a Poisson process are whole numbers: these were modelled, weighted or "
                        "scaled, and the fit statistics do not hold for them",
                        "Give the counts as observed; set BACKFILE to none where the background is a model.");
    }
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
    require_counts(fits, values);
    return values;
}

/// The backgrounds that a Chandra grating spectrum carries beside its counts.
std::vector<SpectrumFile> read_own_backgrounds(FitsHandle& fits, const SpectrumFile& source) {
    std::vector<SpectrumFile> backgrounds;
    for (const auto& [column, scale] :
         {std::pair{"BACKGROUND_UP", "BACKSCUP"}, std::pair{"BACKGROUND_DOWN", "BACKSCDN"}}) {
        const int counts = fits.column(column);
        if (counts == 0) continue;
        SpectrumFile& background = backgrounds.emplace_back();
        background.exposure = source.exposure;
        background.counts = fits.numbers(counts);
        require_counts(fits, background.counts);
        background.area_scale = source.area_scale;
        background.area_scales = source.area_scales;
        background.has_back_scale = fits.number(scale).has_value();
        background.back_scale = scaling(fits, scale, background.back_scales);
    }
    return backgrounds;
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

void require_back_scale(const SpectrumFile& file) {
    if (!file.has_back_scale)
        throw Error(ErrorKind::input, "NO_BACKSCAL", file.exposure.file + ": no BACKSCAL",
                    "the areas of source and background are not known, and neither is how much of the counts "
                    "is background",
                    "Set BACKSCAL in the source and the background spectrum.");
}

/// Counts, exposure and scalings of all backgrounds together.
void add_backgrounds(const SpectrumFile& source, const std::vector<SpectrumFile>& backgrounds,
                     Spectrum& spectrum) {
    const Response& matrix = *spectrum.response;
    const std::size_t n = matrix.n_channels();
    if (!backgrounds.empty()) require_back_scale(source);
    bool varying = !source.area_scales.empty() || !source.back_scales.empty();
    double exposure = 0.0, scaled = 0.0;
    std::vector<double> scaled_by_channel(n, 0.0);
    spectrum.background_counts.assign(backgrounds.empty() ? 0 : n, 0.0);
    for (const SpectrumFile& background : backgrounds) {
        require_channels(background.exposure.file, background.detector_channels, matrix);
        require_back_scale(background);
        const double seconds = background.exposure.livetime;
        exposure += seconds;
        scaled += seconds * background.area_scale * background.back_scale;
        varying = varying || !background.area_scales.empty() || !background.back_scales.empty();
        for (std::size_t i = 0; i < background.counts.size(); ++i) {
            const auto c = static_cast<std::size_t>(background.channel[i] - background.first_channel);
            spectrum.background_counts[c] += background.counts[i];
            scaled_by_channel[c] += seconds * scale_of(background.area_scale, background.area_scales, i) *
                                    scale_of(background.back_scale, background.back_scales, i);
        }
        spectrum.background_file += (spectrum.background_file.empty() ? "" : ",") + background.exposure.file;
    }
    spectrum.background_exposure = exposure;
    if (backgrounds.size() == 1) {
        spectrum.background_area_scale = backgrounds[0].area_scale;
        spectrum.background_back_scale = backgrounds[0].back_scale;
    } else if (!backgrounds.empty()) {
        spectrum.background_back_scale = scaled / exposure;
    }
    if (!varying) return;
    spectrum.area_scales.assign(n, 0.0);
    spectrum.background_scales.assign(n, 0.0);
    for (std::size_t i = 0; i < source.counts.size(); ++i) {
        const auto c = static_cast<std::size_t>(source.channel[i] - source.first_channel);
        const double own = scale_of(source.back_scale, source.back_scales, i);
        spectrum.area_scales[c] = scale_of(source.area_scale, source.area_scales, i);
        spectrum.background_scales[c] = backgrounds.empty() ? 1.0
                                        : own > 0.0         ? scaled_by_channel[c] / (exposure * own)
                                                            : 0.0;
    }
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
    file.area_scale = scaling(fits, "AREASCAL", file.area_scales);
    file.back_scale = scaling(fits, "BACKSCAL", file.back_scales);
    file.has_back_scale = fits.column("BACKSCAL") != 0 || fits.number("BACKSCAL").has_value();
    file.own_backgrounds = read_own_backgrounds(fits, file);
    file.background_file = linked_file(fits, "BACKFILE");
    file.arf_file = linked_file(fits, "ANCRFILE");
    file.response_file = linked_file(fits, "RESPFILE");

    if (hdu->rows == 0) throw_unsupported(fits, "a spectrum without channels", "Give an OGIP spectrum.");
    const auto channels = fits.integers(channel);
    const std::int64_t lowest = *std::min_element(channels.begin(), channels.end());
    const auto declared = fits.own_number(fmt::format("TLMIN{}", channel));
    file.detector_channels = fits.whole_number(
        "DETCHANS", fits.number("DETCHANS").value_or(static_cast<double>(hdu->rows)), 1, max_channels);
    const bool whole = hdu->rows == file.detector_channels;
    file.first_channel =
        fits.whole_number("the first channel", whole ? static_cast<double>(lowest) : declared.value_or(1.0),
                          -max_channels, max_channels);
    std::vector<bool> seen(static_cast<std::size_t>(file.detector_channels));
    for (std::int64_t value : channels) {
        const std::int64_t index =
            std::clamp<std::int64_t>(value, -2 * max_channels, 2 * max_channels) - file.first_channel;
        if (index < 0 || index >= file.detector_channels || seen[static_cast<std::size_t>(index)])
            throw Error(ErrorKind::input, "CHANNEL_MISMATCH",
                        fmt::format("{}: channel {} is there twice or lies outside DETCHANS = {}", path,
                                    value, file.detector_channels));
        seen[static_cast<std::size_t>(index)] = true;
        file.channel.push_back(static_cast<int>(value));
    }
    for (SpectrumFile& background : file.own_backgrounds) {
        background.channel = file.channel;
        background.first_channel = file.first_channel;
        background.detector_channels = file.detector_channels;
    }
    return file;
}

std::vector<std::string> background_names(const std::string& text) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        std::string name = text.substr(at, end - at);
        name.erase(0, name.find_first_not_of(' '));
        name.erase(name.find_last_not_of(' ') + 1);
        if (!name.empty()) names.push_back(std::move(name));
        at = end + 1;
    }
    return names;
}

Spectrum assemble_spectrum(const SpectrumFile& source, const std::vector<SpectrumFile>& backgrounds,
                           const std::optional<EffectiveArea>& arf, const ResponseFile& response,
                           const AssembleOptions& options) {
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
    if (options.substituted) spectrum.flags |= spectrum_response_substituted;
    if (backgrounds.empty()) spectrum.flags |= spectrum_no_background;
    add_backgrounds(source, backgrounds, spectrum);
    if (arf) {
        bool interpolated = false;
        spectrum.arf_file = arf->file;
        spectrum.effective_area = area_on_response(*arf, matrix, interpolated);
        if (interpolated && !options.interpolate_area)
            throw Error(ErrorKind::input, "ARF_MISMATCH",
                        arf->file + ": its energies are not those of the response " + matrix.name,
                        fmt::format("{} bins in the ARF, {} in the response, or edges that differ",
                                    arf->area.size(), matrix.n_energies()),
                        "Make the ARF for that response; --repair interpolates it, flagged.");
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
