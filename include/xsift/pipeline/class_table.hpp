#pragma once
/// @file
/// Tables of sources to train a classifier with, or to classify, and model files.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <xsift/characterise/class_model.hpp>

namespace xsift::pipeline {

/// A row of a table of sources.
struct ClassTableRow {
    std::string name, label;  ///< empty: none
    characterise::Observables observed;
};

/// Reads a FITS or CSV table. @param columns names of columns by observable; those not given are looked for
/// under their usual names (docs/classes.md). A magnitude is not measured where its error column (E_ before
/// its name) is there and null: an upper limit. Bits 1, 2, 4 of floor say that the soft, medium, hard flux is
/// none.
/// @param depth magnitudes down to which all sources were looked for: one that has none is fainter. NaN: not
/// looked for, so that the absence of a magnitude says nothing.
/// @throws Error (usage, "BAD_CLASS_TABLE") for an observable or a named column that is not there.
std::vector<ClassTableRow> read_class_table(const std::string& path,
                                            const std::map<std::string, std::string>& columns,
                                            const Magnitudes& depth);

/// Depths from texts BAND=MAGNITUDE; NaN for other bands. @throws Error (usage, "BAD_SETTING").
Magnitudes read_depth(const std::vector<std::string>& texts);

/// The observables that a column can hold, with their usual names, for --help.
std::string class_table_help();

/// The embedded model for an empty path. @throws Error (corrupt_file, "BAD_CLASS_MODEL"; usage, "BAD_SETTING"
/// where the file cannot be read).
characterise::ClassModel read_class_model(const std::string& path);

/// CSV: NAME, LABEL, CLASS, P_CLASS, N_PROPERTIES, OUTLIER, P_<class> of every class, RIVAL, REASONS_FOR,
/// REASONS_AGAINST. CLASS and P_CLASS are empty where nothing is known.
std::string classify_table(const std::vector<ClassTableRow>& rows, const characterise::ClassModel& model,
                           const std::string& priors);

}  // namespace xsift::pipeline
