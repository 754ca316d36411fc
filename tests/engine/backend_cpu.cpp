#include "backend.hpp"

namespace xsift::test {

void BackendTest::SetUp() {
    engines = engine::make_cpu_engines(pool);
}

}  // namespace xsift::test
