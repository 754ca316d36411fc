#pragma once
/// @file
/// Small surveys that use every field of the store.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <xsift/io/survey.hpp>

namespace xsift::io::test {

inline Exposure sample_exposure(const std::string& file) {
    Exposure exposure;
    exposure.file = file;
    exposure.mission = "XMM";
    exposure.instrument = "EPN";
    exposure.obs_id = "0760940101";
    exposure.exposure_id = "S003";
    exposure.mode = "PrimeFullWindow";
    exposure.filter = "Thin1";
    exposure.time_system = "TT";
    exposure.time_reference = "LOCAL";
    exposure.mjd_reference = 50814.0;
    exposure.time_zero = 5.5e8 + 0.125;
    exposure.frame_time = 0.0733650;
    exposure.livetime = 12345.5;
    exposure.flags = exposure_not_barycentred | exposure_no_gti;
    return exposure;
}

inline std::shared_ptr<const Response> sample_response() {
    auto response = std::make_shared<Response>();
    response->name = "epn_e3.rmf";
    response->first_channel = 1;
    response->energy_lo = {0.0, 0.5, 1.0};
    response->energy_hi = {0.5, 1.0, 2.0};
    response->channel_lo = {0.1, 0.6, 1.1, 1.6};
    response->channel_hi = {0.6, 1.1, 1.6, 2.1};
    response->row_group = {0, 1, 1, 3};
    response->group_first = {0, 0, 3};
    response->group_count = {2, 1, 1};
    response->group_value = {0, 2, 3};
    response->value = {0.25f, 0.75f, 0.5f, 0.125f};
    return response;
}

inline EventList sample_events() {
    EventList list;
    list.exposure = sample_exposure("pn.fits");
    list.time = {0.5, 1.25, 100.0};
    list.energy = {0.3f, 1.5f, 9.75f};
    list.weight = {1.0f, 0.5f, 0.25f};
    list.gti = {{0.0, 50.0}, {20.0, 200.0}};
    return list;
}

inline LightCurve sample_light_curve() {
    LightCurve curve;
    curve.exposure = sample_exposure("lc.fits");
    curve.time = {5.0, 15.0};
    curve.rate = {0.25, not_measured};
    curve.error = {0.0625, 0.5};
    curve.fractional_exposure = {1.0, 0.5};
    curve.bin_width = 10.0;
    return curve;
}

inline Spectrum sample_spectrum(std::shared_ptr<const Response> response) {
    Spectrum spectrum;
    spectrum.exposure = sample_exposure("srspec.fits");
    spectrum.flags = spectrum_response_substituted | spectrum_arf_interpolated;
    spectrum.counts = {1, 0, 7, 2};
    spectrum.quality = {0, 0, 5, 2};
    spectrum.grouping = {1, -1, 1, 0};
    spectrum.area_scale = 0.75;
    spectrum.back_scale = 1234.0;
    spectrum.area_scales = {0.75, 0.75, 0.0, 0.5};
    spectrum.background_scales = {3.0, 3.5, 0.0, 4.0};
    spectrum.background_file = "bgspec.fits";
    spectrum.background_counts = {3, 2, 1, 0};
    spectrum.background_exposure = 11111.0;
    spectrum.background_area_scale = 0.875;
    spectrum.background_back_scale = 4321.0;
    spectrum.arf_file = "srcarf.fits";
    spectrum.effective_area = {0.0, 512.5, 1024.25};
    spectrum.response_wanted = "epn_e3_ef20_sdY6.rmf";
    spectrum.response = std::move(response);
    return spectrum;
}

inline std::vector<ExtraColumn> sample_columns() {
    return {{"comment/by hand", "", ExtraColumn::Type::text},
            {"n_obs", "", ExtraColumn::Type::integer},
            {"flux", "erg/cm2/s", ExtraColumn::Type::real},
            {"comment_by hand", "", ExtraColumn::Type::text}};  // the same name for HDF5
}

inline ExtraValue text_value(const std::string& text) {
    return {text, not_measured, 0, false};
}
inline ExtraValue integer_value(std::int64_t number) {
    return {"", not_measured, number, false};
}
inline ExtraValue real_value(double number) {
    return {"", number, 0, false};
}

/// Everything set; nothing at all; every optional part absent and two spectra that share the response of the
/// first.
inline std::vector<SourceData> sample_sources() {
    std::vector<SourceData> sources(3);
    const auto response = sample_response();
    sources[0].source = {
        "SRC1", "4XMM J0146 \xCE\xB1",
        26.5,   61.75,
        0.5,    {text_value("\xE2\x98\x85 bright"), integer_value(-7), real_value(1.5e-14), text_value("")}};
    sources[0].events = {sample_events()};
    sources[0].light_curves = {sample_light_curve()};
    sources[0].spectra = {sample_spectrum(response)};

    sources[1].source.id = "2";
    sources[1].source.extra.resize(4);

    sources[2].source = {
        "\xC3\xA9toile", "",           0.0,
        -90.0,           not_measured, {ExtraValue{}, integer_value(0), ExtraValue{}, text_value("x")}};
    EventList bare;
    bare.exposure.file = "bare.fits";
    bare.time = {-1.0, 2.0};
    sources[2].events = {bare, EventList{}, sample_events()};
    LightCurve curve = sample_light_curve();
    curve.fractional_exposure.clear();
    curve.bin_width = not_measured;
    sources[2].light_curves = {curve};
    Spectrum plain;
    plain.counts = {4, 3, 2, 1};
    plain.response = response;
    sources[2].spectra = {plain, sample_spectrum(sample_response()), Spectrum{}};
    return sources;
}

inline void write_sample(const std::string& path, bool compress = true) {
    SurveyWriter writer(path, sample_columns(), {compress});
    for (const SourceData& source : sample_sources()) writer.add(source);
    writer.add_quarantine(
        {"SRC1", "mos.fits", "ingest", "NO_RESPONSE", "no response (not found). Give --response-path"});
    writer.add_quarantine({"", "empty.fits", "ingest", "EMPTY", ""});
    writer.add_input({"pn.fits", 5000000000, "xxh128:0123", "events"});
    writer.add_truth({"SRC1", 0.5, 0.25, "tbabs*powerlaw", 0.1, 1.7, 1e-5});
    writer.add_truth({"2", 0.0, 0.0, "", not_measured, not_measured, not_measured});
    writer.set_provenance("version", "0.1.0");
    writer.set_provenance("options", std::string(100000, 'o'));
    writer.set_provenance("empty", "");
    writer.finish();
}

}  // namespace xsift::io::test
