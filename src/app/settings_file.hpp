#pragma once
/// @file
/// Settings from TOML text.

#include <istream>
#include <string>

#include <xsift/pipeline/configuration.hpp>

namespace xsift::app {

/// Applies sections and keys as --print-config prints them. @throws Error (usage) for anything else.
/// @param name of the text in messages
void apply_toml(std::istream& text, const std::string& name, const std::vector<pipeline::Setting>& settings);

}  // namespace xsift::app
