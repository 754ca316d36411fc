// Readers of FITS files, and what must hold of what they return.

#include "calls.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include <xsift/core/error.hpp>
#include <xsift/io/atomdb_file.hpp>
#include <xsift/io/event_file.hpp>
#include <xsift/io/fits_file.hpp>
#include <xsift/io/light_curve_file.hpp>
#include <xsift/io/orbit_file.hpp>
#include <xsift/io/response_file.hpp>
#include <xsift/io/sky_map_file.hpp>
#include <xsift/io/spectrum_file.hpp>
#include <xsift/io/table_model_file.hpp>
#include <xsift/spectral/plasma_table.hpp>
#include <xsift/spectral/table_model.hpp>

namespace xsift::fuzz {

namespace {

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

}  // namespace

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

void read_events(const Input& input) {
    io::EventOptions plain, mending;
    mending.repair = true;
    mending.energy_lo = 0.3;
    mending.energy_hi = 10.0;
    try {
        check_events(io::read_events(input.path(), plain));
    } catch (const Error&) {
        check_events(io::read_events(input.path(), mending));
    }
}

void read_light_curve(const Input& input) {
    try {
        check_light_curve(io::read_light_curve(input.path()));
    } catch (const Error&) {
        check_light_curve(io::read_light_curve(input.path(), true));
    }
}

void read_spectrum(const Input& input) {
    static_cast<void>(io::summarise_fits(input.path()));
    const io::SpectrumFile s = io::read_spectrum(input.path());
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

void read_response(const Input& input) {
    const auto response = io::read_response(input.path()).response;
    check_response(*response);
    require(finite(response->value), "matrix values that are no numbers");
}

void read_area(const Input& input) {
    const io::EffectiveArea area = io::read_effective_area(input.path());
    require(area.energy_lo.size() == area.area.size() && area.energy_hi.size() == area.area.size(),
            "columns");
    Response response;
    response.energy_lo = {0.05, 0.06, 0.07};
    response.energy_hi = {0.06, 0.07, 0.08};
    bool interpolated = false;
    require(io::area_on_response(area, response, interpolated).size() == 3, "areas");
}

void read_map(const Input& input) {
    bool nested = false;
    const SkyMap map = io::read_sky_map(input.path(), nested);
    require(map.values.size() == static_cast<std::size_t>(12 * map.nside * map.nside), "pixels");
}

void read_orbit(const Input& input) {
    const io::Orbit orbit = io::read_orbit(input.path());
    require(finite(orbit.time) && finite(orbit.x) && finite(orbit.y) && finite(orbit.z), "positions");
    require(orbit.x.size() == orbit.time.size() && orbit.y.size() == orbit.time.size() &&
                orbit.z.size() == orbit.time.size(),
            "columns");
}

void read_table(const Input& input) {
    const TableModel table = io::read_table_model(input.path());
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

void read_atomdb(const Input& input) {
    // One file that is both of the pair: the tables hold the columns of lines and of continua.
    io::AtomDb files(input.path(), input.path());
    spectral::PlasmaTable table(spectral::Abundance::aspl, {0.1, 0.5, 1.0, 2.0, 10.0});
    for (std::size_t i = 0; i < files.temperatures().size(); ++i) table.add(files.read(i));
    spectral::check_table(std::move(table).finish("fuzz"));
}

}  // namespace xsift::fuzz
