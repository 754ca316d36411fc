#include "characterise.hpp"

#include "catalogue_text.hpp"
#include "class_properties.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include <xsift/characterise/brightness.hpp>
#include <xsift/characterise/column_density.hpp>
#include <xsift/characterise/counterparts.hpp>
#include <xsift/characterise/sky.hpp>
#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/sky_map_file.hpp>
#include <xsift/io/sky_object_file.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/pipeline/class_table.hpp>
#include <xsift/pipeline/dossier_material.hpp>

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

std::string checksum_of(const std::string& path) {
    try {
        return file_hash(path);
    } catch (const Error&) {
        throw Error(ErrorKind::usage, "BAD_SETTING", "cannot read " + path, "it is named in [characterise]",
                    "Check the name.");
    }
}

bool has_position(const Source& source) {
    return std::isfinite(source.ra) && std::isfinite(source.dec);
}

}  // namespace

Characteriser::Characteriser(const CharacterOptions& options, const spectral::FitOptions& fits,
                             const std::vector<ExtraColumn>& extra_columns)
    : options_(options),
      fits_(fits),
      confidence_(std::erf(std::sqrt(0.5 * fits.confidence_delta))),
      delta_stat_(fits.confidence_delta),
      nh_column_(column_of(extra_columns, options.nh_column, "nh-column")),
      parallax_column_(column_of(extra_columns, options.parallax_column, "parallax-column")),
      parallax_error_column_(
          column_of(extra_columns, options.parallax_error_column, "parallax-error-column")),
      g_column_(column_of(extra_columns, options.g_column, "g-column")),
      major_column_(column_of(extra_columns, options.position_major, "position-major-column")),
      minor_column_(column_of(extra_columns, options.position_minor, "position-minor-column")),
      angle_column_(column_of(extra_columns, options.position_angle, "position-angle-column")) {
    if ((parallax_column_ < 0) != (parallax_error_column_ < 0))
        throw Error(ErrorKind::usage, "BAD_SETTING", "parallax-column and parallax-error-column go together");
    if (options.galactic_column && nh_column_ < 0) map_ = load_map(options.column_map);
    if (map_) tables_.emplace_back("table column density " + map_->origin, map_->checksum);
    std::set<std::string> names;
    for (const std::string& catalogue : options.counterparts) {
        const CatalogueText parsed = parse_catalogue(catalogue);
        const std::string& path = parsed.file;
        if (!names.insert(parsed.options.name).second)
            throw Error(ErrorKind::usage, "BAD_SETTING",
                        fmt::format("counterparts '{}' is not usable", catalogue),
                        fmt::format("another catalogue is called '{}' too, and their candidates could not be "
                                    "told apart",
                                    parsed.options.name),
                        "Give one of them another name with name=N.");
        tables_.emplace_back("table " + std::filesystem::path(path).filename().string(), checksum_of(path));
    }
    if (!options.history.empty()) {
        tables_.emplace_back("table " + std::filesystem::path(options.history).filename().string(),
                             checksum_of(options.history));
        read_history();
    }
    if (options.classes) {
        class_model_ = read_class_model(options.class_model);
        log_prior_ = characterise::log_priors(*class_model_, options.class_priors);
        tables_.emplace_back("table class model " + class_model_->origin,
                             content_hash(characterise::to_text(*class_model_)));
    }
}

std::vector<std::string> Characteriser::steps() const {
    std::vector<std::string> taken;
    if (options_.galactic_column) taken.emplace_back("column");
    if (parallax_column_ >= 0 || g_column_ >= 0 || !options_.counterparts.empty())
        taken.emplace_back("distance");
    if (!options_.history.empty()) taken.emplace_back("history");
    if (options_.classes) taken.emplace_back("class");
    return taken;
}

std::vector<std::pair<std::string, std::string>> Characteriser::provenance() const {
    return tables_;
}

void Characteriser::prepare(const std::vector<Source>& sources, const ThreadPool& pool) {
    for (const std::string& catalogue : options_.counterparts) match(catalogue, sources, pool);
}

void Characteriser::match(const std::string& text, const std::vector<Source>& sources,
                          const ThreadPool& pool) {
    CatalogueText catalogue = parse_catalogue(text);
    std::vector<characterise::MatchSource> wanted;
    for (const Source& source : sources) {
        characterise::MatchSource& one = wanted.emplace_back();
        const bool usable = has_position(source) && source.position_error > 0.0;
        one.position = {usable ? source.ra : not_measured, source.dec};
        one.error = characterise::circular_error(source.position_error);
    }
    if (!options_.position_major.empty()) {
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const double major = number(sources[i], major_column_) * options_.position_scale,
                         minor = number(sources[i], minor_column_) * options_.position_scale,
                         angle = number(sources[i], angle_column_);
            if (has_position(sources[i]) && major > 0.0 && minor > 0.0 && std::isfinite(angle)) {
                wanted[i].position = {sources[i].ra, sources[i].dec};
                wanted[i].error = characterise::elliptical_error(major, minor, angle);
            }
        }
    }
    const io::SkyObjectFile header = io::describe_sky_objects(catalogue.file);
    if (!(catalogue.options.area > 0.0)) catalogue.options.area = header.area;
    if (!(catalogue.options.area > 0.0))
        throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("counterparts '{}' is not usable", text),
                    "the sky density needs the area of the catalogue",
                    "Add area=SQUARE_DEGREES (41252.96 for the whole sky) or the keyword SKYAREA.");
    const double epoch = std::isfinite(catalogue.epoch) ? catalogue.epoch : header.epoch;
    if (std::isfinite(epoch) && std::isfinite(options_.xray_epoch))
        catalogue.options.years = options_.xray_epoch - epoch;
    characterise::CounterpartMatcher matcher(wanted, catalogue.options);
    constexpr std::int64_t rows_a_part = 1 << 18;
    io::read_sky_objects(
        catalogue.file, catalogue.columns, rows_a_part,
        [&](const SkyObjects& positions) { return matcher.near(positions, pool); },
        [&](const SkyObjects& part) { matcher.take(part); });
    auto found = matcher.finish();
    const bool deep = std::any_of(catalogue.depth.begin(), catalogue.depth.end(),
                                  [](double magnitude) { return std::isfinite(magnitude); });
    for (std::size_t i = 0; i < sources.size(); ++i) {
        // Above this some object of the catalogue may well be the counterpart, and it is no limit.
        constexpr double credible = 0.1;
        if (deep && matcher.covers(i) && (found[i].empty() || found[i].front().p_any < credible)) {
            const auto [at, first] = fainter_.try_emplace(sources[i].id);
            Magnitudes& fainter = at->second;
            if (first) fainter.fill(not_measured);
            for (std::size_t band = 0; band < fainter.size(); ++band)
                fainter[band] =
                    std::fmax(fainter[band], catalogue.depth[band]);  // of NaN and a number the number
        }
        auto& all = counterparts_[sources[i].id];
        all.insert(all.end(), std::make_move_iterator(found[i].begin()),
                   std::make_move_iterator(found[i].end()));
    }
}

void Characteriser::read_history() {
    for (const auto& [id, observations] : read_flux_history(options_.history, options_.history_convert))
        for (const EarlierObservation& one : observations) history_[id].push_back({one.lo, one.hi});
}

void Characteriser::add_counterparts(SourceResult& result) const {
    Characterisation& character = result.character;
    if (const auto found = counterparts_.find(result.source.id); found != counterparts_.end())
        character.counterparts = found->second;
    bool certain = false;
    for (const Counterpart& one : character.counterparts) {
        certain |= one.p_any * one.p_i >= options_.counterpart_threshold;
        if (one.match_flag == 2) character.flags |= character_ambiguous;
    }
    if (!certain) character.flags |= character_no_counterpart;
    if (!has_position(result.source)) character.flags |= character_no_position;
}

Estimate Characteriser::flux_of(const SourceResult& result) {
    return result.best_fit < 0 ? Estimate{} : result.fits[static_cast<std::size_t>(result.best_fit)].flux;
}

characterise::EarlierFlux Characteriser::flux_within_sigma(const SourceResult& result) const {
    const Estimate flux = flux_of(result);
    const double to_sigma = 1.0 / std::sqrt(delta_stat_);  // the fit's interval has another confidence
    return {flux.value - (flux.value - flux.lo) * to_sigma, flux.value + (flux.hi - flux.value) * to_sigma};
}

void Characteriser::add_history(SourceResult& result) const {
    Characterisation& character = result.character;
    if (!(flux_of(result).value > 0.0)) character.flags |= character_no_flux;
    const auto found = history_.find(result.source.id);
    if (found == history_.end()) {
        character.flags |= character_no_history;
        return;
    }
    const characterise::EarlierFlux now = flux_within_sigma(result);
    const characterise::HistoryVerdict verdict =
        characterise::compare_with_history(now.lo, now.hi, found->second, options_.history_threshold);
    character.history_ratio = verdict.ratio;
    character.alert = verdict.type;
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

Characteriser::Astrometry Characteriser::astrometry(const SourceResult& result) const {
    Astrometry found{number(result.source, g_column_), number(result.source, parallax_column_),
                     number(result.source, parallax_error_column_)};
    // A column of the source list goes before counterparts.
    for (const Counterpart& one : result.character.counterparts) {
        if (one.match_flag != 1 || one.p_any * one.p_i < options_.counterpart_threshold) continue;
        if (g_column_ < 0 && !std::isfinite(found.g)) found.g = one.magnitude[0];
        if (!std::isfinite(found.v))
            found.v = characterise::johnson_v(one.magnitude[0], one.magnitude[1], one.magnitude[2]);
        if (parallax_column_ < 0 && !std::isfinite(found.parallax)) {
            found.parallax = one.parallax;
            found.parallax_error = one.parallax_error;
        }
    }
    return found;
}

void Characteriser::add_class(SourceResult& result) const {
    Characterisation& character = result.character;
    const Astrometry known = astrometry(result);
    const double significance = known.parallax_error > 0.0
                                    ? (known.parallax - options_.parallax_zero_point) / known.parallax_error
                                    : not_measured;
    characterise::Observables observed =
        observables_of(result, fits_, options_.counterpart_threshold, known.g, significance);
    if (const auto fainter = fainter_.find(result.source.id); fainter != fainter_.end())
        observed.fainter_than = fainter->second;
    if (const auto earlier = history_.find(result.source.id); earlier != history_.end()) {
        std::vector<characterise::EarlierFlux> fluxes = earlier->second;
        fluxes.push_back(flux_within_sigma(result));
        observed.p_inter = characterise::probability_of_variation(fluxes);
    }
    const characterise::Classification found =
        characterise::classify(*class_model_, characterise::properties_of(observed), log_prior_);
    constexpr int few = 3;
    if (found.n_properties < few) character.flags |= character_few_properties;
    if (found.unlike_training) character.flags |= character_unlike_training;
    if (found.best < 0) return;  // a class from the priors alone would be a guess
    character.classes = characterise::class_rows(*class_model_, found, log_prior_);
    character.class_name = character.classes.front().name;
    character.class_probability = character.classes.front().probability;
}

void Characteriser::add_distance(SourceResult& result) const {
    Characterisation& character = result.character;
    const auto [g, parallax, error, v] = astrometry(result);
    character.gaia_g = g;
    const characterise::Distance distance = characterise::distance_of(
        parallax, error, {options_.parallax_zero_point, options_.distance_scale, confidence_});
    character.distance = distance.value;
    if (!std::isfinite(distance.value.value)) character.flags |= character_no_parallax;
    if (distance.from_prior) character.flags |= character_distance_from_prior;

    const Estimate flux = flux_of(result);
    if (!(flux.value > 0.0)) character.flags |= character_no_flux;
    if (!std::isfinite(character.gaia_g)) character.flags |= character_no_magnitude;
    character.luminosity = characterise::luminosity(flux, distance.value);
    character.optical_zero = options_.optical_zero;
    if (flux.value > 0.0)
        character.log_fx_fopt =
            std::log10(flux.value / characterise::optical_flux(character.gaia_g, options_.optical_zero));
    if (flux.value > 0.0) character.log_fx_fv = characterise::maccacaro_ratio(flux.value, v);
}

void Characteriser::apply(std::vector<SourceResult>& results) const {
    const std::vector<std::string> taken = steps();
    const auto wanted = [&](const char* step) {
        return std::find(taken.begin(), taken.end(), step) != taken.end();
    };
    for (SourceResult& result : results) {
        if (wanted("column")) add_column(result);
        if (!options_.counterparts.empty()) add_counterparts(result);
        if (wanted("history")) add_history(result);
        if (wanted("distance")) add_distance(result);
        if (wanted("class")) add_class(result);  // last: it uses what the others found
    }
}

}  // namespace xsift::pipeline
