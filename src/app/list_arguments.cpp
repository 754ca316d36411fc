#include "list_arguments.hpp"

#include <fstream>

#include <xsift/core/error.hpp>

namespace xsift::app {

std::vector<std::string> expand_lists(const std::vector<std::string>& arguments) {
    std::vector<std::string> paths;
    for (const std::string& argument : arguments) {
        if (!argument.starts_with('@')) {
            paths.push_back(argument);
            continue;
        }
        std::ifstream list(argument.substr(1));
        if (!list)
            throw Error(ErrorKind::usage, "BAD_LIST", "cannot read the list " + argument.substr(1), "",
                        "Check its name; it holds a path a line.");
        for (std::string line; std::getline(list, line);)
            if (!line.empty()) paths.push_back(line);
    }
    return paths;
}

}  // namespace xsift::app
