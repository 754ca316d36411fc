#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include <xsift/characterise/history.hpp>
#include <xsift/characterise/sky.hpp>
#include <xsift/core/error.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/pipeline/class_table.hpp>

namespace xsift::pipeline {

namespace {

/// Observables and their usual names, lower case.
const std::vector<std::pair<std::string, std::vector<std::string>>>& usual_names() {
    static const std::vector<std::pair<std::string, std::vector<std::string>>> names{
        {"name", {"name", "srcid", "id", "iauname"}},
        {"label", {"class", "label", "type"}},
        {"flux-s", {"f_s"}},
        {"flux-m", {"f_m"}},
        {"flux-h", {"f_h"}},
        {"flux", {"f_b", "flux"}},
        {"floor", {"floor"}},
        {"flux-2", {"f2", "ep_2_flux", "sc_ep_2_flux"}},
        {"flux-3", {"f3", "ep_3_flux", "sc_ep_3_flux"}},
        {"flux-4", {"f4", "ep_4_flux", "sc_ep_4_flux"}},
        {"flux-5", {"f5", "ep_5_flux", "sc_ep_5_flux"}},
        {"flux-8", {"f8", "ep_8_flux", "ep_tot_flux", "sc_ep_8_flux"}},
        {"flux-8-min", {"f8_min", "sc_ep_8_fmin"}},
        {"flux-8-max", {"f8_max", "sc_ep_8_fmax"}},
        {"p-intra", {"p_intra"}},
        {"p-inter", {"p_inter"}},
        {"p-constant", {"chi2prob", "sc_chi2prob", "st_pvalue"}},
        {"gamma", {"pl_gamma", "gamma"}},
        {"gamma-error", {"e_pl_gamma", "e_gamma"}},
        {"kt", {"kt"}},
        {"period", {"period"}},
        {"ra", {"ra", "raj2000"}},
        {"dec", {"dec", "dej2000"}},
        {"glat", {"glat", "bii"}},
        {"G", {"gmag", "phot_g_mean_mag", "gaia_g"}},
        {"BP", {"bpmag", "phot_bp_mean_mag"}},
        {"RP", {"rpmag", "phot_rp_mean_mag"}},
        {"J", {"jmag", "j_m"}},
        {"H", {"hmag", "h_m"}},
        {"K", {"kmag", "ksmag", "k_m"}},
        {"W1", {"w1mag", "w1mpro"}},
        {"W2", {"w2mag", "w2mpro"}},
        {"W3", {"w3mag", "w3mpro"}},
        {"parallax", {"parallax", "plx"}},
        {"parallax-error", {"parallax_error", "e_plx", "e_parallax"}},
        {"parallax-over-error", {"rplx", "parallax_over_error"}},
        {"distance", {"rgeo", "dist"}},
        {"pm", {"pm"}},
        {"pmra", {"pmra"}},
        {"pmdec", {"pmdec", "pmde"}},
    };
    return names;
}

[[noreturn]] void reject(const std::string& path, const std::string& why) {
    throw Error(
        ErrorKind::usage, "BAD_CLASS_TABLE", fmt::format("{}: no usable table of sources", path), why,
        "Name columns with --column OBSERVABLE=COLUMN; `xsift classify --help` lists the observables.");
}

/// The columns of a table by observable.
class Table {
  public:
    Table(const std::string& path, const std::map<std::string, std::string>& names)
        : columns_(io::read_table(path)) {
        for (const auto& [observable, column] : names) {
            const auto known =
                std::find_if(usual_names().begin(), usual_names().end(),
                             [&name = observable](const auto& one) { return one.first == name; });
            if (known == usual_names().end())
                reject(path, fmt::format("no observable '{}' is known", observable));
            if (column.empty()) continue;
            by_[observable] = find(column);
            if (by_[observable] == nullptr) reject(path, fmt::format("it has no column '{}'", column));
        }
        for (const auto& [observable, usual] : usual_names()) {
            if (names.contains(observable)) continue;
            for (auto name = usual.begin(); name != usual.end() && by_[observable] == nullptr; ++name)
                by_[observable] = find(*name);
        }
        for (const io::TableColumn& column : columns_) rows_ = std::max(rows_, column.rows());
    }
    std::size_t rows() const { return rows_; }
    bool has(const std::string& observable) const { return by_.at(observable) != nullptr; }
    double number(const std::string& observable, std::size_t row) const {
        const io::TableColumn* column = by_.contains(observable) ? by_.at(observable) : nullptr;
        return column == nullptr ? not_measured : column->as_number(row);
    }
    std::string text(const std::string& observable, std::size_t row) const {
        const io::TableColumn* column = by_.contains(observable) ? by_.at(observable) : nullptr;
        if (column == nullptr) return {};
        std::string value = column->as_text(row);
        value.erase(value.find_last_not_of(' ') + 1);
        return value;
    }
    /// A magnitude; NaN for an upper limit.
    double magnitude(const std::string& band, std::size_t row) const {
        const io::TableColumn* column = by_.contains(band) ? by_.at(band) : nullptr;
        if (column == nullptr) return not_measured;
        const io::TableColumn* error = find("e_" + column->name);
        return error != nullptr && !std::isfinite(error->as_number(row)) ? not_measured
                                                                         : column->as_number(row);
    }

  private:
    const io::TableColumn* find(const std::string& name) const { return io::find_column(columns_, name); }

    std::vector<io::TableColumn> columns_;
    std::map<std::string, const io::TableColumn*> by_;
    std::size_t rows_ = 0;
};

/// 0.5-7 keV from XMM-Newton's 0.2-12 keV, both by their share of the same power law.
double chandra_band_share() {
    return characterise::band_divisor("Chandra") / characterise::band_divisor("XMM");
}

void set_fluxes(const Table& table, std::size_t row, characterise::Observables& o) {
    const double floor = table.number("floor", row);
    const auto bits = floor >= 0.0 && floor <= 7.0 ? static_cast<unsigned>(floor) : 0u;
    const auto flux = [&](const char* name, unsigned bit) {
        const double value = table.number(name, row);
        return value > 0.0 && (bits & bit) == 0 ? value : not_measured;
    };
    characterise::set_bands_from_xmm(
        {flux("flux-2", 0), flux("flux-3", 0), flux("flux-4", 0), flux("flux-5", 0)}, o);
    const double soft = flux("flux-s", 1), medium = flux("flux-m", 2), hard = flux("flux-h", 4);
    if (table.has("flux-s")) o.flux_soft = soft;
    if (table.has("flux-m")) o.flux_medium = medium;
    if (table.has("flux-h")) o.flux_hard = hard;
    o.flux_broad = bits == 7 ? not_measured : flux("flux", 0);
    double xmm = flux("flux-8", 0);
    if (!std::isfinite(xmm)) xmm = std::sqrt(flux("flux-8-min", 0) * flux("flux-8-max", 0));
    if (!std::isfinite(o.flux_broad)) o.flux_broad = xmm * chandra_band_share();
}

std::string csv_text(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace

Magnitudes read_depth(const std::vector<std::string>& texts) {
    Magnitudes depth;
    depth.fill(not_measured);
    for (const std::string& text : texts) {
        const std::size_t equals = std::min(text.find('='), text.size());
        const auto band = std::find(magnitude_bands.begin(), magnitude_bands.end(), text.substr(0, equals));
        const std::string_view word = std::string_view(text).substr(std::min(equals + 1, text.size()));
        double value = 0.0;
        const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (band == magnitude_bands.end() || failure != std::errc{} || end != word.data() + word.size() ||
            !(value >= -10.0 && value <= 40.0))
            throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("depth '{}' is not usable", text),
                        "expected a band and a magnitude",
                        fmt::format("Use BAND=MAGNITUDE, as G=20.5; bands are {}.",
                                    fmt::join(magnitude_bands, ", ")));
        depth[static_cast<std::size_t>(band - magnitude_bands.begin())] = value;
    }
    return depth;
}

std::string class_table_help() {
    std::string help;
    for (const auto& [observable, usual] : usual_names())
        help += fmt::format("{}{} ({})", help.empty() ? "" : ", ", observable, fmt::join(usual, ", "));
    return help;
}

std::vector<ClassTableRow> read_class_table(const std::string& path,
                                            const std::map<std::string, std::string>& columns,
                                            const Magnitudes& depth) {
    const Table table(path, columns);
    std::vector<ClassTableRow> rows(table.rows());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        rows[row].name = table.text("name", row);
        rows[row].label = table.text("label", row);
        characterise::Observables& o = rows[row].observed;
        set_fluxes(table, row, o);
        o.p_intra = table.number("p-intra", row);
        if (!std::isfinite(o.p_intra)) o.p_intra = 1.0 - table.number("p-constant", row);
        o.p_inter = table.number("p-inter", row);
        o.gamma = table.number("gamma", row);
        o.gamma_error = table.number("gamma-error", row);
        o.kt = table.number("kt", row);
        o.period = table.number("period", row);
        o.galactic_latitude = table.number("glat", row);
        const double ra = table.number("ra", row), dec = table.number("dec", row);
        if (!std::isfinite(o.galactic_latitude) && std::isfinite(ra) && std::isfinite(dec))
            o.galactic_latitude = characterise::galactic(ra, dec).latitude;
        for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
            o.magnitude[band] = table.magnitude(magnitude_bands[band], row);
            // An upper limit of the catalogue may be brighter than its depth.
            const double given = table.number(magnitude_bands[band], row);
            if (!std::isfinite(o.magnitude[band]))
                o.fainter_than[band] = given < depth[band] ? given : depth[band];
        }
        o.parallax_over_error = table.number("parallax-over-error", row);
        const double parallax = table.number("parallax", row), error = table.number("parallax-error", row);
        if (!std::isfinite(o.parallax_over_error) && error > 0.0) o.parallax_over_error = parallax / error;
        o.distance = table.number("distance", row);
        if (!std::isfinite(o.distance) && parallax > 0.0) o.distance = 1000.0 / parallax;
        o.proper_motion = table.number("pm", row);
        if (!std::isfinite(o.proper_motion))
            o.proper_motion = std::hypot(table.number("pmra", row), table.number("pmdec", row));
    }
    return rows;
}

characterise::ClassModel read_class_model(const std::string& path) {
    if (path.empty()) return characterise::embedded_class_model();
    constexpr std::uintmax_t most_bytes = 64u << 20;
    std::error_code failure;
    const std::uintmax_t bytes = std::filesystem::file_size(path, failure);
    std::ifstream in(path, std::ios::binary);
    if (failure || !in)
        throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("class-model '{}' is not usable", path),
                    "the file cannot be read", "Check the name.");
    if (bytes > most_bytes)
        throw Error(ErrorKind::corrupt_file, "BAD_CLASS_MODEL", path + ": no usable class model",
                    fmt::format("it is larger than {} MiB", most_bytes >> 20),
                    "Make it again with `xsift train`.");
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return characterise::parse_class_model(text, path);
}

std::string classify_table(const std::vector<ClassTableRow>& rows, const characterise::ClassModel& model,
                           const std::string& priors) {
    const std::vector<double> log_prior = characterise::log_priors(model, priors);
    std::string csv = "NAME,LABEL,CLASS,P_CLASS,N_PROPERTIES,OUTLIER";
    for (const std::string& name : model.classes) csv += ",P_" + csv_text(name);
    csv += ",RIVAL,REASONS_FOR,REASONS_AGAINST\n";
    for (const ClassTableRow& row : rows) {
        const characterise::Classification found =
            characterise::classify(model, characterise::properties_of(row.observed), log_prior);
        csv += fmt::format("{},{},", csv_text(row.name), csv_text(row.label));
        if (found.best < 0) {
            csv += fmt::format(",,0,,{}\n", std::string(model.classes.size() + 2, ','));
            continue;
        }
        const ClassProbability best = characterise::class_rows(model, found, log_prior).front();
        csv += fmt::format("{},{:.6f},{},{}", csv_text(best.name), best.probability, found.n_properties,
                           found.unlike_training ? 1 : 0);
        for (const double p : found.probability) csv += fmt::format(",{:.6f}", p);
        csv += fmt::format(",{},{},{}\n", csv_text(best.rival), csv_text(best.reasons_for),
                           csv_text(best.reasons_against));
    }
    return csv;
}

}  // namespace xsift::pipeline
