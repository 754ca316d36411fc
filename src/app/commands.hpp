#pragma once
/// @file
/// The commands of xsift: each adds its options to the parser and returns what to do when it was chosen.

#include <functional>

#include <CLI/CLI.hpp>

#include <xsift/core/error.hpp>

namespace xsift::app {

using Action = std::function<ExitCode()>;

Action add_ingest(CLI::App& app);
Action add_join(CLI::App& app);
Action add_simulate(CLI::App& app);
Action add_run(CLI::App& app);
Action add_plan(CLI::App& app);
Action add_merge(CLI::App& app);
Action add_info(CLI::App& app);
Action add_verify(CLI::App& app);
Action add_report(CLI::App& app);
Action add_bench(CLI::App& app);
Action add_train(CLI::App& app);
Action add_classify(CLI::App& app);
Action add_import_apec(CLI::App& app);

}  // namespace xsift::app
