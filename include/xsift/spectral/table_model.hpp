#pragma once
/// @file
/// Models given as tables: spectra on a grid of parameters, interpolated (OGIP 92-009, XSPEC's atable and
/// mtable).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/data/table_model.hpp>
#include <xsift/spectral/energy_bins.hpp>

namespace xsift::spectral {

using xsift::TableAxis;
using xsift::TableModel;

/// @throws Error (input, TABLE_MODEL) when sizes contradict each other, or edges or axes do not ascend.
void check_table(const TableModel& table);

/// The embedded plasma emission table (AtomDB 2.0.2, abundances of Asplund et al. 2009; made by
/// scripts/make-apec-table.py): kT 0.034 to 27.25 keV x metal abundance 0 to 5, continued to 64 keV.
std::shared_ptr<const TableModel> embedded_apec();

/// Interpolates a table and rebins it to fixed energy bins. Not for concurrent use: it holds scratch space.
class TableInterpolator {
  public:
    /// @param redshift of the source: tabulated energies E appear at E/(1+z), photons are fewer by 1+z
    TableInterpolator(std::shared_ptr<const TableModel> table, const EnergyBins& bins, double redshift);

    /// Multilinear interpolation at one value an axis (kept within the tabulated ones).
    /// @param out one value a bin
    /// @param by one span an axis: derivative by its value, empty where not wanted
    void evaluate(std::span<const double> values, std::span<double> out,
                  std::span<const std::span<double>> by);

  private:
    const std::vector<double>& rebinned(std::size_t row);

    std::shared_ptr<const TableModel> table_;
    std::vector<std::int32_t> first_, count_;  ///< tabulated bins that a bin overlaps
    std::vector<double> weight_;
    std::vector<double> outside_;  ///< what a bin gets from beyond the table
    /// Tabulated spectra on the fit's bins, made when first asked for: a fit stays near a few of them.
    std::vector<std::vector<double>> rebinned_;
};

}  // namespace xsift::spectral
