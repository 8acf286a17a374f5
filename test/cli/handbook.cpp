#include "test/cli/handbook.h"

#include <filesystem>
#include <random>
#include <sstream>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/cli/import/byte_source.h"

namespace kappa::cli {

std::string handbook_file() {
  std::string file = KAPPA_SOURCE_DIR "/../shared/data/fraud/transactions.csv.zst";
  if (std::filesystem::exists(file)) return file;
  WARN("the handbook's data is not there: skipped");
  return "";
}

std::vector<Transaction> read_handbook(const std::string& path) {
  auto source = ByteSource::open(path);
  REQUIRE(source.ok());
  std::string text;
  std::string part(1u << 20, '\0');
  while (true) {
    const auto size = (*source)->read(part.data(), part.size());
    REQUIRE(size.ok());
    if (*size == 0) break;
    text.append(part, 0, *size);
  }
  std::vector<Transaction> all;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
    Transaction row{};
    if (!absl::SimpleAtoi(cells[0], &row.id)) continue;  // the header
    const std::vector<absl::string_view> amount = absl::StrSplit(cells[4], '.');
    int64_t cents = 0;
    const std::string hundredths = absl::StrCat(amount.size() > 1 ? amount[1] : "", "00");
    const bool good =
        absl::SimpleAtoi(cells[1], &row.time_ms) && absl::SimpleAtoi(cells[2], &row.customer) &&
        absl::SimpleAtoi(cells[3], &row.terminal) && absl::SimpleAtoi(amount[0], &row.cents) &&
        absl::SimpleAtoi(hundredths.substr(0, 2), &cents) && absl::SimpleAtoi(cells[5], &row.fraud);
    REQUIRE(good);
    row.cents = row.cents * 100 + cents;
    all.push_back(row);
  }
  return all;
}

std::string generated_handbook() {
  std::mt19937_64 random(7);
  std::ostringstream csv;
  csv << "transaction_id,event_time_ms,customer_id,terminal_id,amount,is_fraud,fraud_scenario\n";
  int64_t time_ms = 1'522'540'800'000;
  for (int64_t id = 0; id < 8'000; ++id) {
    time_ms += static_cast<int64_t>(random() % 4) * 500'000;
    const uint64_t cents = random() % 50'000;
    csv << id << ',' << time_ms << ',' << random() % 40 << ',' << random() % 25 << ','
        << cents / 100 << '.' << cents / 10 % 10 << cents % 10 << ',' << (random() % 10 == 0)
        << ",0\n";
  }
  return csv.str();
}

std::string mean_text(int64_t sum, int64_t n, int digits) {
  const __int128 scaled = static_cast<__int128>(sum) * 1'000'000;
  const auto value = static_cast<int64_t>((2 * scaled + n) / (2 * n));
  const int64_t unit = digits == 8 ? 100'000'000 : 1'000'000;
  const std::string fraction = absl::StrCat(unit + value % unit);
  return absl::StrCat(value / unit, ".", fraction.substr(1));
}

}  // namespace kappa::cli
