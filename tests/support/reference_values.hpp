#pragma once
/// @file
/// Tables of numbers in tests/data.

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <test_files.hpp>

namespace xsift::test {

/// A CSV table of numbers by column name.
class ReferenceTable {
  public:
    explicit ReferenceTable(const std::string& name) {
        std::ifstream in(data_path(name));
        std::string line, field;
        if (!std::getline(in, line)) throw std::runtime_error(name + " cannot be read");
        std::vector<std::string> names;
        for (std::istringstream header(line); std::getline(header, field, ',');) names.push_back(field);
        while (std::getline(in, line)) {
            std::istringstream fields(line);
            for (const std::string& column : names) {
                if (!std::getline(fields, field, ','))
                    throw std::runtime_error(name + ": a row is too short");
                columns_[column].push_back(std::stod(field));
            }
            ++rows_;
        }
    }
    std::size_t rows() const { return rows_; }
    const std::vector<double>& operator[](const std::string& column) const { return columns_.at(column); }

  private:
    std::map<std::string, std::vector<double>> columns_;
    std::size_t rows_ = 0;
};

}  // namespace xsift::test
