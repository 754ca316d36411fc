#pragma once
/// @file
/// Text tables for the terminal.

#include <string>
#include <vector>

namespace xsift::app {

/// Columns aligned to their widest cell; cells that look like numbers to the right.
class Table {
  public:
    explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
    /// Cells come from files: what a terminal would obey is printed as '?'.
    void add(std::vector<std::string> row);
    bool empty() const { return rows_.size() == 1; }
    /// Prints to stdout; an all-empty header is left out.
    void print() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace xsift::app
