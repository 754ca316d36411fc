#include "catalogue_file.hpp"
#include "literal_path.hpp"
#include "write_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <xsift/io/atomic_file.hpp>
#include <xsift/io/table_model_file.hpp>

namespace xsift::io {

namespace {

/// cfitsio calls on one file; the first failure is thrown.
class Writer {
  public:
    Writer(const std::string& path, std::string target) : target_(std::move(target)) {
        prepare_cfitsio();
        int status = 0;
        fitsfile* fits = nullptr;
        std::remove(path.c_str());  // the empty file that keeps the name: cfitsio writes none over
        errno = 0;
        fits_create_diskfile(&fits, literal_path(path).c_str(), &status);
        fits_.reset(fits);
        check(status);
        call(fits_create_img, BYTE_IMG, 0, nullptr);
    }
    template <typename Function, typename... Args>
    void call(Function function, Args... args) {
        int status = 0;
        function(fits_.get(), args..., &status);
        check(status);
    }
    void text(const char* key, const std::string& value) {
        call(fits_update_key_longstr, key, value.c_str(), nullptr);
    }
    void logical(const char* key, bool value) { call(fits_update_key_log, key, value ? 1 : 0, nullptr); }
    void number(const char* key, double value) { call(fits_update_key_dbl, key, value, -9, nullptr); }

    struct Column {
        std::string name, form, unit;
    };
    void table(const char* name, const char* kind, std::int64_t rows, const std::vector<Column>& columns) {
        std::vector<char*> names, forms, units;
        for (const Column& c : columns) {
            names.push_back(const_cast<char*>(c.name.c_str()));
            forms.push_back(const_cast<char*>(c.form.c_str()));
            units.push_back(const_cast<char*>(c.unit.c_str()));
        }
        call(fits_create_tbl, BINARY_TBL, rows, static_cast<int>(columns.size()), names.data(), forms.data(),
             units.data(), name);
        text("HDUCLASS", "OGIP");
        text("HDUCLAS1", "XSPEC TABLE MODEL");
        text("HDUCLAS2", kind);
        text("HDUVERS", "1.0.0");
    }
    void floats(int column, std::int64_t row, std::vector<float> values) {
        call(fits_write_col, TFLOAT, column, static_cast<LONGLONG>(row + 1), LONGLONG{1},
             static_cast<LONGLONG>(values.size()), static_cast<void*>(values.data()));
    }
    void integer(int column, std::int64_t row, int value) {
        call(fits_write_col, TINT, column, static_cast<LONGLONG>(row + 1), LONGLONG{1}, LONGLONG{1},
             static_cast<void*>(&value));
    }
    void word(int column, std::int64_t row, std::string value) {
        char* text = value.data();
        call(fits_write_col, TSTRING, column, static_cast<LONGLONG>(row + 1), LONGLONG{1}, LONGLONG{1},
             static_cast<void*>(&text));
    }
    void close() {
        int status = 0;
        fits_close_file(fits_.release(), &status);
        check(status);
    }

  private:
    void check(int status) const {
        if (status == 0) return;
        char text[FLEN_STATUS] = "";
        fits_get_errstatus(status, text);
        throw write_error(target_, is_out_of_space(errno) ? errno : 0, text);
    }
    std::string target_;
    catalogue::FitsHandle fits_;
};

std::string elements(std::size_t n, char of) {
    return std::to_string(n) + of;
}

}  // namespace

void write_table_model(const std::string& path, const TableModel& table) {
    AtomicFile file(path);
    Writer fits(file.temporary(), path);
    fits.text("MODLNAME", table.name.substr(0, 12));
    fits.text("MODLUNIT", table.additive ? "photons/cm^2/s" : " ");
    fits.text("MADEFROM", table.origin);
    fits.logical("ADDMODEL", table.additive);
    fits.logical("REDSHIFT", table.redshift);
    fits.number("LOELIMIT", table.below);
    fits.number("HIELIMIT", table.above);
    fits.text("HDUCLASS", "OGIP");
    fits.text("HDUCLAS1", "XSPEC TABLE MODEL");
    fits.text("HDUVERS", "1.0.0");

    std::size_t most = 0, rows = 1;
    for (const TableAxis& axis : table.axes) {
        most = std::max(most, axis.values.size());
        rows *= axis.values.size();
    }
    fits.table("PARAMETERS", "PARAMETERS", std::ssize(table.axes),
               {{"NAME", "12A", ""},
                {"METHOD", "1J", ""},
                {"INITIAL", "1E", ""},
                {"DELTA", "1E", ""},
                {"MINIMUM", "1E", ""},
                {"BOTTOM", "1E", ""},
                {"TOP", "1E", ""},
                {"MAXIMUM", "1E", ""},
                {"NUMBVALS", "1J", ""},
                {"VALUE", elements(most, 'E'), ""}});
    fits.number("NINTPARM", static_cast<double>(table.axes.size()));
    fits.number("NADDPARM", 0.0);
    for (std::size_t a = 0; a < table.axes.size(); ++a) {
        const TableAxis& axis = table.axes[a];
        const auto row = static_cast<std::int64_t>(a);
        const double step = 0.01 * std::max(axis.initial, 0.01);
        fits.word(1, row, axis.name);
        fits.integer(2, row, axis.logarithmic ? 1 : 0);
        int column = 3;
        for (const double value :
             {axis.initial, axis.frozen ? -step : step, axis.lo, axis.lo, axis.hi, axis.hi})
            fits.floats(column++, row, {static_cast<float>(value)});
        fits.integer(9, row, static_cast<int>(axis.values.size()));
        fits.floats(10, row, {axis.values.begin(), axis.values.end()});
    }
    fits.table("ENERGIES", "ENERGIES", std::ssize(table.edge) - 1,
               {{"ENERG_LO", "1D", "keV"}, {"ENERG_HI", "1D", "keV"}});
    std::vector<double> edge = table.edge;
    for (const int column : {1, 2})
        fits.call(fits_write_col, TDOUBLE, column, LONGLONG{1}, LONGLONG{1},
                  static_cast<LONGLONG>(edge.size() - 1), static_cast<void*>(edge.data() + column - 1));
    fits.table("SPECTRA", "MODEL SPECTRA", static_cast<std::int64_t>(rows),
               {{"PARAMVAL", elements(table.axes.size(), 'E'), ""},
                {"INTPSPEC", elements(table.n_bins(), 'E'), "photons/cm^2/s"}});
    for (std::size_t r = 0; r < rows; ++r) {
        std::vector<float> at(table.axes.size());
        for (std::size_t a = table.axes.size(), rest = r; a-- > 0; rest /= table.axes[a].values.size())
            at[a] = static_cast<float>(table.axes[a].values[rest % table.axes[a].values.size()]);
        const auto from = table.spectra.begin() + static_cast<std::ptrdiff_t>(r * table.n_bins());
        fits.floats(1, static_cast<std::int64_t>(r), std::move(at));
        fits.floats(2, static_cast<std::int64_t>(r),
                    {from, from + static_cast<std::ptrdiff_t>(table.n_bins())});
    }
    fits.close();
    file.commit();
}

}  // namespace xsift::io
