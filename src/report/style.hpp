#pragma once
/// @file
/// Colours and rules that pages and plots share.

#include <string>

namespace xsift::report {

/// Custom properties of a selector, light and dark.
std::string palette(const std::string& selector);
/// Rules for what is inside <svg>.
extern const char* const plot_style;
/// Rules for pages.
extern const char* const page_style;

}  // namespace xsift::report
