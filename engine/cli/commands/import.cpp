#include "engine/cli/commands/import.h"

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/cli/import/import.h"
#include "engine/cli/value_json.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

absl::StatusOr<FileFormat> format_of(const ImportOptions& options) {
  if (options.format == "csv") return FileFormat::kCsv;
  if (options.format == "ndjson") return FileFormat::kNdjson;
  std::string name = options.file;
  for (const char* packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) name.resize(name.rfind('.'));
  }
  if (name.ends_with(".csv")) return FileFormat::kCsv;
  for (const char* ending : {".ndjson", ".jsonl"}) {
    if (name.ends_with(ending)) return FileFormat::kNdjson;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("what ", options.file == "-" ? "standard input" : options.file,
                   " holds is not clear from its name; say --format csv or --format ndjson"));
}

std::string bad_path(const ImportOptions& options) {
  if (!options.bad.empty()) return options.bad;
  return options.file == "-" ? "import.bad.ndjson" : options.file + ".bad.ndjson";
}

absl::StatusOr<std::optional<serve::TopicStatus>> find_topic(serve::Client& client,
                                                             const std::string& name) {
  KAPPA_ASSIGN_OR_RETURN(const auto topics, client.topics());
  for (const serve::TopicStatus& topic : topics) {
    if (topic.info.name == name) return std::optional(topic);
  }
  return std::optional<serve::TopicStatus>();
}

absl::StatusOr<serve::TopicStatus> open_topic(serve::Client& client, const ImportOptions& options) {
  KAPPA_ASSIGN_OR_RETURN(auto found, find_topic(client, options.topic));
  if (!found && options.create) {
    log::TopicConfig config;
    config.partitions = options.partitions;
    KAPPA_RETURN_IF_ERROR(client.create_topic(options.topic, config));
    KAPPA_ASSIGN_OR_RETURN(found, find_topic(client, options.topic));
  }
  if (found) return *std::move(found);
  return absl::NotFoundError(absl::StrCat("there is no topic ", options.topic,
                                          "; check its name, or make it with --create"));
}

// Only where it differs from what the text looks like: a source judges the rest itself.
FieldType type_of(const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      return FieldType::kBoolean;
    case TypeId::kText:
    case TypeId::kBytea:
      return FieldType::kText;
    default:
      return FieldType::kAuto;
  }
}

// What the products say of the topic. FailedPrecondition: its payloads are no JSON.
absl::StatusOr<DeclaredTypes> declared_types(const serve::ServerInfo& server,
                                             const std::string& topic) {
  DeclaredTypes types;
  for (const serve::ProductInfo& product : server.products) {
    for (const serve::DeclaredSource& source : product.sources) {
      if (source.topic != topic) continue;
      if (source.format != schemas::Format::kJson) {
        return absl::FailedPreconditionError(
            absl::StrCat("product ", product.name, " declares that topic ", topic,
                         " holds Protobuf messages; import makes JSON objects only"));
      }
      for (const operators::Field& field : source.fields) {
        types.emplace(field.name, type_of(field.type));
      }
    }
  }
  return types;
}

struct Summary {
  std::string id;
  int64_t appended = 0;
  int64_t already = 0;
  size_t bad = 0;
  std::string bad_file;
  double seconds = 0;
  bool was_finished = false;
  std::string completed;
};

void note_completed(const Summary& summary) {
  if (summary.completed.empty()) return;
  note(absl::StrCat("kappa: every window of ", summary.completed, " is closed\n"));
}

void print_summary(const ImportOptions& options, const Summary& summary) {
  const double rate =
      summary.seconds > 0 ? static_cast<double>(summary.appended) / summary.seconds : 0;
  if (options.output == OutputFormat::kJson) {
    nlohmann::ordered_json json;
    json["topic"] = options.topic;
    json["import"] = nullptr;
    if (!summary.id.empty()) json["import"] = summary.id;
    json["records"] = summary.appended;
    json["already"] = summary.already;
    json["bad_lines"] = summary.bad;
    json["bad_file"] = nullptr;
    if (summary.bad > 0) json["bad_file"] = summary.bad_file;
    json["completed"] = nullptr;
    if (!summary.completed.empty()) json["completed"] = summary.completed;
    json["seconds"] = summary.seconds;
    json["records_per_second"] = rate;
    print(json_text(json, /*one_line=*/true));
    return;
  }
  if (summary.was_finished) {
    note(absl::StrCat("kappa: ", options.topic, " has all of it already: ", summary.already,
                      " records of import ", summary.id,
                      "; import it once more under a new name with --id\n"));
    return note_completed(summary);
  }
  note(absl::StrCat("kappa: ", summary.appended, summary.appended == 1 ? " record" : " records",
                    " appended to ", options.topic,
                    absl::StrFormat(" in %.1f s (%.0f/s)", summary.seconds, rate)));
  if (summary.already > 0) note(absl::StrCat("; ", summary.already, " were there already"));
  if (summary.bad > 0) {
    note(absl::StrCat("; ", summary.bad, summary.bad == 1 ? " bad line" : " bad lines", " in ",
                      summary.bad_file));
  }
  note("\n");
  note_completed(summary);
}

// An import from the options to the summary.
class Command {
 public:
  explicit Command(const ImportOptions& options) : options_(options) {}

  int run() {
    const auto start = std::chrono::steady_clock::now();
    if (const absl::Status opened = open_file(); !opened.ok()) return failed(opened);
    if (const absl::Status connected = connect(); !connected.ok()) return failed(connected);
    absl::Status status = import();
    if (status.ok() && !completed_.empty()) {
      status = connection_->client().complete(completed_);
      if (status.ok()) summary_.completed = completed_;
    }
    summary_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (status.ok() || summary_.appended > 0) print_summary(options_, summary_);
    if (!status.ok()) return failed(status);
    return summary_.bad > 0 ? kExitBadLines : kExitOk;
  }

 private:
  // A wrong header or option is the user's to mend, like a wrong command line.
  int failed(const absl::Status& status) const {
    const int code = report(status);
    return usage_ ? kExitUsage : code;
  }

  absl::Status open_file() {
    usage_ = true;
    KAPPA_ASSIGN_OR_RETURN(const FileFormat format, format_of(options_));
    usage_ = false;
    KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, ByteSource::open(options_.file));
    summary_.id = options_.id;
    if (summary_.id.empty() && options_.file != "-") {
      KAPPA_ASSIGN_OR_RETURN(summary_.id, import_id_of(options_.file));
    }
    KAPPA_ASSIGN_OR_RETURN(reader_, RecordReader::open(std::move(source), format));
    usage_ = true;
    KAPPA_RETURN_IF_ERROR(
        Mapping::make(options_.mapping, columns(format), DeclaredTypes()).status());
    usage_ = false;
    format_ = format;
    return absl::OkStatus();
  }

  const std::vector<std::string>* columns(FileFormat format) const {
    return format == FileFormat::kCsv ? &reader_->columns() : nullptr;
  }

  absl::Status connect() {
    ConnectOptions connect = options_.connect;
    connect.command = "kappa import";
    connect.makes_directory = options_.create;
    connect.with_products = true;  // they check what is appended to their sources
    KAPPA_ASSIGN_OR_RETURN(connection_, Connection::open(std::move(connect)));
    return absl::OkStatus();
  }

  absl::Status import() {
    serve::Client& client = connection_->client();
    KAPPA_ASSIGN_OR_RETURN(const serve::ServerInfo server, client.inspect("", false));
    if (options_.complete) KAPPA_RETURN_IF_ERROR(find_product_to_complete(server));
    KAPPA_ASSIGN_OR_RETURN(const DeclaredTypes declared, declared_types(server, options_.topic));
    KAPPA_ASSIGN_OR_RETURN(Mapping mapping,
                           Mapping::make(options_.mapping, columns(format_), declared));
    KAPPA_ASSIGN_OR_RETURN(const serve::TopicStatus topic, open_topic(client, options_));
    KAPPA_ASSIGN_OR_RETURN(ImportLedger ledger,
                           ImportLedger::open(&client, summary_.id, topic, mapping.description()));
    if (ledger.finished()) {
      summary_.already = ledger.records();
      summary_.was_finished = true;
      return absl::OkStatus();
    }
    BadLines bad(bad_path(options_));
    Import import({options_.topic, topic.info.config.partitions, options_.bad_max}, &client,
                  reader_.get(), &mapping, &ledger, &bad);
    const absl::Status status = import.run();
    summary_.appended = import.appended();
    summary_.already = import.already();
    summary_.bad = bad.count();
    summary_.bad_file = bad.path();
    return status;
  }

  // Closes the windows of the product that reads the topic. It is looked for before anything is
  // imported.
  absl::Status find_product_to_complete(const serve::ServerInfo& server) {
    std::vector<std::string> names;
    for (const serve::ProductInfo& product : server.products) {
      for (const serve::DeclaredSource& source : product.sources) {
        const bool wanted = options_.product.empty() || options_.product == product.name;
        if (source.topic == options_.topic && wanted) names.push_back(product.name);
      }
    }
    if (names.size() == 1) {
      completed_ = names[0];
      return absl::OkStatus();
    }
    if (names.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--complete: several products read topic ", options_.topic,
                       "; name one with --product: ", absl::StrJoin(names, ", ")));
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "--complete closes the windows of a product, and ",
        options_.product.empty() ? "no product" : "no product " + options_.product,
        " here reads topic ", options_.topic, "; start one first: kappa serve --product DIR"));
  }

  const ImportOptions& options_;
  bool usage_ = false;
  std::string completed_;  // the product whose windows are closed at the end
  FileFormat format_ = FileFormat::kCsv;
  std::unique_ptr<RecordReader> reader_;
  std::unique_ptr<Connection> connection_;
  Summary summary_;
};

}  // namespace

int run_import(const ImportOptions& options) {
  const absl::Status log = check_log_choice(options.connect.log);
  if (!log.ok()) {
    report(log);
    return kExitUsage;
  }
  return Command(options).run();
}

}  // namespace kappa::cli
