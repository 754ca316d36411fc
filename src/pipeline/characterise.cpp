#include "characterise.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include <xsift/characterise/brightness.hpp>
#include <xsift/characterise/column_density.hpp>
#include <xsift/characterise/sky.hpp>
#include <xsift/core/error.hpp>
#include <xsift/io/sky_map_file.hpp>

namespace xsift::pipeline {

namespace {

bool same_name(const std::string& a, const std::string& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// Index of a column of the source list; -1 for no name.
int column_of(const std::vector<ExtraColumn>& columns, const std::string& name, const char* setting) {
    if (name.empty()) return -1;
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (same_name(columns[i].name, name) && columns[i].type != ExtraColumn::Type::text)
            return static_cast<int>(i);
    throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("{} = '{}' is not usable", setting, name),
                "the survey's source list has no column of numbers of that name",
                "`xsift info` on the survey lists its columns.");
}

SkyMap load_map(const std::string& path) {
    if (path.empty()) return characterise::embedded_column_map();
    bool nested = false;
    SkyMap map = io::read_sky_map(path, nested);
    if (!nested) return map;
    const characterise::HealpixRings rings(map.nside);
    std::vector<float> values(map.values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        values[static_cast<std::size_t>(rings.from_nested(static_cast<std::int64_t>(i)))] = map.values[i];
    map.values = std::move(values);
    return map;
}

bool has_position(const Source& source) {
    return std::isfinite(source.ra) && std::isfinite(source.dec);
}

}  // namespace

Characteriser::Characteriser(const CharacterOptions& options, double delta_stat,
                             const std::vector<ExtraColumn>& extra_columns)
    : options_(options),
      confidence_(std::erf(std::sqrt(0.5 * delta_stat))),
      nh_column_(column_of(extra_columns, options.nh_column, "nh-column")),
      parallax_column_(column_of(extra_columns, options.parallax_column, "parallax-column")),
      parallax_error_column_(
          column_of(extra_columns, options.parallax_error_column, "parallax-error-column")),
      g_column_(column_of(extra_columns, options.g_column, "g-column")) {
    if ((parallax_column_ < 0) != (parallax_error_column_ < 0))
        throw Error(ErrorKind::usage, "BAD_SETTING", "parallax-column and parallax-error-column go together");
    if (options.galactic_column && nh_column_ < 0) map_ = load_map(options.column_map);
}

std::vector<std::string> Characteriser::steps() const {
    std::vector<std::string> taken;
    if (options_.galactic_column) taken.emplace_back("column");
    if (parallax_column_ >= 0 || g_column_ >= 0) taken.emplace_back("distance");
    return taken;
}

std::vector<std::pair<std::string, std::string>> Characteriser::provenance() const {
    std::vector<std::pair<std::string, std::string>> tables;
    if (map_) tables.emplace_back("table column density " + map_->origin, map_->checksum);
    return tables;
}

double Characteriser::number(const Source& source, int column) {
    if (column < 0 || static_cast<std::size_t>(column) >= source.extra.size()) return not_measured;
    const ExtraValue& value = source.extra[static_cast<std::size_t>(column)];
    if (value.null) return not_measured;
    return std::isfinite(value.real) ? value.real : static_cast<double>(value.integer);
}

void Characteriser::add_column(SourceResult& result) const {
    Characterisation& character = result.character;
    if (nh_column_ >= 0) {
        character.nh_galactic = number(result.source, nh_column_);
        character.nh_origin = std::isfinite(character.nh_galactic) ? "source list " + options_.nh_column : "";
        character.flags |= character_nh_from_list;
    } else {
        constexpr double unit = 1e22;
        character.nh_galactic =
            characterise::column_density(*map_, result.source.ra, result.source.dec) / unit;
        character.nh_origin = std::isfinite(character.nh_galactic) ? map_->origin : "";
        if (!has_position(result.source)) character.flags |= character_no_position;
    }
    if (result.best_fit < 0) return;
    const SpectralFit& fit = result.fits[static_cast<std::size_t>(result.best_fit)];
    if (fit.flags & fit_nh_unconstrained) return;
    const auto comparison = characterise::compare_columns(fit.nh.lo, fit.nh.hi, character.nh_galactic);
    if (comparison == characterise::ColumnComparison::below) character.flags |= character_nh_below_galactic;
    if (comparison == characterise::ColumnComparison::above) character.flags |= character_nh_above_galactic;
}

void Characteriser::add_distance(SourceResult& result) const {
    Characterisation& character = result.character;
    const double parallax = number(result.source, parallax_column_),
                 error = number(result.source, parallax_error_column_);
    character.gaia_g = number(result.source, g_column_);
    const characterise::Distance distance = characterise::distance_of(
        parallax, error, {options_.parallax_zero_point, options_.distance_scale, confidence_});
    character.distance = distance.value;
    if (!std::isfinite(distance.value.value)) character.flags |= character_no_parallax;
    if (distance.from_prior) character.flags |= character_distance_from_prior;

    const Estimate flux =
        result.best_fit < 0 ? Estimate{} : result.fits[static_cast<std::size_t>(result.best_fit)].flux;
    if (!(flux.value > 0.0)) character.flags |= character_no_flux;
    if (!std::isfinite(character.gaia_g)) character.flags |= character_no_magnitude;
    character.luminosity = characterise::luminosity(flux, distance.value);
    character.optical_zero = options_.optical_zero;
    if (flux.value > 0.0)
        character.log_fx_fopt =
            std::log10(flux.value / characterise::optical_flux(character.gaia_g, options_.optical_zero));
}

void Characteriser::apply(std::vector<SourceResult>& results) const {
    const std::vector<std::string> taken = steps();
    const auto wanted = [&](const char* step) {
        return std::find(taken.begin(), taken.end(), step) != taken.end();
    };
    for (SourceResult& result : results) {
        if (wanted("column")) add_column(result);
        if (wanted("distance")) add_distance(result);
    }
}

}  // namespace xsift::pipeline
