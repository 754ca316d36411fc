#pragma once
/// @file
/// Arguments that may be lists.

#include <string>
#include <vector>

namespace xsift::app {

/// Replaces each @FILE by the lines of that file: a command line does not hold the paths of thousands of
/// shards.
/// @throws Error (usage, "BAD_LIST").
std::vector<std::string> expand_lists(const std::vector<std::string>& arguments);

}  // namespace xsift::app
