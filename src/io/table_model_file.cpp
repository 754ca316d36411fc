#include "fits_handle.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/table_model_file.hpp>

namespace xsift::io {
namespace {

constexpr std::size_t most_values = std::size_t{1} << 28;  ///< a gigabyte of spectra

[[noreturn]] void throw_bad(const FitsHandle& fits, const std::string& why) {
    throw Error(ErrorKind::input, "TABLE_MODEL", fits.path() + ": not a usable table model", why,
                "Give an OGIP table model (OGIP 92-009).");
}

int need(const FitsHandle& fits, std::string_view name) {
    const int column = fits.column(name);
    if (column == 0) throw_bad(fits, fmt::format("no column {} in {}", name, fits.current().name));
    return column;
}

void select(FitsHandle& fits, std::string_view name) {
    const HduInfo* hdu = fits.find_table([&](const HduInfo& h) { return same_word(h.name, name); });
    if (hdu == nullptr) throw_bad(fits, fmt::format("no {} extension", name));
    fits.select(*hdu);
}

void read_axes(FitsHandle& fits, TableModel& table) {
    select(fits, "PARAMETERS");
    if (fits.own_number("NADDPARM").value_or(0.0) != 0.0)
        throw_bad(fits, "it holds additional parameters (NADDPARM), which are not supported");
    const std::vector<std::string> names = fits.texts(need(fits, "NAME"));
    const std::vector<double> method = fits.numbers(need(fits, "METHOD")),
                              initial = fits.numbers(need(fits, "INITIAL")),
                              delta = fits.numbers(need(fits, "DELTA")),
                              minimum = fits.numbers(need(fits, "MINIMUM")),
                              maximum = fits.numbers(need(fits, "MAXIMUM")),
                              count = fits.numbers(need(fits, "NUMBVALS"));
    for (std::size_t i = 0; i < names.size(); ++i) {
        TableAxis axis;
        axis.name = names[i];
        while (!axis.name.empty() && axis.name.back() == ' ') axis.name.pop_back();
        axis.values = fits.row_numbers(need(fits, "VALUE"), static_cast<std::int64_t>(i));
        if (!(count[i] >= 1.0 && count[i] <= static_cast<double>(axis.values.size())))
            throw_bad(fits, fmt::format("NUMBVALS of {} is {}", axis.name, count[i]));
        axis.values.resize(static_cast<std::size_t>(count[i]));
        if (method[i] != 0.0 && method[i] != 1.0)
            throw_bad(fits, fmt::format("METHOD of {} is {}", axis.name, method[i]));
        axis.logarithmic = method[i] == 1.0;
        axis.frozen = delta[i] < 0.0;
        axis.lo = std::max(minimum[i], axis.values.front());
        axis.hi = std::min(maximum[i], axis.values.back());
        if (!(axis.lo <= axis.hi)) throw_bad(fits, fmt::format("MINIMUM of {} is above MAXIMUM", axis.name));
        axis.initial = std::clamp(initial[i], axis.lo, axis.hi);
        table.axes.push_back(std::move(axis));
    }
}

void read_energies(FitsHandle& fits, TableModel& table) {
    select(fits, "ENERGIES");
    const std::vector<double> lo = fits.numbers(need(fits, "ENERG_LO")),
                              hi = fits.numbers(need(fits, "ENERG_HI"));
    if (lo.empty()) throw_bad(fits, "no energies");
    table.edge.push_back(lo.front());
    for (std::size_t i = 0; i < lo.size(); ++i) {
        constexpr double tolerance = 1e-5;  // of energies in single precision
        if (!(std::fabs(lo[i] - table.edge.back()) <= tolerance * hi[i]))
            throw_bad(fits, fmt::format("energies have a gap at {} keV", lo[i]));
        if (!(hi[i] > table.edge.back()))
            throw_bad(fits, fmt::format("an energy bin ends at {} keV, where it starts", hi[i]));
        table.edge.push_back(hi[i]);
    }
}

/// Index of a value on an axis.
std::size_t place(FitsHandle& fits, const TableAxis& axis, double value) {
    for (std::size_t i = 0; i < axis.values.size(); ++i)
        if (std::fabs(axis.values[i] - value) <= 1e-5 * std::max(std::fabs(value), std::fabs(axis.values[i])))
            return i;
    throw_bad(fits, fmt::format("{} is no tabulated value of {}", value, axis.name));
}

void read_spectra(FitsHandle& fits, TableModel& table) {
    select(fits, "SPECTRA");
    const int parameters = need(fits, "PARAMVAL"), spectrum = need(fits, "INTPSPEC");
    std::size_t rows = 1;
    for (const TableAxis& axis : table.axes) {
        rows *= axis.values.size();
        if (rows * table.n_bins() > most_values) throw_bad(fits, "it is too large");
    }
    if (fits.current().rows != static_cast<std::int64_t>(rows))
        throw_bad(fits, fmt::format("{} spectra for {} combinations of values", fits.current().rows, rows));
    table.spectra.assign(rows * table.n_bins(), 0.0F);
    std::vector<bool> filled(rows, false);
    for (std::int64_t row = 0; row < fits.current().rows; ++row) {
        const std::vector<double> at = fits.row_numbers(parameters, row);
        const std::vector<float> values = fits.row_floats(spectrum, row);
        if (at.size() != table.axes.size() || values.size() != table.n_bins())
            throw_bad(fits, fmt::format("row {} of SPECTRA has another size", row + 1));
        if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
            throw_bad(fits, fmt::format("row {} of SPECTRA holds values that are no numbers", row + 1));
        std::size_t index = 0;
        for (std::size_t a = 0; a < at.size(); ++a)
            index = index * table.axes[a].values.size() + place(fits, table.axes[a], at[a]);
        if (filled[index])
            throw_bad(fits, fmt::format("row {} of SPECTRA repeats a combination of values", row + 1));
        filled[index] = true;
        std::copy(values.begin(), values.end(),
                  table.spectra.begin() + static_cast<std::ptrdiff_t>(index * table.n_bins()));
    }
}

}  // namespace

TableModel read_table_model(const std::string& path) {
    FitsHandle fits(path);
    TableModel table;
    table.name = fits.base_name();
    read_axes(fits, table);
    const auto logical = [&](const char* key, bool otherwise) {
        const std::string text = fits.text(key);
        return text.empty() ? otherwise : text[0] == 'T' || text[0] == '1';
    };
    table.additive = logical("ADDMODEL", true);
    table.redshift = logical("REDSHIFT", false);
    table.origin = fits.text("MADEFROM");
    if (table.origin.empty()) table.origin = fits.text("MODLNAME");
    table.below = fits.number("LOELIMIT").value_or(table.additive ? 0.0 : 1.0);
    table.above = fits.number("HIELIMIT").value_or(table.additive ? 0.0 : 1.0);
    read_energies(fits, table);
    read_spectra(fits, table);
    ContentHash hash;
    for (const TableAxis& axis : table.axes) hash.update(std::span<const double>(axis.values));
    hash.update(std::span<const double>(table.edge));
    hash.update(std::span<const float>(table.spectra));
    table.hash = hash.digest();
    return table;
}

}  // namespace xsift::io
