#include "fits_handle.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/sky_object_file.hpp>

namespace xsift::io {

namespace {

/// Usual names of the columns of a property, lower case.
const std::map<std::string, std::vector<std::string>>& usual_names() {
    static const std::map<std::string, std::vector<std::string>> names{
        {"id", {"gaia_id", "source_id", "designation", "obj_id", "id", "name"}},
        {"ra", {"ra", "raj2000", "ra_icrs", "ra_deg"}},
        {"dec", {"dec", "dej2000", "de_icrs", "decj2000", "dec_deg"}},
        {"error", {"pos_err", "err_maj", "errmaj", "emaj", "sigra", "ra_error"}},
        {"error-minor", {"err_min", "errmin", "emin"}},
        {"error-angle", {"err_ang", "errpa", "epa", "err_pa"}},
        {"pmra", {"pmra"}},
        {"pmdec", {"pmdec", "pmde"}},
        {"parallax", {"parallax", "plx"}},
        {"parallax-error", {"parallax_error", "e_plx", "e_parallax"}},
        {"G", {"gmag", "phot_g_mean_mag"}},
        {"BP", {"bpmag", "phot_bp_mean_mag"}},
        {"RP", {"rpmag", "phot_rp_mean_mag"}},
        {"J", {"jmag", "j_m"}},
        {"H", {"hmag", "h_m"}},
        {"K", {"kmag", "ksmag", "k_m", "ks_m"}},
        {"W1", {"w1mag", "w1mpro"}},
        {"W2", {"w2mag", "w2mpro"}},
        {"W3", {"w3mag", "w3mpro"}},
        {"prior", {}},
    };
    return names;
}

/// A table that gives columns of some rows.
class Rows {
  public:
    virtual ~Rows() = default;
    /// Number of a column, counted from 1; 0: none.
    virtual int column(std::string_view name) const = 0;
    virtual std::string unit(int column) = 0;
    /// Goes to the next rows, at most n; false at the end.
    virtual bool next(std::int64_t n) = 0;
    virtual std::vector<double> numbers(int column) = 0;
    virtual std::vector<std::string> texts(int column) = 0;
};

class FitsRows : public Rows {
  public:
    FitsRows(const std::string& path, SkyObjectFile& file) : fits_(path) {
        const HduInfo* table = fits_.find_table([](const HduInfo&) { return true; });
        if (table == nullptr)
            throw Error(ErrorKind::usage, "BAD_SKY_OBJECTS", path + ": holds no table", {},
                        "Give a table of objects.");
        fits_.select(*table);
        file.area = fits_.number("SKYAREA").value_or(not_measured);
        file.epoch = fits_.number("EPOCH").value_or(not_measured);
    }
    int column(std::string_view name) const override { return fits_.column(name); }
    std::string unit(int column) override { return fits_.column_unit(column); }
    bool next(std::int64_t n) override {
        first_ += count_;
        count_ = std::min(n, fits_.current().rows - first_);
        return count_ > 0;
    }
    std::vector<double> numbers(int column) override { return fits_.numbers(column, first_, count_); }
    std::vector<std::string> texts(int column) override { return fits_.texts(column, first_, count_); }

  private:
    FitsHandle fits_;
    std::int64_t first_ = 0, count_ = 0;
};

class CsvRows : public Rows {
  public:
    explicit CsvRows(const std::string& path) : path_(path), in_(path) {
        std::string line;
        if (!in_ || !next_line(line))
            throw Error(ErrorKind::usage, "BAD_SKY_OBJECTS", path + ": cannot be read or is empty", {},
                        "Check the name.");
        header_ = split(line);
    }
    int column(std::string_view name) const override {
        for (std::size_t i = 0; i < header_.size(); ++i)
            if (same_word(header_[i], name)) return static_cast<int>(i) + 1;
        return 0;
    }
    std::string unit(int) override { return {}; }
    bool next(std::int64_t n) override {
        rows_.clear();
        std::string line;
        while (static_cast<std::int64_t>(rows_.size()) < n && next_line(line)) {
            rows_.push_back(split(line));
            if (rows_.back().size() != header_.size())
                throw Error(ErrorKind::usage, "BAD_SKY_OBJECTS", fmt::format("{}: line {}", path_, line_),
                            fmt::format("{} fields instead of {}", rows_.back().size(), header_.size()),
                            "Correct the line.");
        }
        return !rows_.empty();
    }
    std::vector<double> numbers(int column) override {
        std::vector<double> values;
        for (const auto& row : rows_) {
            const std::string& field = row[static_cast<std::size_t>(column - 1)];
            double value = not_measured;
            const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value);
            values.push_back(failure == std::errc{} && end == field.data() + field.size() ? value
                                                                                          : not_measured);
        }
        return values;
    }
    std::vector<std::string> texts(int column) override {
        std::vector<std::string> values;
        for (const auto& row : rows_) values.push_back(row[static_cast<std::size_t>(column - 1)]);
        return values;
    }

  private:
    bool next_line(std::string& line) {
        while (std::getline(in_, line)) {
            ++line_;
            if (!line.empty() && line.back() == '\r') line.pop_back();
            if (!line.empty() && line[0] != '#') return true;
        }
        return false;
    }
    static std::vector<std::string> split(const std::string& line) {
        std::vector<std::string> fields(1);
        bool quoted = false;
        for (const char c : line) {
            if (c == '"')
                quoted = !quoted;
            else if (c == ',' && !quoted)
                fields.emplace_back();
            else
                fields.back() += c;
        }
        return fields;
    }

    std::string path_;
    std::ifstream in_;
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
    std::int64_t line_ = 0;
};

bool is_fits(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string start(6, '\0');
    in.read(start.data(), static_cast<std::streamsize>(start.size()));
    return start.starts_with("SIMPLE") || start.starts_with("\x1f\x8b");
}

}  // namespace

SkyObjectFile describe_sky_objects(const std::string& path) {
    SkyObjectFile file;
    if (is_fits(path)) FitsRows(path, file);
    return file;
}

SkyObjectFile read_sky_objects(const std::string& path, const std::map<std::string, std::string>& columns,
                               std::int64_t rows, const std::function<void(const SkyObjects&)>& visit) {
    SkyObjectFile file;
    std::unique_ptr<Rows> table;
    if (is_fits(path))
        table = std::make_unique<FitsRows>(path, file);
    else
        table = std::make_unique<CsvRows>(path);
    const auto find = [&](const std::string& property) {
        const auto given = columns.find(property);
        if (given != columns.end()) {
            const int column = table->column(given->second);
            if (column == 0)
                throw Error(ErrorKind::usage, "BAD_SKY_OBJECTS",
                            fmt::format("{}: no column '{}'", path, given->second), {}, "Check its name.");
            return column;
        }
        for (const std::string& name : usual_names().at(property))
            if (const int column = table->column(name); column != 0) return column;
        return 0;
    };
    const int id = find("id"), ra = find("ra"), dec = find("dec");
    if (ra == 0 || dec == 0)
        throw Error(ErrorKind::usage, "BAD_SKY_OBJECTS",
                    path + ": no columns of right ascension and declination", {},
                    "Name them with ra= and dec=.");
    struct Wanted {
        int column;
        double scale;
        int error;
        std::vector<double> SkyObjects::*target;
    };
    std::vector<Wanted> wanted{{ra, 1.0, 0, &SkyObjects::ra}, {dec, 1.0, 0, &SkyObjects::dec}};
    const auto want = [&](const char* property, std::vector<double> SkyObjects::*target,
                          bool position_error) {
        const int column = find(property);
        if (column == 0) return;
        const bool mas = position_error && table->unit(column) == "mas";
        wanted.push_back({column, mas ? 1e-3 : 1.0, 0, target});
    };
    want("error", &SkyObjects::error_major, true);
    want("error-minor", &SkyObjects::error_minor, true);
    want("error-angle", &SkyObjects::error_angle, false);
    want("pmra", &SkyObjects::pm_ra, false);
    want("pmdec", &SkyObjects::pm_dec, false);
    want("parallax", &SkyObjects::parallax, false);
    want("parallax-error", &SkyObjects::parallax_error, false);
    want("prior", &SkyObjects::prior_magnitude, false);
    std::array<std::pair<int, int>, magnitude_bands.size()> magnitudes{};
    for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
        magnitudes[band].first = find(magnitude_bands[band]);
        if (magnitudes[band].first != 0)
            for (const std::string& name : usual_names().at(magnitude_bands[band]))
                if (table->column(name) == magnitudes[band].first)
                    magnitudes[band].second = table->column("e_" + name);
    }
    while (table->next(rows)) {
        SkyObjects objects;
        if (id != 0) objects.id = table->texts(id);
        for (std::string& name : objects.id)  // numbers come right-aligned
            name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
        for (const Wanted& item : wanted) {
            objects.*item.target = table->numbers(item.column);
            if (item.scale != 1.0)
                for (double& value : objects.*item.target) value *= item.scale;
        }
        for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
            if (magnitudes[band].first == 0) continue;
            objects.magnitude[band] = table->numbers(magnitudes[band].first);
            if (magnitudes[band].second == 0) continue;
            const std::vector<double> errors = table->numbers(magnitudes[band].second);
            for (std::size_t row = 0; row < errors.size(); ++row)
                if (!std::isfinite(errors[row])) objects.magnitude[band][row] = not_measured;
        }
        visit(objects);
    }
    return file;
}

}  // namespace xsift::io
