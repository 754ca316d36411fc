#include "fits_handle.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>
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
    /// Goes to the next rows, at most n, and tells how many they are; 0 at the end.
    virtual std::int64_t next(std::int64_t n) = 0;
    /// A column of some of these rows, which ascend.
    virtual std::vector<double> numbers(int column, std::span<const std::size_t> rows) = 0;
    virtual std::vector<std::string> texts(int column, std::span<const std::size_t> rows) = 0;
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
    std::int64_t next(std::int64_t n) override {
        first_ += count_;
        count_ = std::min(n, fits_.current().rows - first_);
        return count_;
    }
    std::vector<double> numbers(int column, std::span<const std::size_t> rows) override {
        return by_runs<double>(
            rows, [&](std::int64_t first, std::int64_t n) { return fits_.numbers(column, first, n); });
    }
    std::vector<std::string> texts(int column, std::span<const std::size_t> rows) override {
        return by_runs<std::string>(
            rows, [&](std::int64_t first, std::int64_t n) { return fits_.texts(column, first, n); });
    }

  private:
    /// Reads rows that follow each other, or nearly so, together.
    template <typename T, typename Read>
    std::vector<T> by_runs(std::span<const std::size_t> rows, const Read& read) const {
        constexpr std::size_t near = 4;
        std::vector<T> values;
        values.reserve(rows.size());
        for (std::size_t begin = 0; begin < rows.size();) {
            std::size_t end = begin + 1;
            while (end < rows.size() && rows[end] - rows[end - 1] <= near) ++end;
            std::vector<T> run = read(first_ + static_cast<std::int64_t>(rows[begin]),
                                      static_cast<std::int64_t>(rows[end - 1] - rows[begin] + 1));
            for (; begin < end; ++begin)
                values.push_back(std::move(run[run.size() - 1 - (rows[end - 1] - rows[begin])]));
        }
        return values;
    }

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
        split(line);
        for (std::size_t i = 0; i < end_.size(); ++i) {
            const std::size_t begin = i == 0 ? 0 : end_[i - 1];
            header_.push_back(text_.substr(begin, end_[i] - begin));
        }
    }
    int column(std::string_view name) const override {
        for (std::size_t i = 0; i < header_.size(); ++i)
            if (same_word(header_[i], name)) return static_cast<int>(i) + 1;
        return 0;
    }
    std::string unit(int) override { return {}; }
    std::int64_t next(std::int64_t n) override {
        text_.clear();
        end_.clear();
        std::int64_t count = 0;
        for (std::string line; count < n && next_line(line); ++count) {
            const std::size_t before = end_.size();
            split(line);
            if (end_.size() - before != header_.size())
                throw Error(ErrorKind::usage, "BAD_SKY_OBJECTS", fmt::format("{}: line {}", path_, line_),
                            fmt::format("{} fields instead of {}", end_.size() - before, header_.size()),
                            "Correct the line.");
        }
        return count;
    }
    std::vector<double> numbers(int column, std::span<const std::size_t> rows) override {
        std::vector<double> values;
        values.reserve(rows.size());
        for (const std::size_t row : rows) {
            const std::string_view word = field(row, column);
            double value = not_measured;
            const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
            values.push_back(failure == std::errc{} && end == word.data() + word.size() ? value
                                                                                        : not_measured);
        }
        return values;
    }
    std::vector<std::string> texts(int column, std::span<const std::size_t> rows) override {
        std::vector<std::string> values;
        values.reserve(rows.size());
        for (const std::size_t row : rows) values.emplace_back(field(row, column));
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
    /// Appends the fields of a line, without their quotes, to the text.
    void split(const std::string& line) {
        bool quoted = false;
        for (const char c : line) {
            if (c == '"')
                quoted = !quoted;
            else if (c == ',' && !quoted)
                end_.push_back(text_.size());
            else
                text_ += c;
        }
        end_.push_back(text_.size());
    }
    std::string_view field(std::size_t row, int column) const {
        const std::size_t at = row * header_.size() + static_cast<std::size_t>(column) - 1;
        const std::size_t begin = at == 0 ? 0 : end_[at - 1];
        return std::string_view(text_).substr(begin, end_[at] - begin);
    }

    std::string path_;
    std::ifstream in_;
    std::vector<std::string> header_;
    std::string text_;              ///< the fields of the rows, one behind the other
    std::vector<std::size_t> end_;  ///< of each field in the text
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
                               std::int64_t rows, const ChooseObjects& choose,
                               const std::function<void(const SkyObjects&)>& visit) {
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
        std::vector<double> SkyObjects::*target;
    };
    std::vector<Wanted> places{{ra, 1.0, &SkyObjects::ra}, {dec, 1.0, &SkyObjects::dec}}, others;
    const auto want = [&](std::vector<Wanted>& list, const char* property,
                          std::vector<double> SkyObjects::*target, bool position_error = false) {
        const int column = find(property);
        if (column == 0) return;
        const bool mas = position_error && table->unit(column) == "mas";
        list.push_back({column, mas ? 1e-3 : 1.0, target});
    };
    want(places, "pmra", &SkyObjects::pm_ra);
    want(places, "pmdec", &SkyObjects::pm_dec);
    want(others, "error", &SkyObjects::error_major, true);
    want(others, "error-minor", &SkyObjects::error_minor, true);
    want(others, "error-angle", &SkyObjects::error_angle);
    want(others, "parallax", &SkyObjects::parallax);
    want(others, "parallax-error", &SkyObjects::parallax_error);
    want(others, "prior", &SkyObjects::prior_magnitude);
    std::array<std::pair<int, int>, magnitude_bands.size()> magnitudes{};
    for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
        magnitudes[band].first = find(magnitude_bands[band]);
        if (magnitudes[band].first != 0)
            for (const std::string& name : usual_names().at(magnitude_bands[band]))
                if (table->column(name) == magnitudes[band].first)
                    magnitudes[band].second = table->column("e_" + name);
    }
    std::vector<std::size_t> all;
    while (const std::int64_t count = table->next(rows)) {
        all.resize(static_cast<std::size_t>(count));
        std::iota(all.begin(), all.end(), std::size_t{0});
        SkyObjects positions;
        const auto fill = [&](const std::vector<Wanted>& list, SkyObjects& objects,
                              std::span<const std::size_t> of) {
            for (const Wanted& item : list) {
                objects.*item.target = table->numbers(item.column, of);
                if (item.scale != 1.0)
                    for (double& value : objects.*item.target) value *= item.scale;
            }
        };
        fill(places, positions, all);
        const std::vector<std::size_t> chosen = choose(positions);
        SkyObjects objects = positions.rows(chosen);
        if (id != 0) objects.id = table->texts(id, chosen);
        for (std::string& name : objects.id)  // numbers come right-aligned
            name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
        fill(others, objects, chosen);
        for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
            if (magnitudes[band].first == 0) continue;
            objects.magnitude[band] = table->numbers(magnitudes[band].first, chosen);
            if (magnitudes[band].second == 0) continue;
            const std::vector<double> errors = table->numbers(magnitudes[band].second, chosen);
            for (std::size_t row = 0; row < errors.size(); ++row)
                if (!std::isfinite(errors[row])) objects.magnitude[band][row] = not_measured;
        }
        visit(objects);
    }
    return file;
}

SkyObjectFile read_sky_objects(const std::string& path, const std::map<std::string, std::string>& columns,
                               std::int64_t rows, const std::function<void(const SkyObjects&)>& visit) {
    const auto all = [](const SkyObjects& positions) {
        std::vector<std::size_t> chosen(positions.size());
        std::iota(chosen.begin(), chosen.end(), std::size_t{0});
        return chosen;
    };
    return read_sky_objects(path, columns, rows, all, visit);
}

}  // namespace xsift::io
