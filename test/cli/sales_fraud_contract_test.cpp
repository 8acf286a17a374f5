#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <yaml-cpp/yaml.h>

#include "engine/cli/compiled_product.h"
#include "engine/cli/product_files.h"

// The contract of sales_fraud, which people and catalogues read, says what its SQL does.
namespace kappa::cli {
namespace {

struct Property {
  std::string type;
  bool personal = false;
  bool required = false;
};
struct Object {
  std::string kind;  // topic or view
  std::string physical_name;
  std::map<std::string, Property> properties;
  std::vector<std::string> key;
};

std::map<std::string, Object> read_contract() {
  std::map<std::string, Object> objects;
  const YAML::Node contract = YAML::LoadFile(KAPPA_SOURCE_DIR "/schemas/sales_fraud/contract.yaml");
  REQUIRE(contract["apiVersion"].as<std::string>() == "v3.1.0");
  REQUIRE(contract["kind"].as<std::string>() == "DataContract");
  for (const YAML::Node& node : contract["schema"]) {
    Object& object = objects[node["name"].as<std::string>()];
    object.kind = node["physicalType"].as<std::string>();
    object.physical_name = node["physicalName"].as<std::string>();
    std::map<int, std::string> key;
    for (const YAML::Node& property : node["properties"]) {
      const auto name = property["name"].as<std::string>();
      object.properties[name] = {property["physicalType"].as<std::string>(),
                                 property["classification"].as<std::string>("") == "personal",
                                 property["required"].as<bool>(false)};
      if (property["primaryKey"].as<bool>(false)) {
        key[property["primaryKeyPosition"].as<int>()] = name;
      }
    }
    for (const auto& [position, name] : key) object.key.push_back(name);
  }
  return objects;
}

operators::Plan read_plan() {
  const auto files = read_product(KAPPA_SOURCE_DIR "/schemas/sales_fraud");
  REQUIRE(files.ok());
  auto plan = compile_plan(*files);
  REQUIRE(plan.ok());
  return *std::move(plan);
}

}  // namespace

TEST_CASE("the contract of sales_fraud has each topic as its table declares it") {
  const auto contract = read_contract();
  const operators::Plan plan = read_plan();
  for (const schemas::Source& source : plan.sources) {
    INFO(source.name);
    REQUIRE(contract.contains(source.name));
    const Object& object = contract.at(source.name);
    CHECK(object.kind == "topic");
    CHECK(object.physical_name == source.topic);
    CHECK(object.properties.size() == source.columns.size());
    for (const schemas::SourceColumn& column : source.columns) {
      INFO(column.name);
      REQUIRE(object.properties.contains(column.name));
      CHECK(object.properties.at(column.name).type == to_string(column.type));
      CHECK(object.properties.at(column.name).required == column.not_null);
    }
    std::vector<std::string> key;
    for (const int column : source.primary_key) {
      key.push_back(source.columns[static_cast<size_t>(column)].name);
    }
    CHECK(object.key == key);
  }
}

TEST_CASE("the contract of sales_fraud has its views as the SQL makes them") {
  const operators::Plan plan = read_plan();
  size_t views = 0;
  for (const auto& [name, object] : read_contract()) {
    if (object.kind != "view") continue;
    INFO(name);
    ++views;
    const operators::NodeId id = plan.find_view(name);
    REQUIRE(id != operators::kNoNode);
    const operators::PlanNode& node = plan.node(id);
    CHECK(object.properties.size() == node.schema.size());
    for (const operators::Field& field : node.schema) {
      INFO(field.name);
      REQUIRE(object.properties.contains(field.name));
      CHECK(object.properties.at(field.name).type == to_string(field.type));
    }
    std::vector<std::string> key;
    for (const int column : std::get<operators::ViewNode>(node.op).key) {
      key.push_back(node.schema[static_cast<size_t>(column)].name);
    }
    CHECK(object.key == key);
  }
  CHECK(views == 8);
}

TEST_CASE("the contract of sales_fraud marks whatever tells of a person, everywhere") {
  const std::set<std::string> personal = {"card_id",    "customer_id", "device_id",
                                          "ip_address", "latitude",    "longitude"};
  for (const auto& [name, object] : read_contract()) {
    for (const auto& [column, property] : object.properties) {
      INFO(name << "." << column);
      CHECK(property.personal == personal.contains(column));
    }
  }
}

}  // namespace kappa::cli
