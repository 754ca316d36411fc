#include "catalogue_text.hpp"
#include "magnitude_prior.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/pipeline/class_table.hpp>

namespace xsift::pipeline {

CatalogueText parse_catalogue(const std::string& text) {
    CatalogueText found;
    found.depth.fill(not_measured);
    const auto reject = [&](const std::string& part) {
        throw Error(
            ErrorKind::usage, "BAD_SETTING", fmt::format("counterparts '{}' is not usable", text),
            fmt::format("'{}' is not understood", part),
            "Use FILE;name=N;area=DEG2;radius=ARCSEC;error=ARCSEC;completeness=P;epoch=YEAR;prior=FILE, "
            "depth.BAND=MAGNITUDE and col.PROPERTY=COLUMN.");
    };
    std::istringstream parts(text);
    std::getline(parts, found.file, ';');
    found.options.name = std::filesystem::path(found.file).stem().string();
    for (std::string part; std::getline(parts, part, ';');) {
        const std::size_t equals = part.find('=');
        if (equals == std::string::npos) reject(part);
        const std::string key = part.substr(0, equals), value = part.substr(equals + 1);
        const auto number = [&](double lo, double hi) {
            double parsed = not_measured;
            const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), parsed);
            if (failure != std::errc{} || end != value.data() + value.size() ||
                !(parsed >= lo && parsed <= hi))
                reject(part);
            return parsed;
        };
        if (key == "name")
            found.options.name = value;
        else if (key == "area")
            found.options.area = number(1e-9, 41253.0);
        else if (key == "radius")
            found.options.radius = number(1e-3, 300.0);
        else if (key == "error")
            found.options.default_error = number(0.0, 300.0);
        else if (key == "completeness")
            found.options.completeness = number(1e-6, 1.0);
        else if (key == "epoch")
            found.epoch = number(1800.0, 2200.0);
        else if (key == "prior")
            found.options.prior = read_magnitude_prior(value);
        else if (key.starts_with("depth.")) {
            const Magnitudes one = read_depth({part.substr(6)});
            for (std::size_t band = 0; band < one.size(); ++band)
                if (std::isfinite(one[band])) found.depth[band] = one[band];
        } else if (key.starts_with("col."))
            found.columns[key.substr(4)] = value;
        else
            reject(part);
    }
    return found;
}

}  // namespace xsift::pipeline
