#pragma once
/// @file
/// The backend an engine suite runs on. The suites of tests/engine are compiled into one executable a
/// backend, and each of these defines BackendTest::SetUp once.

#include <gtest/gtest.h>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/factory.hpp>

namespace xsift::test {

class BackendTest : public ::testing::Test {
  protected:
    void SetUp() override;

    ThreadPool pool{2};
    engine::Engines engines;
};

}  // namespace xsift::test
