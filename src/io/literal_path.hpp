#pragma once
/// @file
/// What cfitsio has to be given before it opens a file.

#include <string>

#include <fitsio.h>

namespace xsift::io {

/// Call before a file is opened. The library prepares itself with the first one, but looks whether it has
/// without a lock; here the first thread does it and the others wait.
inline void prepare_cfitsio() {
    [[maybe_unused]] static const int status = fits_init_cfitsio();
}

/// The path as cfitsio has to be given it: it would take a leading ~ for a home and drop leading blanks.
inline std::string literal_path(const std::string& path) {
    return path.starts_with('/') ? path : "./" + path;
}

}  // namespace xsift::io
