#pragma once
/// @file
/// XSIFT_HD marks a formula that runs on the host and, when nvcc compiles the header, on the device too.

#ifdef __CUDACC__
#define XSIFT_HD __host__ __device__
#else
#define XSIFT_HD
#endif
