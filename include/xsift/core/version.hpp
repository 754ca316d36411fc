#pragma once
/// @file
/// The version of xsift; CMake refuses to configure when it differs from the project's.

namespace xsift {

inline constexpr const char* version = "0.1.0";

}  // namespace xsift
