#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The payments of the Fraud Detection Handbook (Le Borgne et al.), as tests read them.
namespace kappa::cli {

struct Transaction {
  int64_t id;
  int64_t time_ms;
  int64_t customer;
  int64_t terminal;
  int64_t cents;
  int64_t fraud;  // 0 or 1
};

// The file with all of them; empty, with a warning, if it is not there.
std::string handbook_file();
// Of a CSV file, plain or packed, in its order.
std::vector<Transaction> read_handbook(const std::string& path);
// A CSV file of 70 days, many payments in one second or exactly some days apart.
std::string generated_handbook();

// sum / n as avg() has it, with six digits more than the sum, halves away from zero: of cents with
// 8, of counts with 6 digits.
std::string mean_text(int64_t sum, int64_t n, int digits);

}  // namespace kappa::cli
