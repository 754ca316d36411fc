#pragma once
/// @file
/// Paths for cfitsio.

#include <string>

namespace xsift::io {

/// The path as cfitsio has to be given it: it would take a leading ~ for a home and drop leading blanks.
inline std::string literal_path(const std::string& path) {
    return path.starts_with('/') ? path : "./" + path;
}

}  // namespace xsift::io
