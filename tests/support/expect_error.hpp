#pragma once
/// @file
/// Expects an xsift::Error of some code whose message names the file.

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>

namespace xsift::test {

inline void expect_error(const std::string& code, const std::string& named,
                         const std::function<void()>& action) {
    try {
        action();
        ADD_FAILURE() << "no error; expected " << code;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
    }
}

}  // namespace xsift::test
