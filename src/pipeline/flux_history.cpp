#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include <xsift/characterise/history.hpp>
#include <xsift/core/error.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/pipeline/dossier_material.hpp>

namespace xsift::pipeline {

FluxHistory read_flux_history(const std::string& path, bool convert) {
    const auto fail = [&](const std::string& why, const std::string& what_to_do) {
        throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("history '{}' is not usable", path), why,
                    what_to_do);
    };
    const io::CsvTable table = io::read_csv(path);
    const auto column = [&](const char* name) {
        const int found = table.column(name);
        if (found < 0)
            fail(fmt::format("it has no column {}", name), "It needs srcid, mission, flux_lo and flux_hi.");
        return found;
    };
    const int id = column("srcid"), mission = column("mission"), lo = column("flux_lo"),
              hi = column("flux_hi"), flux = table.column("flux"), mjd = table.column("mjd");
    FluxHistory history;
    for (const auto& row : table.rows) {
        const auto text = [&](int c) -> const std::string& { return row[static_cast<std::size_t>(c)]; };
        const double divisor = convert ? characterise::band_divisor(text(mission)) : 1.0;
        if (!std::isfinite(divisor))
            fail(fmt::format("no band conversion is known for the mission '{}'", text(mission)),
                 "Convert the fluxes beforehand and use --history-convert false.");
        const auto value = [&](int c, double unit) {
            if (c < 0 || text(c).empty()) return not_measured;
            double parsed = not_measured;
            const char* const end = text(c).data() + text(c).size();
            const auto [stop, failure] = std::from_chars(text(c).data(), end, parsed);
            if (failure != std::errc{} || stop != end)
                fail(fmt::format("'{}' is no number", text(c)), "Leave unknown values empty.");
            return parsed / unit;
        };
        history[text(id)].push_back(
            {text(mission), value(mjd, 1.0), value(flux, divisor), value(lo, divisor), value(hi, divisor)});
    }
    return history;
}

}  // namespace xsift::pipeline
