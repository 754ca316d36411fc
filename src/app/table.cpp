#include "table.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <xsift/core/printable.hpp>

namespace xsift::app {

namespace {

bool numeric(const std::string& cell) {
    return !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell.front())) || cell.front() == '-');
}

}  // namespace

void Table::add(std::vector<std::string> row) {
    for (std::string& cell : row) cell = printable(cell);
    rows_.push_back(std::move(row));
}

void Table::print() const {
    const std::size_t columns = rows_.front().size();
    std::vector<std::size_t> width(columns, 0);
    std::vector<bool> right(columns, true);
    for (std::size_t r = 0; r < rows_.size(); ++r)
        for (std::size_t c = 0; c < columns; ++c) {
            width[c] = std::max(width[c], rows_[r][c].size());
            if (r > 0 && !rows_[r][c].empty() && !numeric(rows_[r][c])) right[c] = false;
        }
    const bool header =
        std::any_of(rows_[0].begin(), rows_[0].end(), [](const auto& cell) { return !cell.empty(); });
    for (std::size_t r = header ? 0 : 1; r < rows_.size(); ++r) {
        std::string line;
        for (std::size_t c = 0; c < columns; ++c) {
            if (c > 0) line += "  ";
            line += right[c] ? fmt::format("{:>{}}", rows_[r][c], width[c])
                             : fmt::format("{:<{}}", rows_[r][c], width[c]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        fmt::print("{}\n", line);
    }
}

}  // namespace xsift::app
