#pragma once
/// @file
/// Steps of one source whose failure must not stop its neighbours.

#include <exception>
#include <new>
#include <string>
#include <vector>

#include <xsift/core/error.hpp>
#include <xsift/core/step_limit.hpp>
#include <xsift/data/results.hpp>

namespace xsift::pipeline {

/// Runs one source's step; a failure, or more processor time than `limit` (s; 0: none), becomes a quarantine
/// row, the neighbours go on.
template <typename Step>
void guarded(const std::string& source, const std::string& input, const char* stage,
             std::vector<QuarantineRow>& quarantine, double limit, const Step& step) {
    const StepLimit bounded(limit);
    try {
        step();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::internal) throw;
        quarantine.push_back({source, input, stage, error.code(), error.what()});
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        quarantine.push_back({source, input, stage, "INTERNAL",
                              format_problem(std::string(stage) + " of " + input + " failed", error.what(),
                                             "Please report this with the input.")});
    }
}

}  // namespace xsift::pipeline
