#pragma once
/// @file
/// What went wrong while writing, told apart by errno.

#include <string>

#include <xsift/core/error.hpp>

namespace xsift::io {

/// True for a full disk, an exhausted quota or a file size limit.
bool is_out_of_space(int error_number) noexcept;

/// Error (internal, "DISK_FULL") when the number says so, else (internal, "WRITE_FAILED").
Error write_error(const std::string& path, int error_number, const std::string& detail = {});

}  // namespace xsift::io
