#pragma once
/// @file
/// AtomDB's emissivity files, as XSPEC has them: apec_v*_line.fits and apec_v*_coco.fits.

#include <memory>
#include <string>
#include <vector>

#include <xsift/data/plasma_emission.hpp>

namespace xsift::io {

/// A pair of files, read a temperature at a time. Both hold a table PARAMETERS with the temperatures (kT,
/// keV) and, in the same order, a table of emissivities for each: lines (Lambda in A, Epsilon, Element), or
/// continua (Z, rmJ, N_Cont, E_Cont, Continuum, N_Pseudo, E_Pseudo, Pseudo; arrays padded or of variable
/// length). Of an element's continua the row with rmJ 0, the sum over its ions, is taken, or the ions' rows
/// where it has none.
class AtomDb {
  public:
    /// @throws Error (input): ATOMDB when they are no such pair, and what FitsHandle throws.
    AtomDb(const std::string& line_file, const std::string& continuum_file);
    ~AtomDb();
    AtomDb(const AtomDb&) = delete;
    AtomDb& operator=(const AtomDb&) = delete;

    const std::vector<double>& temperatures() const { return temperatures_; }  ///< kT, keV, ascending
    PlasmaEmission read(std::size_t temperature);

  private:
    struct Files;
    std::unique_ptr<Files> files_;
    std::vector<double> temperatures_;
};

}  // namespace xsift::io
