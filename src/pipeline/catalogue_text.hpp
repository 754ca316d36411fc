#pragma once
/// @file
/// Catalogues to match as the configuration names them.

#include <map>
#include <string>

#include <xsift/characterise/counterparts.hpp>
#include <xsift/data/characterisation.hpp>

namespace xsift::pipeline {

/// FILE;name=N;area=DEG2;radius=ARCSEC;error=ARCSEC;completeness=P;epoch=YEAR;prior=FILE;depth.BAND=MAGNITUDE;
/// col.PROPERTY=COLUMN.
struct CatalogueText {
    std::string file;
    characterise::MatchOptions options;
    double epoch = not_measured;                 ///< yr
    Magnitudes depth{};                          ///< complete to these magnitudes; NaN: not said
    std::map<std::string, std::string> columns;  ///< by property, as io::read_sky_objects has them
};

/// @throws Error (usage, "BAD_SETTING") for what is not understood, and for a prior that cannot be read.
CatalogueText parse_catalogue(const std::string& text);

}  // namespace xsift::pipeline
