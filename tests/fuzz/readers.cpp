#include "readers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <settings_file.hpp>
#include <unistd.h>

#include <xsift/core/error.hpp>
#include <xsift/core/log.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/event_file.hpp>
#include <xsift/io/fits_file.hpp>
#include <xsift/io/light_curve_file.hpp>
#include <xsift/io/orbit_file.hpp>
#include <xsift/io/response_file.hpp>
#include <xsift/io/sky_map_file.hpp>
#include <xsift/io/sky_object_file.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/io/spectrum_file.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/io/table_model_file.hpp>
#include <xsift/pipeline/configuration.hpp>
#include <xsift/pipeline/journal.hpp>

namespace xsift::fuzz {

namespace {

void require(bool holds, const char* what) {
    if (!holds) throw std::logic_error(what);
}

template <typename Values>
bool finite(const Values& values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

void check_good_times(const GoodTimeIntervals& gti) {
    require(gti.start.size() == gti.stop.size(), "good times: unequal columns");
    require(finite(gti.start) && finite(gti.stop), "good times that are no numbers");
    for (std::size_t i = 0; i < gti.size(); ++i) {
        require(gti.start[i] <= gti.stop[i], "a reversed good time interval");
        require(i == 0 || gti.stop[i - 1] <= gti.start[i], "good times that overlap");
    }
}

void check_events(const EventList& events) {
    require(events.size() > 1, "too few events");
    require(finite(events.time) && std::is_sorted(events.time.begin(), events.time.end()), "unsorted times");
    require(events.energy.empty() || events.energy.size() == events.size(), "energies: another length");
    require(events.weight.empty() || events.weight.size() == events.size(), "weights: another length");
    check_good_times(events.gti);
}

void check_light_curve(const LightCurve& curve) {
    require(finite(curve.time) && std::is_sorted(curve.time.begin(), curve.time.end()), "unsorted bins");
    require(finite(curve.rate) && finite(curve.error), "rates or errors that are no numbers");
    require(curve.rate.size() == curve.size() && curve.error.size() == curve.size(), "columns differ");
    require(curve.fractional_exposure.empty() || curve.fractional_exposure.size() == curve.size(),
            "fractional exposures: another length");
}

void check_response(const Response& r) {
    const std::size_t groups = r.group_first.size();
    require(r.energy_hi.size() == r.n_energies(), "energies");
    require(r.channel_hi.size() == r.n_channels(), "channels");
    require(r.row_group.size() == r.n_energies() + 1 && r.row_group.front() == 0, "rows");
    require(std::is_sorted(r.row_group.begin(), r.row_group.end()), "rows do not ascend");
    require(static_cast<std::size_t>(r.row_group.back()) == groups, "rows end elsewhere than groups");
    require(r.group_count.size() == groups && r.group_value.size() == groups, "groups differ in length");
    for (std::size_t g = 0; g < groups; ++g) {
        require(r.group_first[g] >= 0 && r.group_count[g] >= 0, "a group without a place");
        require(static_cast<std::size_t>(r.group_first[g]) + static_cast<std::size_t>(r.group_count[g]) <=
                    r.n_channels(),
                "a group beyond the channels");
        require(r.group_value[g] >= 0 &&
                    static_cast<std::size_t>(r.group_value[g] + r.group_count[g]) <= r.value.size(),
                "a group beyond the values");
    }
}

void read_events(const std::string& path) {
    io::EventOptions plain, mending;
    mending.repair = true;
    mending.energy_lo = 0.3;
    mending.energy_hi = 10.0;
    try {
        check_events(io::read_events(path, plain));
    } catch (const Error&) {
        check_events(io::read_events(path, mending));
    }
}

void read_light_curve(const std::string& path) {
    try {
        check_light_curve(io::read_light_curve(path));
    } catch (const Error&) {
        check_light_curve(io::read_light_curve(path, true));
    }
}

void read_spectrum(const std::string& path) {
    static_cast<void>(io::summarise_fits(path));
    const io::SpectrumFile s = io::read_spectrum(path);
    const std::size_t n = s.channel.size();
    require(n > 0 && s.counts.size() == n && finite(s.counts), "counts");
    require(s.exposure.livetime > 0.0, "exposure");
    require(s.quality.empty() || s.quality.size() == n, "quality: another length");
    require(s.grouping.empty() || s.grouping.size() == n, "grouping: another length");
    // Put together with a response of its own channels.
    auto response = std::make_shared<Response>();
    response->energy_lo = {0.1, 1.0};
    response->energy_hi = {1.0, 10.0};
    response->first_channel = s.first_channel;
    const int channels = std::clamp(s.detector_channels, 1, 65536);
    for (int c = 0; c < channels; ++c) {
        response->channel_lo.push_back(0.1 + 0.01 * c);
        response->channel_hi.push_back(0.11 + 0.01 * c);
    }
    response->row_group = {0, 0, 0};
    const Spectrum spectrum = io::assemble_spectrum(s, s.own_backgrounds, std::nullopt, {response, false});
    require(spectrum.counts.size() == response->n_channels(), "channels of the assembled spectrum");
}

void read_response(const std::string& path) {
    const auto response = io::read_response(path).response;
    check_response(*response);
    require(finite(response->value), "matrix values that are no numbers");
}

void read_area(const std::string& path) {
    const io::EffectiveArea area = io::read_effective_area(path);
    require(area.energy_lo.size() == area.area.size() && area.energy_hi.size() == area.area.size(),
            "columns");
    Response response;
    response.energy_lo = {0.05, 0.06, 0.07};
    response.energy_hi = {0.06, 0.07, 0.08};
    bool interpolated = false;
    require(io::area_on_response(area, response, interpolated).size() == 3, "areas");
}

void read_sources(const std::string& path) {
    const io::SourceList list = io::read_source_list(path);
    for (const Source& source : list.sources)
        require(!source.id.empty() && source.extra.size() == list.extra_columns.size(), "a source");
}

void read_objects(const std::string& path) {
    static_cast<void>(io::describe_sky_objects(path));
    io::read_sky_objects(path, {}, 7, [](const SkyObjects& part) {
        require(part.size() <= 7 && part.dec.size() == part.ra.size(), "a part of a catalogue");
    });
}

void read_map(const std::string& path) {
    bool nested = false;
    const SkyMap map = io::read_sky_map(path, nested);
    require(map.values.size() == static_cast<std::size_t>(12 * map.nside * map.nside), "pixels");
}

void read_orbit(const std::string& path) {
    const io::Orbit orbit = io::read_orbit(path);
    require(finite(orbit.time) && finite(orbit.x) && finite(orbit.y) && finite(orbit.z), "positions");
    require(orbit.x.size() == orbit.time.size() && orbit.y.size() == orbit.time.size() &&
                orbit.z.size() == orbit.time.size(),
            "columns");
}

void read_table(const std::string& path) {
    const TableModel table = io::read_table_model(path);
    std::size_t spectra = 1;
    for (const TableAxis& axis : table.axes) {
        require(!axis.values.empty() && finite(axis.values), "values of an axis");
        require(std::is_sorted(axis.values.begin(), axis.values.end()), "an axis does not ascend");
        require(axis.lo >= axis.values.front() && axis.hi <= axis.values.back(), "limits outside the axis");
        spectra *= axis.values.size();
    }
    require(table.edge.size() > 1 && std::is_sorted(table.edge.begin(), table.edge.end()), "edges");
    require(table.spectra.size() == spectra * table.n_bins(), "spectra");
    require(finite(table.spectra), "spectra that are no numbers");
}

void read_configuration(const std::string& path) {
    pipeline::RunConfiguration configuration;
    std::ifstream text(path);
    app::apply_toml(text, "fuzz", pipeline::settings_of(configuration));
    // What was accepted can be printed and read again, and says the same.
    const std::string printed = pipeline::to_toml(configuration);
    pipeline::RunConfiguration again;
    std::istringstream printed_text(printed);
    app::apply_toml(printed_text, "printed", pipeline::settings_of(again));
    require(pipeline::to_toml(again) == printed, "settings change when printed and read again");
    // Names of tables are paths: a fuzzer shall not open what it makes up.
    const auto names_file = [](const std::string& model) { return model.find("table") != std::string::npos; };
    const auto& models = configuration.spectra.models;
    if (std::any_of(models.begin(), models.end(), names_file) ||
        printed.find("apec-table = \"\"") == std::string::npos)
        return;
    pipeline::read_model_tables(configuration.spectra);
}

void read_survey(const std::string& path) {
    io::SurveyReader survey(path);
    static_cast<void>(survey.describe());
    static_cast<void>(survey.provenance());
    static_cast<void>(survey.quarantine());
    static_cast<void>(survey.inputs());
    static_cast<void>(survey.truth());
    survey.visit_loads([](const io::SourceLoad&) {});
    for (const SourceData& source : survey.read(0, survey.size())) {
        for (const EventList& events : source.events)
            require(events.gti.start.size() == events.gti.stop.size(), "gti");
        for (const Spectrum& spectrum : source.spectra)
            if (spectrum.response) check_response(*spectrum.response);
    }
    static_cast<void>(survey.verify());
}

void read_catalogue(const std::string& path) {
    static_cast<void>(io::verify_catalogue(path));
    const io::CatalogueSummary summary = io::describe_catalogue(path);
    static_cast<void>(io::read_source_ids(path, 0, summary.info.n_sources));
    require(io::read_results(path, 0, summary.info.n_sources).size() ==
                static_cast<std::size_t>(summary.info.n_sources),
            "results");
}

void read_journal(const std::string& path) {
    if (pipeline::looks_like_journal(path)) static_cast<void>(pipeline::describe_journal(path));
    // The identity of the seed, which is a real run's: else nothing after it would be looked at.
    constexpr std::size_t identity_at = 64, identity_bytes = 39;
    std::string identity(identity_bytes, '\0');
    std::ifstream(path, std::ios::binary).seekg(identity_at).read(identity.data(), identity_bytes);
    pipeline::Journal journal(path, identity, true);
    std::int64_t seen = 0;
    journal.replay([&](const SourceResult&) { ++seen; });
    require(seen == journal.size(), "a journal that counts otherwise than it holds");
    journal.append(std::vector<SourceResult>(1));
    journal.replay([&](const SourceResult&) { --seen; });
    require(seen == -1, "what was appended is not there");
}

/// A file of the bytes, where there is one in memory, with a path that HDF5 accepts too.
class MemoryFile {
  public:
    explicit MemoryFile(std::span<const std::uint8_t> bytes)
        : path_(folder() / ("xsift-fuzz-" + std::to_string(::getpid()))) {
        std::ofstream file(path_, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!file.flush()) throw std::runtime_error("cannot write " + path_.string());
    }
    ~MemoryFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::string path() const { return path_.string(); }

  private:
    static std::filesystem::path folder() {
        const std::filesystem::path memory("/dev/shm");
        return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    }

    std::filesystem::path path_;
};

}  // namespace

const std::vector<Reader>& readers() {
    static const std::vector<Reader> all{
        {"events", Shape::fits, read_events},      {"light_curve", Shape::fits, read_light_curve},
        {"spectrum", Shape::fits, read_spectrum},  {"response", Shape::fits, read_response},
        {"area", Shape::fits, read_area},          {"source_list", Shape::fits, read_sources},
        {"source_csv", Shape::text, read_sources}, {"sky_objects", Shape::fits, read_objects},
        {"sky_map", Shape::fits, read_map},        {"orbit", Shape::fits, read_orbit},
        {"table_model", Shape::fits, read_table},  {"configuration", Shape::text, read_configuration},
        {"survey", Shape::hdf5, read_survey},      {"catalogue", Shape::fits, read_catalogue},
        {"journal", Shape::journal, read_journal},
    };
    return all;
}

const Reader& reader(const std::string& name) {
    std::string names;
    for (const Reader& candidate : readers()) {
        if (candidate.name == name) return candidate;
        names += std::string(" ") + candidate.name;
    }
    throw std::invalid_argument("no reader '" + name + "'; there are:" + names);
}

std::string run_once(const Reader& reader, std::span<const std::uint8_t> bytes) {
    static const bool quiet = (log::configure(log::Level::error, false), true);
    static_cast<void>(quiet);
    const MemoryFile file(bytes);
    try {
        reader.read(file.path());
        return {};
    } catch (const Error& refusal) {
        // Kinds that are the user's or the file's fault; "internal" would send the user to us.
        if (refusal.kind() != ErrorKind::internal) return refusal.what();
        std::fprintf(stderr, "%s: %s [%s]\n", reader.name, refusal.what(), refusal.code().c_str());
        std::abort();
    } catch (const std::exception& defect) {
        std::fprintf(stderr, "%s: %s\n", reader.name, defect.what());
        std::abort();
    }
}

}  // namespace xsift::fuzz
