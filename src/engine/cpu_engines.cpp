#include "cpu_grid.hpp"
#include "cpu_search.hpp"

#include <fmt/format.h>

#include <xsift/engine/factory.hpp>

namespace xsift::engine {

Engines make_cpu_engines(const ThreadPool& pool, const SearchCosts& costs) {
    return {"cpu", fmt::format("cpu ({} thread{})", pool.size(), pool.size() == 1 ? "" : "s"),
            make_cpu_search(pool, costs), make_cpu_grid(pool)};
}

}  // namespace xsift::engine
