#include "machine_record.hpp"

#include <ctime>

#include <unistd.h>

#include <xsift/core/version.hpp>

namespace xsift::pipeline {

nlohmann::ordered_json machine_record() {
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    char date[32] = {};
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    nlohmann::ordered_json record;
    record["xsift"] = version;
    record["date"] = date;
    record["host"] = host;
    return record;
}

}  // namespace xsift::pipeline
