#include "fits_handle.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/atomdb_file.hpp>

namespace xsift::io {
namespace {

constexpr int most_elements = 118;

[[noreturn]] void throw_bad(const FitsHandle& fits, const std::string& why) {
    throw Error(ErrorKind::input, "ATOMDB", fits.path() + ": not a usable emissivity file of AtomDB", why,
                "Give apec_v*_line.fits and apec_v*_coco.fits of one release.");
}

int need(const FitsHandle& fits, std::string_view name) {
    const int column = fits.column(name);
    if (column == 0) throw_bad(fits, fmt::format("no column {} in HDU {}", name, fits.current().number));
    return column;
}

/// The tables of a file: PARAMETERS, then one a temperature.
std::vector<const HduInfo*> tables(const FitsHandle& fits) {
    std::vector<const HduInfo*> out;
    for (const HduInfo& hdu : fits.hdus())
        if (hdu.table) out.push_back(&hdu);
    if (out.empty() || !same_word(out.front()->name, "PARAMETERS"))
        throw_bad(fits, "its first table is not PARAMETERS");
    return out;
}

std::vector<double> read_temperatures(FitsHandle& fits) {
    const auto all = tables(fits);
    fits.select(*all.front());
    std::vector<double> kt = fits.numbers(need(fits, "kT"));
    if (kt.size() < 2) throw_bad(fits, "it holds fewer than two temperatures");
    for (std::size_t i = 0; i < kt.size(); ++i)
        if (!(kt[i] > (i > 0 ? kt[i - 1] : 0.0)) || std::isinf(kt[i]))
            throw_bad(fits, fmt::format("its temperatures do not ascend at row {}", i + 1));
    if (all.size() != kt.size() + 1)
        throw_bad(fits,
                  fmt::format("{} tables of emissivities for {} temperatures", all.size() - 1, kt.size()));
    return kt;
}

int element_of(const FitsHandle& fits, double z, std::size_t row) {
    if (!(z >= 1.0 && z <= most_elements) || z != std::floor(z))
        throw_bad(fits, fmt::format("row {} of HDU {} names element {}", row + 1, fits.current().number, z));
    return static_cast<int>(z);
}

bool usable(double value) {
    return value >= 0.0 && !std::isinf(value);
}

/// The first n values of a row's array, n from a column of its own.
std::vector<double> part(FitsHandle& fits, int column, std::size_t row, double n) {
    std::vector<double> values = fits.row_numbers(column, static_cast<std::int64_t>(row));
    if (!(n >= 0.0 && n <= static_cast<double>(values.size())))
        throw_bad(fits, fmt::format("row {} of HDU {}: {} values announced in {}, {} present", row + 1,
                                    fits.current().number, n, fits.column_name(column), values.size()));
    values.resize(static_cast<std::size_t>(n));
    return values;
}

void check_continuum(const FitsHandle& fits, const std::vector<double>& energy,
                     const std::vector<double>& value, std::size_t row) {
    for (std::size_t i = 0; i < energy.size(); ++i)
        if (!usable(energy[i]) || !usable(value[i]) || (i > 0 && energy[i] < energy[i - 1]))
            throw_bad(fits, fmt::format("the continuum of row {} of HDU {} does not ascend in energy, or is "
                                        "negative or not a number",
                                        row + 1, fits.current().number));
}

}  // namespace

struct AtomDb::Files {
    FitsHandle line, continuum;
};

AtomDb::AtomDb(const std::string& line_file, const std::string& continuum_file)
    : files_(new Files{FitsHandle(line_file), FitsHandle(continuum_file)}),
      temperatures_(read_temperatures(files_->line)) {
    const std::vector<double> other = read_temperatures(files_->continuum);
    const auto same = [](double a, double b) { return std::fabs(a - b) <= 1e-5 * b; };
    if (!std::equal(temperatures_.begin(), temperatures_.end(), other.begin(), other.end(), same))
        throw_bad(files_->continuum, "its temperatures are not those of " + line_file);
    FitsHandle& fits = files_->line;
    fits.select(*tables(fits)[1]);
    need(fits, "Lambda");
    fits.select(*tables(files_->continuum)[1]);
}

AtomDb::~AtomDb() = default;

PlasmaEmission AtomDb::read(std::size_t temperature) {
    PlasmaEmission out;
    out.temperature = temperatures_.at(temperature);

    FitsHandle& line = files_->line;
    line.select(*tables(line)[temperature + 1]);
    const std::vector<double> lambda = line.numbers(need(line, "Lambda")),
                              epsilon = line.numbers(need(line, "Epsilon")),
                              element = line.numbers(need(line, "Element"));
    for (std::size_t i = 0; i < lambda.size(); ++i) {
        if (!(lambda[i] > 0.0) || std::isinf(lambda[i]) || !usable(epsilon[i]))
            throw_bad(line, fmt::format("line {} of HDU {} has wavelength {} A and emissivity {}", i + 1,
                                        line.current().number, lambda[i], epsilon[i]));
        out.lines.push_back({kev_angstrom / lambda[i], epsilon[i], element_of(line, element[i], i)});
    }

    FitsHandle& coco = files_->continuum;
    coco.select(*tables(coco)[temperature + 1]);
    const std::vector<double> z = coco.numbers(need(coco, "Z")), ion = coco.numbers(need(coco, "rmJ")),
                              n_continuum = coco.numbers(need(coco, "N_Cont")),
                              n_pseudo = coco.numbers(need(coco, "N_Pseudo"));
    const int energy = need(coco, "E_Cont"), continuum = need(coco, "Continuum"),
              pseudo_energy = need(coco, "E_Pseudo"), pseudo = need(coco, "Pseudo");
    for (std::size_t i = 0; i < z.size(); ++i) {
        ElementContinuum c;
        c.element = element_of(coco, z[i], i);
        bool summed = false;
        for (std::size_t j = 0; j < z.size(); ++j) summed = summed || (z[j] == z[i] && ion[j] == 0.0);
        if (summed && ion[i] != 0.0) continue;
        c.energy = part(coco, energy, i, n_continuum[i]);
        c.continuum = part(coco, continuum, i, n_continuum[i]);
        c.pseudo_energy = part(coco, pseudo_energy, i, n_pseudo[i]);
        c.pseudo = part(coco, pseudo, i, n_pseudo[i]);
        check_continuum(coco, c.energy, c.continuum, i);
        check_continuum(coco, c.pseudo_energy, c.pseudo, i);
        out.continua.push_back(std::move(c));
    }
    return out;
}

}  // namespace xsift::io
