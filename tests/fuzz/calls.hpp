#pragma once
/// @file
/// The readers by name, each called on an input and its result checked. Throws as Reader::read does.

#include "readers.hpp"

#include <xsift/data/spectrum.hpp>

namespace xsift::fuzz {

/// @throws std::logic_error with the text unless it holds.
void require(bool holds, const char* what);
void check_response(const Response& response);

void read_events(const Input& input);
void read_light_curve(const Input& input);
void read_spectrum(const Input& input);
void read_response(const Input& input);
void read_area(const Input& input);
void read_map(const Input& input);
void read_orbit(const Input& input);
void read_table(const Input& input);
void read_atomdb(const Input& input);

void read_sources(const Input& input);
void read_objects(const Input& input);
void read_class_table(const Input& input);
void read_flux_history(const Input& input);
void read_magnitude_prior(const Input& input);

void read_configuration(const Input& input);
void read_model(const Input& input);
void read_class_model(const Input& input);
void read_survey(const Input& input);
void read_catalogue(const Input& input);
void read_journal(const Input& input);

}  // namespace xsift::fuzz
