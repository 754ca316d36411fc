// libFuzzer's entry points: `fuzz --reader=NAME CORPUS... [-max_total_time=S ...]`. scripts/fuzz calls it.

#include "mutate.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

const xsift::fuzz::Reader* chosen = nullptr;

}  // namespace

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

int LLVMFuzzerInitialize(int* argc, char*** argv) {
    for (int i = 1; i < *argc; ++i)
        if (const std::string argument = (*argv)[i]; argument.starts_with("--reader="))
            chosen = &xsift::fuzz::reader(argument.substr(std::strlen("--reader=")));
    if (chosen == nullptr) {
        std::fputs("--reader=NAME is missing\n", stderr);
        std::exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    xsift::fuzz::run_once(*chosen, {data, size});
    return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    xsift::RandomStream random(seed, 0);
    if (random.bits() % 4 == 0) return LLVMFuzzerMutate(data, size, most);
    std::vector<std::uint8_t> bytes(data, data + size);
    xsift::fuzz::mutate(chosen->shape, bytes, random);
    const std::size_t kept = std::min(bytes.size(), most);
    std::memcpy(data, bytes.data(), kept);
    return kept;
}

}  // extern "C"
