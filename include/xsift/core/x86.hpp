#pragma once
/// @file
/// What an x86-64 processor can do, for the sources that choose between instruction sets.

namespace xsift {

inline bool has_avx2() {
    return __builtin_cpu_supports("avx2");
}
/// All that -march=x86-64-v4 takes for granted.
inline bool has_x86_64_v4() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

}  // namespace xsift
