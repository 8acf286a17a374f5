#include "test/cli/served_sales_fraud.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace kappa::cli {

ServedSalesFraud::ServedSalesFraud(const Scratch& scratch)
    : scratch_(scratch), data_(scratch.path("data")), files_(scratch.path("sales_fraud")) {
  std::filesystem::copy(KAPPA_SOURCE_DIR "/schemas/sales_fraud", files_,
                        std::filesystem::copy_options::recursive);
  std::filesystem::create_directories(data_);
}

void ServedSalesFraud::serve() {
  serve_ = std::make_unique<Process>(
      scratch_.directory(),
      std::vector<std::string>{"serve", "--data", data_, "--product", files_, "--partitions", "1",
                               "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(serve_->wait_for_output("gRPC"));
}

Ended ServedSalesFraud::ask(std::vector<std::string> arguments, const std::string& input) const {
  arguments.insert(arguments.end(), {"--data", data_});
  return kappa(arguments, input);
}

Ended ServedSalesFraud::run(std::vector<std::string> arguments, const std::string& input) const {
  const Ended ended = ask(std::move(arguments), input);
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  return ended;
}

std::vector<std::string> ServedSalesFraud::query(const std::string& sql) const {
  std::vector<std::string> rows = absl::StrSplit(run({"query", sql}).out, '\n', absl::SkipEmpty());
  rows.erase(rows.begin());
  return rows;
}

void ServedSalesFraud::wait_for(const std::string& sql, const std::string& row) const {
  for (int i = 0; i < 600; ++i) {
    if (query(sql) == std::vector{row}) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL(sql << " did not become " << row << " in a minute");
}

nlohmann::json ServedSalesFraud::inspect(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = {"inspect", "--output", "json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return nlohmann::json::parse(run(arguments).out).at("products").at(0);
}

std::vector<std::string> ServedSalesFraud::alerts() const {
  std::vector<std::string> found;
  const std::string out = run({"consume", "fraud-alerts"}).out;
  for (const auto line : absl::StrSplit(out, '\n', absl::SkipEmpty())) {
    found.push_back(nlohmann::json::parse(line).at("transaction_id").get<std::string>());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void ServedSalesFraud::change(const std::string& file, const std::string& from,
                              const std::string& to) const {
  const std::string path = files_ + "/" + file;
  const std::string text = text_of_file(path);
  const std::string changed = absl::StrReplaceAll(text, {{from, to}});
  REQUIRE(changed != text);
  std::ofstream(path) << changed;
}

}  // namespace kappa::cli
