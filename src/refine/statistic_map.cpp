#include "descent.hpp"
#include "objective.hpp"
#include "two_scales.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/core/error.hpp>
#include <xsift/refine/statistic_map.hpp>

namespace xsift::refine {

namespace {

/// The coordinate of a parameter.
int coordinate_of(const Coordinates& c, int parameter) {
    const auto at = std::find(c.parameter.begin(), c.parameter.begin() + c.n_shape, parameter);
    if (at == c.parameter.begin() + c.n_shape)
        throw Error(ErrorKind::internal, "STATISTIC_MAP",
                    "a map needs two free parameters that are no norms");
    return static_cast<int>(at - c.parameter.begin());
}

}  // namespace

std::vector<double> statistic_map(std::span<const FitInput> spectra,
                                  const std::shared_ptr<const spectral::ModelDefinition>& model,
                                  spectral::Abundance abundance, std::span<const double> best, int x,
                                  std::span<const double> x_values, int y, std::span<const double> y_values,
                                  std::span<const double> factors) {
    std::vector<const FitData*> data;
    for (const FitInput& s : spectra) data.push_back(s.data);
    TwoScales scales(data, model, abundance);
    Objective& objective = scales.merged();
    const Coordinates& c = objective.coordinates();
    const int ix = coordinate_of(c, x), iy = coordinate_of(c, y);
    Mask held{};
    held[ix] = held[iy] = true;
    const bool others = c.n_shape > 2 || c.n_factors > 0;

    Vector start = objective.start(best);
    for (int k = 0; k < c.n_factors && k < static_cast<int>(factors.size()); ++k)
        start[c.first_factor() + k] = std::log(factors[static_cast<std::size_t>(k)]);
    Point point = objective.make_point(), scratch = objective.make_point(), spare = objective.make_point();
    // Weighs the merged energies with the model at the minimum: there they agree with the whole response.
    objective.evaluate(start, point);
    scales.settle(point);
    start = point.x;
    DescentEnd end;
    end.enough = 1e-3;
    std::vector<double> map(x_values.size() * y_values.size());
    Vector row_start = start;
    for (std::size_t j = 0; j < y_values.size(); ++j) {
        // Neighbours are good starting points: along a row from cell to cell, to the next row from its begin.
        Vector from = row_start;
        for (std::size_t i = 0; i < x_values.size(); ++i) {
            from[ix] = c.coordinate(ix, x_values[i]);
            from[iy] = c.coordinate(iy, y_values[j]);
            objective.evaluate(c.clipped(from), point);
            if (others) descend_between_kinks(objective, point, scratch, spare, false, held, end);
            from = point.x;
            if (i == 0) row_start = from;
            map[j * x_values.size() + i] = point.stat;
        }
    }
    return map;
}

}  // namespace xsift::refine
