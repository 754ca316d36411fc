#pragma once
/// @file
/// The record of how a catalogue was made (date, host, timings, device): everything that changes from run to
/// run.

#include <string>

#include <xsift/pipeline/run.hpp>

namespace xsift::pipeline {

/// JSON text for <output>.run.json.
std::string run_record(const RunOptions& options, const RunSummary& summary);

}  // namespace xsift::pipeline
