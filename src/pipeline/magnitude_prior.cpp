#include "magnitude_prior.hpp"

#include <cmath>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/source_list.hpp>

namespace xsift::pipeline {

characterise::MagnitudePrior read_magnitude_prior(const std::string& path) {
    const auto unusable = [&](const std::string& why) {
        return Error(ErrorKind::usage, "BAD_SETTING", fmt::format("magnitude prior {} is not usable", path),
                     why, "Give bins that follow each other: lo,hi,selected,others.");
    };
    const std::vector<io::TableColumn> columns = io::read_table(path);
    const auto values_of = [&](std::string_view name) {
        const io::TableColumn* column = io::find_column(columns, name);
        if (column == nullptr) throw unusable(fmt::format("it has no column {}", name));
        std::vector<double> values;
        for (std::size_t row = 0; row < column->rows(); ++row) {
            values.push_back(column->as_number(row));
            if (!std::isfinite(values.back()))
                throw unusable(fmt::format("{} of bin {} is no number", name, row + 1));
        }
        return values;
    };
    const std::vector<double> lo = values_of("lo"), hi = values_of("hi"), selected = values_of("selected"),
                              others = values_of("others");
    if (lo.empty()) throw unusable("it has no bins");
    characterise::MagnitudePrior prior;
    prior.edge.push_back(lo.front());
    for (std::size_t bin = 0; bin < lo.size(); ++bin) {
        if (prior.edge.back() != lo[bin]) throw unusable("its bins leave gaps");
        prior.edge.push_back(hi[bin]);
        if (!(hi[bin] > lo[bin] && selected[bin] >= 0.0 && others[bin] > 0.0))
            throw unusable("a bin is empty or its densities are not positive");
        prior.ratio.push_back(selected[bin] / others[bin]);
        if (!std::isfinite(prior.ratio.back())) throw unusable("a ratio of densities is no number");
    }
    return prior;
}

}  // namespace xsift::pipeline
