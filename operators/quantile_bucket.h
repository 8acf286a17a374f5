#pragma once

#include <cstdint>

#include "engine/types/column.h"

namespace kappa::operators {

// The buckets that approx_quantile counts values in: 64 to each power of two, of equal width, and
// as many below zero; one for zero, one each for the infinities and NaN. Numbers of buckets ascend
// with the values. It is DDSketch (Masson, Rim and Lee, A Fast and Fully-Mergeable Quantile Sketch
// with Relative-Error Guarantees, 2019) with a linear mapping in place of the logarithm: it takes
// the bits of a double and so is the same on every machine.
int32_t quantile_bucket(double value);
// What stands for a bucket's values: the middle of them, at most 1/128 (0.8 %) of a value from it.
// (Of values below 2^-1022 the smallest: they may be off by 2^-1029.)
double quantile_of_bucket(int32_t bucket);

// The buckets of a column of numbers, null where it is.
Column quantile_buckets(const Column& values);

}  // namespace kappa::operators
