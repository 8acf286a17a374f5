#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kappa::cli::playground {

// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators"): one step.
constexpr uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// Random numbers that are a function of what they are for: the same names, the same numbers, on
// every machine and in whatever order they are asked for.
class Random {
 public:
  template <typename... Names>
  explicit constexpr Random(uint64_t seed, Names... names) : state_(seed) {
    ((state_ = mix(state_ ^ mix(static_cast<uint64_t>(names)))), ...);
  }

  constexpr uint64_t next() { return state_ = mix(state_); }
  // 0 <= result < bound.
  constexpr uint64_t below(uint64_t bound) { return next() % bound; }
  // 0 <= result < 1.
  constexpr double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// Picks an index with a chance in proportion to 1 / (rank + shift), rank from 1: Zipf's law, and
// with a shift Mandelbrot's, whose head is flatter.
class Zipf {
 public:
  Zipf() = default;
  // `ranks`: of each index, from 1.
  Zipf(const std::vector<uint32_t>& ranks, double shift);
  size_t pick(Random& random) const;
  size_t size() const { return cumulative_.size(); }

 private:
  std::vector<double> cumulative_;
};

}  // namespace kappa::cli::playground
