#pragma once
/// @file
/// Table models as FITS files (OGIP 92-009: XSPEC's atable and mtable).

#include <string>

#include <xsift/data/table_model.hpp>

namespace xsift::io {

/// Reads PARAMETERS, ENERGIES and SPECTRA. Values outside the tabulated energies are LOELIMIT and HIELIMIT,
/// or without these 0 of an additive model and 1 of a factor. Limits of a parameter are MINIMUM and MAXIMUM,
/// within its tabulated values; a negative DELTA freezes it.
/// @throws Error (input): TABLE_MODEL for what is no such table or holds additional parameters (NADDPARM),
/// and what FitsHandle throws.
TableModel read_table_model(const std::string& path);

/// Writes a table model so that XSPEC reads it too; replaces the file at once. How it was made goes into the
/// keyword MADEFROM, from which read_table_model has its origin (other files: MODLNAME).
/// @throws Error (usage, UNWRITABLE), Error (internal, DISK_FULL or WRITE_FAILED).
void write_table_model(const std::string& path, const TableModel& table);

}  // namespace xsift::io
