#pragma once
/// @file
/// Version, date and host as JSON: what stands at the head of records and benchmarks.

#include <nlohmann/json.hpp>

namespace xsift::pipeline {

nlohmann::ordered_json machine_record();

}  // namespace xsift::pipeline
