// A program of somebody else's, built against the installed package: uses a formula, an engine factory and I/O.
#include <iostream>

#include <xsift/cuda/factory.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/timing/z2.hpp>

int main(int, char** argv) {
    const xsift::ThreadPool pool(1);
    const xsift::engine::Engines engines = xsift::engine::make_cpu_engines(pool);
    const bool right = xsift::timing::z2_term(3.0, 4.0, 10.0) == 5.0 && engines.search->name() == "cpu" &&
                       xsift::cuda::availability().usable == xsift::cuda::availability().reason.empty() &&
                       !xsift::io::looks_like_hdf5(argv[0]);
    std::cout << engines.description << '\n';
    return right ? 0 : 1;
}
