#include "engine/cli/commands/declare.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "engine/cli/commands/completion.h"
#include "engine/cli/commands/consume.h"
#include "engine/cli/commands/declare_common.h"
#include "engine/cli/commands/declare_replay.h"
#include "engine/cli/commands/dlq.h"
#include "engine/cli/commands/doctor.h"
#include "engine/cli/commands/explain.h"
#include "engine/cli/commands/export.h"
#include "engine/cli/commands/import.h"
#include "engine/cli/commands/inspect.h"
#include "engine/cli/commands/new_product.h"
#include "engine/cli/commands/plan.h"
#include "engine/cli/commands/playground.h"
#include "engine/cli/commands/produce.h"
#include "engine/cli/commands/query.h"
#include "engine/cli/commands/serve.h"
#include "engine/cli/commands/subscribe.h"
#include "engine/cli/commands/test.h"
#include "engine/cli/commands/topics.h"
#include "engine/cli/commands/validate.h"
#include "engine/cli/commands/version.h"

namespace kappa::cli {
namespace {

// The values of all options of all commands.
struct AllOptions {
  std::string config;
  PlaygroundOptions playground;
  ServeOptions serve;
  QueryOptions query;
  ExportOptions exported;
  InspectOptions inspect;
  TopicsOptions topics;
  ImportOptions import;
  ProduceOptions produce;
  ConsumeOptions consume;
  SubscribeCommandOptions subscribe;
  DlqOptions dlq;
  DoctorOptions doctor;
  NewProductOptions new_product;
  PlanOptions plan;
  ReplayCommands replay;
  TestOptions test;
  ValidateOptions validate;
  ExplainOptions explain;
  VersionOptions version;
  std::string shell = "bash";
};

// Declares one command after the other.
class Declaration {
 public:
  Declaration(CLI::App& app, AllOptions& options, Chosen* chosen)
      : app_(app), options_(options), chosen_(chosen) {}

  void declare_all() {
    app_.require_subcommand(0, 1);
    app_.footer(
        "Try it: kappa playground. Help for a command: kappa COMMAND --help.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong command line or configuration.");
    declare_playground();
    declare_serve();
    declare_query();
    declare_export();
    declare_inspect();
    declare_topics();
    declare_import();
    declare_produce();
    declare_consume();
    declare_subscribe();
    declare_dlq();
    declare_doctor();
    declare_new();
    declare_validate();
    declare_plan();
    declare_replay_and_apply(app_, options_.replay, options_.config, chosen_);
    declare_explain();
    declare_test();
    declare_version();
    declare_completion();
  }

 private:
  CLI::App& command(const std::string& name, const std::string& what, const std::string& examples) {
    return declare_command(app_, name, what, examples);
  }

  // An option that no setting stands for: what to do now, not how things are.
  template <typename T>
  CLI::Option* once(CLI::App& command, const std::string& name, T& value, const std::string& what) {
    return command.add_option(name, value, what)->configurable(false);
  }
  CLI::Option* once(CLI::App& command, const std::string& name, bool& value,
                    const std::string& what) {
    return command.add_flag(name, value, what)->configurable(false);
  }

  // A whole number.
  template <typename T>
  CLI::Option* number(CLI::App& command, const std::string& name, T& value, int64_t least,
                      int64_t most, const std::string& what) {
    return within(command.add_option(name, value, what), least, most);
  }

  void output(CLI::App& command, OutputFormat& value) {
    declare_output(command, value, options_.config);
  }

  template <typename Options>
  void runs(CLI::App& command, int (*run)(const Options&), Options& options) {
    command.callback(
        [this, run, &options] { chosen_->run = [run, &options] { return run(options); }; });
  }

  void declare_playground() {
    CLI::App& playground =
        command("playground", "Run a small shop: events, views over them, everything on",
                "  kappa playground\n"
                "  kappa playground --data /tmp/shop --rate 20000 --workers 2\n");
    PlaygroundOptions& options = options_.playground;
    declare_service(playground, options.service);
    playground
        .add_option("--rate", options.rate,
                    "sales and clicks a second; an eighth more of other events comes beside")
        ->type_name("N")
        ->capture_default_str();
    playground.add_option("--seed", options.seed, "the events are a function of it")
        ->type_name("N")
        ->capture_default_str();
    once(playground, "--records", options.records,
         "end once this many sales and clicks are generated and applied")
        ->check(whole_number(0))
        ->type_name("N");
    output(playground, options.output);
    options.service.deployment.command = "kappa playground";
    runs(playground, run_playground, options);
  }

  void declare_serve() {
    CLI::App& serve = command("serve", "Run data products and serve their views",
                              "  kappa serve --product schemas/playground\n"
                              "  kappa serve --config kappa.yaml --data /var/lib/kappa\n");
    ServeOptions& options = options_.serve;
    serve
        .add_option("--product", options.products,
                    "a product's directory; taken in on its first start")
        ->type_name("DIR");
    declare_service(serve, options.service);
    output(serve, options.output);
    options.service.deployment.command = "kappa serve";
    runs(serve, run_serve, options);
  }

  void declare_query() {
    CLI::App& query =
        command("query", "Ask a SELECT over the views",
                "  kappa query \"SELECT * FROM revenue_by_channel ORDER BY revenue DESC\"\n"
                "  kappa query --output json \"SELECT count(*) FROM micro_payments\"\n\n"
                "Rows are aligned on a terminal, else separated by tabs (NULL is \\N).\n");
    QueryOptions& options = options_.query;
    once(query, "sql", options.sql, "one SELECT")->required();
    declare_product_name(query, options.product);
    declare_connect(query, options.connect);
    output(query, options.output);
    runs(query, run_query, options);
  }

  void declare_export() {
    CLI::App& exported = command(
        "export", "Write the rows of a view to a file or standard output",
        "  kappa export card_velocity --file features.csv\n"
        "  kappa export sales_per_minute --columns window_start,revenue --where 'revenue > 100'\n"
        "  kappa export best_sellers --format ndjson | zstd > best_sellers.ndjson.zst\n\n"
        "All rows are as of one moment, in no particular order: sort them, or ask with\n"
        "kappa query '… ORDER BY …'. In CSV, NULL is an empty field, the empty text is \"\".\n"
        "A file is there under its name once it is whole. --output json is about the export:\n"
        "a line with rows, bytes, generation, place and watermark, on standard error if the\n"
        "rows go to standard output.\n");
    ExportOptions& options = options_.exported;
    once(exported, "view", options.rows.view, "the view")->required();
    declare_product_name(exported, options.rows.product);
    once(exported, "--columns", options.rows.columns, "only these, in this order; default: all")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("COL[,COL]");
    once(exported, "--where", options.rows.where, "only rows for which this holds, as in a SELECT")
        ->type_name("CONDITION");
    declare_choice(exported, "--format", options.format,
                   {{"csv", std::optional(ExportFormat::kCsv)},
                    {"ndjson", std::optional(ExportFormat::kNdjson)}},
                   "default: by the file's name, else csv")
        ->configurable(false);
    once(exported, "--file", options.file, "write it; default: standard output")->type_name("PATH");
    once(exported, "--force", options.force, "replace the file if it is there");
    declare_connect(exported, options.connect);
    output(exported, options.output);
    runs(exported, run_export, options);
  }

  void declare_inspect() {
    CLI::App& inspect = command("inspect", "Show products, generations, places and sizes",
                                "  kappa inspect\n"
                                "  kappa inspect --checksum --output json\n");
    InspectOptions& options = options_.inspect;
    once(inspect, "--checksum", options.checksum, "also of the canonical dump; reads all state");
    declare_product_name(inspect, options.product);
    declare_connect(inspect, options.connect);
    output(inspect, options.output);
    runs(inspect, run_inspect, options);
  }

  void declare_topics() {
    CLI::App& topics = command(
        "topics", "List the topics of the log, or make one",
        "  kappa topics\n"
        "  kappa topics --create sales --partitions 4 --retention '7 days'\n"
        "  kappa topics create --product schemas/playground --log kafka://localhost:9092\n\n"
        "create shows what it would do (+ new, ~ differs, = there) and asks. Without a\n"
        "terminal and without --yes it only shows, and ends with 2 if there is work to do.\n"
        "What differs is never changed.\n");
    TopicsOptions& options = options_.topics;
    CLI::Option* create = declare_choice(topics, "what", options.what, {{"create", "create"}},
                                         "create: the topics of products")
                              ->configurable(false);
    once(topics, "--product", options.products, "a product's directory, with create")
        ->type_name("DIR");
    once(topics, "--yes", options.yes, "make them without being asked");
    once(topics, "--create", options.create, "make this topic")
        ->type_name("TOPIC")
        ->excludes(create);
    once(topics, "--partitions", options.partitions,
         "of topics to be made; default: 1, of sources of products 4")
        ->check(whole_number(1, 1000))
        ->type_name("N");
    once(topics, "--replication", options.replication,
         "copies of topics to be made, on Kafka; default: as the brokers have it")
        ->check(whole_number(1, 1000))
        ->type_name("N");
    once(topics, "--retention", options.retention, "how long it keeps records; default: for ever")
        ->type_name("TIME");
    once(topics, "--retention-bytes", options.retention_bytes, "how much a partition keeps")
        ->check(whole_number(0))
        ->type_name("N");
    declare_connect(topics, options.connect);
    declare_log_choice(topics, options.connect.log);
    output(topics, options.output);
    runs(topics, run_topics, options);
  }

  void declare_import() {
    CLI::App& import = command(
        "import", "Append the records of a CSV or NDJSON file to a topic",
        "  kappa import sales.csv.zst --topic sales --create --key card_id --timestamp sold_at_ms\n"
        "  kappa import labels.ndjson.gz --topic labels --timestamp at --timestamp-unit iso "
        "--timestamp-delay '7 days'\n"
        "  zcat sales.csv.gz | kappa import - --format csv --topic sales --type zip=text\n\n"
        "The same command again goes on where an import was broken off.\n"
        "Exit code 3: done, but there were bad lines.\n");
    ImportOptions& options = options_.import;
    once(import, "file", options.file,
         "the file, plain or packed by gzip or zstd; -: standard input")
        ->required();
    once(import, "--topic", options.topic, "where to")->required()->type_name("TOPIC");
    once(import, "--create", options.create, "make the topic if it is not there");
    number(import, "--partitions", options.partitions, 1, 1000, "of a topic to be made")
        ->configurable(false);
    declare_choice(import, "--format", options.format, {{"csv", "csv"}, {"ndjson", "ndjson"}},
                   "default: by the file's name")
        ->configurable(false);
    declare_mapping(import, options.mapping);
    once(import, "--bad", options.bad, "keeps bad lines; default: FILE.bad.ndjson")
        ->type_name("PATH");
    number(import, "--bad-max", options.bad_max, 0, kNoLimit, "bad lines before it gives up")
        ->configurable(false);
    once(import, "--complete", options.complete,
         "at the end, close every window of the product that reads the topic");
    declare_product_name(import, options.product);
    once(import, "--id", options.id, "the import's name; default: by path, size and first block")
        ->type_name("NAME");
    declare_connect(import, options.connect);
    declare_log_choice(import, options.connect.log);
    output(import, options.output);
    runs(import, run_import, options);
  }

  void declare_mapping(CLI::App& import, MappingOptions& options) {
    once(import, "--key", options.key, "columns that make the record key, with | between them")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("COL[,COL]");
    once(import, "--timestamp", options.timestamp,
         "the column of the record timestamp: when it was known; default: the time of the import")
        ->type_name("COL");
    declare_choice(import, "--timestamp-unit", options.timestamp_unit,
                   {{"ms", "ms"}, {"s", "s"}, {"us", "us"}, {"iso", "iso"}}, "of --timestamp (ms)")
        ->configurable(false);
    once(import, "--timestamp-delay", options.timestamp_delay, "known so much later")
        ->type_name("TIME");
    const auto several = [&](const std::string& name, std::vector<std::string>& values,
                             const std::string& what, const std::string& type) {
      once(import, name, values, what)->allow_extra_args(false)->type_name(type);
    };
    several("--type", options.types, "text, integer, bigint, double, numeric or boolean",
            "COL=TYPE");
    several("--rename", options.renames, "the field's name in the record", "OLD=NEW");
    several("--drop", options.drops, "leave the column out", "COL");
    several("--set", options.sets, "a field with a constant", "FIELD=VALUE");
  }

  void declare_produce() {
    CLI::App& produce =
        command("produce", "Append lines to a topic, a record a line",
                "  echo '{\"card_id\": \"c1\", \"amount\": 12.50}' | kappa produce sales\n"
                "  kappa produce sales --key-separator : --file sales.txt\n"
                "  kappa consume sales --output json | kappa produce copy --json\n");
    ProduceOptions& options = options_.produce;
    once(produce, "topic", options.topic, "the topic")->required();
    once(produce, "--file", options.file, "read it; default: standard input")->type_name("FILE");
    once(produce, "--key-separator", options.key_separator,
         "what stands between key and value; default: there are no keys")
        ->type_name("TEXT");
    once(
        produce, "--json", options.json,
        "a line is an object with value, key, timestamp, partition, headers, as consume prints it");
    once(produce, "--no-sync", options.written, "do not wait for stable storage");
    declare_connect(produce, options.connect);
    output(produce, options.output);
    runs(produce, run_produce, options);
  }

  void declare_consume() {
    CLI::App& consume = command("consume", "Print the records of a topic, a record a line",
                                "  kappa consume fraud-alerts --follow\n"
                                "  kappa consume sales --from 2024-05-01T10:00:00Z --limit 10 "
                                "--output json\n");
    ConsumeOptions& options = options_.consume;
    once(consume, "topic", options.topic, "the topic")->required();
    once(consume, "--from", options.from, "beginning, end, an offset, or a time")
        ->capture_default_str();
    once(consume, "--partition", options.partition, "only this one; default: all")
        ->check(whole_number(0, std::numeric_limits<int32_t>::max()))
        ->type_name("N");
    once(consume, "--limit", options.limit, "end after so many records")
        ->check(whole_number(0))
        ->type_name("N");
    once(consume, "--follow", options.follow, "go on with records as they come");
    once(consume, "--key-separator", options.key_separator, "print the key and this before a value")
        ->type_name("TEXT");
    declare_connect(consume, options.connect);
    output(consume, options.output);
    runs(consume, run_consume, options);
  }

  void declare_subscribe() {
    CLI::App& subscribe =
        command("subscribe", "Print what a product writes to an output, a change a line",
                "  kappa subscribe fraud_alerts\n"
                "  kappa subscribe fraud_alerts --from-beginning --limit 10 --output json\n"
                "  kappa subscribe fraud_alerts --resume TOKEN --output json\n");
    SubscribeCommandOptions& options = options_.subscribe;
    once(subscribe, "name", options.output_name, "the output: the table of an INSERT INTO")
        ->required();
    once(subscribe, "--product", options.product, "whose output it is; default: the only one")
        ->type_name("NAME");
    CLI::Option* resume = once(subscribe, "--resume", options.resume,
                               "go on behind the message that had this resume_token");
    resume->type_name("TOKEN");
    once(subscribe, "--from-beginning", options.from_beginning,
         "begin with the first record there is, not with the next one")
        ->excludes(resume);
    once(subscribe, "--limit", options.limit, "end after so many changes")
        ->check(whole_number(0))
        ->type_name("N");
    once(subscribe, "--heartbeat-ms", options.heartbeat_ms,
         "time between heartbeats; default: 5000")
        ->check(whole_number(100, 60'000))
        ->type_name("N");
    declare_connect(subscribe, options.connect);
    output(subscribe, options.output);
    runs(subscribe, run_subscribe, options);
  }

  void declare_dlq() {
    CLI::App& dlq = command("dlq", "Show what could not be used, and what came too late, and why",
                            "  kappa dlq list\n"
                            "  kappa dlq show sales.dead-letters --limit 10\n"
                            "  kappa dlq show sales.dead-letters --reason amount --output json\n");
    DlqOptions& options = options_.dlq;
    declare_choice(dlq, "what", options.what, {{"list", "list"}, {"show", "show"}},
                   "list: the dead-letter and late topics, by reason; show: a topic's records")
        ->configurable(false)
        ->required();
    once(dlq, "topic", options.topic, "to show: TOPIC.dead-letters or VIEW.late")
        ->type_name("TOPIC");
    once(dlq, "--product", options.product, "only what this product wrote; default: all")
        ->type_name("NAME");
    once(dlq, "--reason", options.reason, "show only records whose reason holds this text")
        ->type_name("TEXT");
    once(dlq, "--limit", options.limit, "show at most so many records; default: all")
        ->check(whole_number(1))
        ->type_name("N");
    declare_connect(dlq, options.connect);
    output(dlq, options.output);
    runs(dlq, run_dlq, options);
  }

  void declare_doctor() {
    CLI::App& doctor =
        command("doctor", "Check log, data directory and products, and say what to do",
                "  kappa doctor\n"
                "  kappa doctor --product schemas/playground --output json\n\n"
                "Exit code 1: there is an error or a warning; notices do not count.\n");
    DoctorOptions& options = options_.doctor;
    once(doctor, "--product", options.examine.products,
         "a product's directory; default: the products in the data directory")
        ->type_name("DIR");
    number(doctor, "--checkpoint-interval-ms", options.examine.checkpoint_interval_ms, 1,
           86'400'000, "that the server was given");
    declare_connect(doctor, options.examine.connect);
    output(doctor, options.output);
    runs(doctor, run_doctor, options);
  }

  void declare_new() {
    const std::string examples =
        "  kappa new product orders\n"
        "  kappa new product orders --into products\n\n"
        "It lays out a directory with SQL, scenarios, sample records and a README that leads\n"
        "through them; kappa test passes on it.\n";
    CLI::App& made = command("new", "Lay out something new: a data product", examples);
    made.require_subcommand(1);
    CLI::App& product =
        declare_command(made, "product", "Lay out a data product that works", examples);
    NewProductOptions& options = options_.new_product;
    once(product, "name", options.name, "the product's name, and its directory's")->required();
    once(product, "--into", options.into, "where the directory is made")
        ->type_name("DIR")
        ->capture_default_str();
    output(product, options.output);
    runs(product, run_new_product, options);
  }

  void declare_plan() {
    CLI::App& plan =
        command("plan", "Show what a product's files would change, and what that costs",
                "  kappa plan schemas/playground\n"
                "  kappa plan schemas/playground --output json\n"
                "  kappa plan schemas/playground --from 2026-11-01 --order log-time\n\n"
                "--from, --order and --recompute-all are those of kappa replay start: give them\n"
                "as you will there.\n\n"
                "Exit codes: 0 nothing changes (even if all would be computed again), 1 failed,\n"
                "2 there are changes.\n");
    PlanOptions& options = options_.plan;
    once(plan, "directory", options.directory, "the product's directory")
        ->required()
        ->type_name("DIR");
    once(plan, "--max-rate", options.records_per_second_max,
         "records that the replay may apply a second; default: what it can")
        ->check(more_than_zero())
        ->type_name("N");
    declare_course(plan, options.course);
    declare_connect(plan, options.connect);
    output(plan, options.output);
    runs(plan, run_plan, options);
  }

  void declare_explain() {
    CLI::App& explain =
        command("explain", "Show the plan of a data product's views as trees",
                "  kappa explain schemas/playground\n"
                "  kappa explain schemas/playground revenue_per_minute --output json\n");
    once(explain, "path", options_.explain.path, "a product's directory or a SQL file")->required();
    once(explain, "view", options_.explain.view, "a view, or an output's topic; default: all");
    output(explain, options_.explain.output);
    runs(explain, run_explain, options_.explain);
  }

  void declare_validate() {
    CLI::App& validate =
        command("validate", "Check data products and name everything that is wrong",
                "  kappa validate schemas/playground\n"
                "  kappa validate --output json schemas/*/product.sql\n");
    once(validate, "path", options_.validate.paths, "products' directories or SQL files")
        ->required();
    output(validate, options_.validate.output);
    runs(validate, run_validate, options_.validate);
  }

  void declare_test() {
    CLI::App& test = command("test", "Run scenario files, each in four ways",
                             "  kappa test schemas/playground\n"
                             "  kappa test --rewrite schemas/playground/tests/views.slt\n");
    once(test, "path", options_.test.paths, "scenario files (.slt) or directories with them")
        ->required();
    once(test, "--rewrite", options_.test.rewrite,
         "fill in the expected rows with the actual ones");
    output(test, options_.test.output);
    runs(test, run_test, options_.test);
  }

  void declare_version() {
    CLI::App& version = command("version", "Print the version", "  kappa version --output json\n");
    output(version, options_.version.output);
    runs(version, run_version, options_.version);
  }

  void declare_completion() {
    CLI::App& completion =
        command("completion", "Print a completion script for a shell",
                "  source <(kappa completion bash)\n"
                "  kappa completion bash > ~/.local/share/bash-completion/completions/kappa\n");
    once(completion, "shell", options_.shell, "bash")->check(CLI::IsMember({"bash"}));
    completion.callback([this] { chosen_->run = [this] { return print_bash(); }; });
  }

  int print_bash() const { return print_bash_completion(command_words(app_)); }

  CLI::App& app_;
  AllOptions& options_;
  Chosen* chosen_;
};

}  // namespace

std::shared_ptr<void> declare_commands(CLI::App& app, Chosen* chosen) {
  struct Declared {
    AllOptions options;
    std::unique_ptr<Declaration> declaration;
  };
  auto declared = std::make_shared<Declared>();
  declared->declaration = std::make_unique<Declaration>(app, declared->options, chosen);
  declared->declaration->declare_all();
  return declared;
}

}  // namespace kappa::cli
