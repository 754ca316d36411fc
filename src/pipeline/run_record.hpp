#pragma once
/// @file
/// The record of how a catalogue was made (date, host, timings, device): everything that changes from run to
/// run.

#include <string>

#include <xsift/pipeline/run.hpp>

namespace xsift::pipeline {

/// Where the record of a catalogue goes: "catalogue.run.json" beside "catalogue.fits".
std::string run_record_path(const std::string& catalogue);

/// JSON text of the record.
std::string run_record(const RunOptions& options, const RunSummary& summary);

}  // namespace xsift::pipeline
