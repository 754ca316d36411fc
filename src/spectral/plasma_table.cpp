#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <xsift/spectral/models.hpp>
#include <xsift/spectral/plasma_table.hpp>
#include <xsift/spectral/table_model.hpp>

namespace xsift::spectral {

namespace {

/// Anders & Grevesse (1989), Asplund et al. (2009), Wilms et al. (2000), H to Zn, as XSPEC tabulates them.
constexpr std::array<std::array<double, 3>, 30> abundances{{
    {1.0, 1.0, 1.0},
    {9.77e-2, 8.51e-2, 9.77e-2},
    {1.45e-11, 1.12e-11, 0.0},
    {1.41e-11, 2.40e-11, 0.0},
    {3.98e-10, 5.01e-10, 0.0},
    {3.63e-4, 2.69e-4, 2.40e-4},
    {1.12e-4, 6.76e-5, 7.59e-5},
    {8.51e-4, 4.90e-4, 4.90e-4},
    {3.63e-8, 3.63e-8, 0.0},
    {1.23e-4, 8.51e-5, 8.71e-5},
    {2.14e-6, 1.74e-6, 1.45e-6},
    {3.80e-5, 3.98e-5, 2.51e-5},
    {2.95e-6, 2.82e-6, 2.14e-6},
    {3.55e-5, 3.24e-5, 1.86e-5},
    {2.82e-7, 2.57e-7, 2.63e-7},
    {1.62e-5, 1.32e-5, 1.23e-5},
    {3.16e-7, 3.16e-7, 1.32e-7},
    {3.63e-6, 2.51e-6, 2.57e-6},
    {1.32e-7, 1.07e-7, 0.0},
    {2.29e-6, 2.19e-6, 1.58e-6},
    {1.26e-9, 1.41e-9, 0.0},
    {9.77e-8, 8.91e-8, 6.46e-8},
    {1.00e-8, 8.51e-9, 0.0},
    {4.68e-7, 4.37e-7, 3.24e-7},
    {2.45e-7, 2.69e-7, 2.19e-7},
    {4.68e-5, 3.16e-5, 2.69e-5},
    {8.32e-8, 9.77e-8, 8.32e-8},
    {1.78e-6, 1.66e-6, 1.12e-6},
    {1.62e-8, 1.55e-8, 0.0},
    {3.98e-8, 3.63e-8, 0.0},
}};

constexpr double highest_metallicity = 5.0;
constexpr double per_norm = 1e14;  ///< photon/cm2/s at norm 1 for an emissivity of 1 photon cm3/s

/// Adds the integrals over the bins of a function that is linear between points, times a factor.
void add_integrals(const std::vector<double>& edge, const std::vector<double>& energy,
                   const std::vector<double>& value, double factor, std::vector<double>& bins) {
    for (std::size_t i = 0; i + 1 < energy.size(); ++i) {
        const double lo = energy[i], hi = energy[i + 1];
        if (!(hi > lo) || hi <= edge.front() || lo >= edge.back()) continue;
        const auto at = [&](double e) { return value[i] + (value[i + 1] - value[i]) * (e - lo) / (hi - lo); };
        const auto above = std::upper_bound(edge.begin(), edge.end(), lo) - edge.begin();
        for (auto b = static_cast<std::size_t>(std::max<std::ptrdiff_t>(above - 1, 0));
             b + 1 < edge.size() && edge[b] < hi; ++b) {
            const double from = std::max(lo, edge[b]), to = std::min(hi, edge[b + 1]);
            if (to > from) bins[b] += factor * (to - from) * 0.5 * (at(from) + at(to));
        }
    }
}

}  // namespace

double abundance_of(Abundance set, int element) {
    if (element < 1 || element > static_cast<int>(abundances.size())) return 0.0;
    const std::size_t column = set == Abundance::angr ? 0 : set == Abundance::aspl ? 1 : 2;
    return abundances[static_cast<std::size_t>(element - 1)][column];
}

bool is_scaled_metal(int element) {
    constexpr std::array<int, 12> metals{6, 7, 8, 10, 12, 13, 14, 16, 18, 20, 26, 28};
    return std::find(metals.begin(), metals.end(), element) != metals.end();
}

PlasmaTable::PlasmaTable(Abundance set, std::vector<double> edges) : set_(set), edge_(std::move(edges)) {}

void PlasmaTable::add(const PlasmaEmission& emission) {
    const std::size_t n = edge_.size() - 1;
    std::vector<double> fixed(n, 0.0), metals(n, 0.0);
    const auto factor = [&](int element) {
        const double computed_with = abundance_of(Abundance::angr, element);
        return computed_with > 0.0 ? per_norm * abundance_of(set_, element) / computed_with : 0.0;
    };
    for (const EmissionLine& line : emission.lines) {
        if (!(line.energy >= edge_.front() && line.energy < edge_.back())) continue;
        const auto bin = std::upper_bound(edge_.begin(), edge_.end(), line.energy) - edge_.begin() - 1;
        (is_scaled_metal(line.element) ? metals : fixed)[static_cast<std::size_t>(bin)] +=
            factor(line.element) * line.emissivity;
    }
    for (const ElementContinuum& c : emission.continua) {
        std::vector<double>& bins = is_scaled_metal(c.element) ? metals : fixed;
        add_integrals(edge_, c.energy, c.continuum, factor(c.element), bins);
        add_integrals(edge_, c.pseudo_energy, c.pseudo, factor(c.element), bins);
    }
    temperature_.push_back(emission.temperature);
    for (const double metallicity : {0.0, highest_metallicity})
        for (std::size_t i = 0; i < n; ++i)
            spectra_.push_back(static_cast<float>(fixed[i] + metallicity * metals[i]));
}

TableModel PlasmaTable::finish(const std::string& source) && {
    TableModel table;
    table.name = "apec";
    table.origin = source + ", abundances " + to_string(set_);
    table.redshift = true;
    const double lo = temperature_.front(), hi = temperature_.back();
    table.axes.push_back(
        {"kT", "keV", std::clamp(1.0, lo, hi), lo, hi, false, false, std::move(temperature_)});
    table.axes.push_back(
        {"Abundanc", "", 1.0, 0.0, highest_metallicity, true, false, {0.0, highest_metallicity}});
    table.edge = std::move(edge_);
    table.spectra = std::move(spectra_);
    check_table(table);
    return table;
}

TableModel with_hotter_plasma(TableModel table) {
    constexpr double hottest = 64.0, step = 1.11;
    TableAxis& kt = table.axes.front();
    const double last = kt.values.back();
    if (!(last < hottest) || kt.hi < last) return table;
    const std::size_t row_size = table.spectra.size() / kt.values.size();  // all abundances
    const std::size_t n_bins = table.n_bins(), from = table.spectra.size() - row_size;
    const auto n = static_cast<int>(std::ceil(std::log(hottest / last) / std::log(step)));
    const BremssDensity<double> tabulated(last);
    for (int k = 1; k <= n; ++k) {
        kt.values.push_back(k == n ? hottest : last * std::pow(hottest / last, static_cast<double>(k) / n));
        const BremssDensity<double> hotter(kt.values.back());
        for (std::size_t i = 0; i < row_size; ++i) {
            const std::size_t bin = i % n_bins;
            const double energy = 0.5 * (table.edge[bin] + table.edge[bin + 1]), at = tabulated(energy);
            const double ratio = at > 0.0 ? hotter(energy) / at : 0.0;
            table.spectra.push_back(static_cast<float>(ratio * table.spectra[from + i]));
        }
    }
    kt.hi = hottest;
    table.origin += fmt::format("; above {:.4g} keV times bremsstrahlung", last);
    return table;
}

}  // namespace xsift::spectral
