#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {

// A copy of the data product sales_fraud whose files may change, and a server of it over a data
// directory of its own, whose topics have one partition each. A test fails where a call does.
class ServedSalesFraud {
 public:
  explicit ServedSalesFraud(const Scratch& scratch);  // outlives it
  // Starts the server. Before, the log may be filled by nobody but the commands run.
  void serve();

  const std::string& data() const { return data_; }
  const std::string& files() const { return files_; }

  // Runs `kappa ARGUMENTS… --data DATA`; run() requires that it ends with 0.
  Ended ask(std::vector<std::string> arguments, const std::string& input = "") const;
  Ended run(std::vector<std::string> arguments, const std::string& input = "") const;
  // The rows of a query, without its header, cells separated by tabs.
  std::vector<std::string> query(const std::string& sql) const;
  // Waits a minute for a query of one row to have this one.
  void wait_for(const std::string& sql, const std::string& row) const;
  // What `kappa inspect` says of the product.
  nlohmann::json inspect(const std::vector<std::string>& more = {}) const;
  // The transactions of the alerts that have left, sorted.
  std::vector<std::string> alerts() const;

  // One text in the place of another, which is there, in a file of the product.
  void change(const std::string& file, const std::string& from, const std::string& to) const;

 private:
  const Scratch& scratch_;
  const std::string data_;
  const std::string files_;
  std::unique_ptr<Process> serve_;
};

}  // namespace kappa::cli
