#include "replay/logic_change.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/runtime/beginning.h"
#include "schemas/source.h"

namespace kappa::replay {
namespace {

using operators::NodeId;
using operators::OutputNode;
using operators::Plan;
using operators::PlanNode;
using operators::SourceNode;
using operators::ViewNode;

template <typename T>
bool is(const PlanNode& node) {
  return std::holds_alternative<T>(node.op);
}

// A view or an output with what stands between it and the views and sources that it reads.
struct Part {
  PartChange::Kind kind;
  std::string name;
  NodeId node;
  uint64_t fingerprint;
  std::string statement;
  bool keeps_state = false;
  std::set<std::string> views = {};  // that it reads itself
  std::set<int> sources = {};        // that it reads itself
  std::optional<int> sink = {};      // that it writes
  // That it calls: their names, and of which bytes they are.
  std::map<std::string, std::string> models = {};
};

class Parts {
 public:
  explicit Parts(const Plan& plan) : plan_(plan) {
    for (const PlanNode& node : plan.nodes) {
      if (const auto* view = std::get_if<ViewNode>(&node.op)) {
        add(node, PartChange::Kind::kView, view->name, view->statement);
      } else if (const auto* output = std::get_if<OutputNode>(&node.op)) {
        add(node, PartChange::Kind::kOutput, name_of(*output), output->statement);
        parts_.back().sink = output->sink;
      }
    }
  }

  const std::vector<Part>& all() const { return parts_; }
  const Part* find(PartChange::Kind kind, const std::string& name) const {
    const auto found = std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) {
      return part.kind == kind && part.name == name;
    });
    return found == parts_.end() ? nullptr : &*found;
  }

 private:
  std::string name_of(const OutputNode& output) {
    const std::string& topic = plan_.sources[static_cast<size_t>(output.sink)].topic;
    const int number = ++outputs_[topic];
    return number == 1 ? topic : absl::StrCat(topic, " (", number, ")");
  }

  void add(const PlanNode& node, PartChange::Kind kind, std::string name, int statement) {
    Part part{kind, std::move(name), node.id, node.fingerprint,
              plan_.statements[static_cast<size_t>(statement)].text};
    part.keeps_state = runtime::keeps_state(node);
    add_models(node, &part);
    for (NodeId input : node.inputs) walk(plan_.node(input), &part);
    parts_.push_back(std::move(part));
  }

  void walk(const PlanNode& node, Part* part) const {
    if (const auto* view = std::get_if<ViewNode>(&node.op)) {
      part->views.insert(view->name);
      return;
    }
    if (const auto* source = std::get_if<SourceNode>(&node.op))
      part->sources.insert(source->source);
    part->keeps_state = part->keeps_state || runtime::keeps_state(node);
    add_models(node, part);
    for (NodeId input : node.inputs) walk(plan_.node(input), part);
  }

  static void add_models(const PlanNode& node, Part* part) {
    for (const auto& [name, model] : operators::called_models(node)) {
      part->models[name] = model->facts().digest;
    }
  }

  const Plan& plan_;
  std::vector<Part> parts_;
  std::map<std::string, int> outputs_;
};

class Comparison {
 public:
  Comparison(const Logic& before, const Logic& after)
      : before_(before), after_(after), old_(before.plan), new_(after.plan) {}

  LogicChange run() {
    // Views come before whoever reads them.
    for (const Part& part : new_.all()) change_.parts.push_back(compare(part));
    for (const Part& part : old_.all()) {
      if (new_.find(part.kind, part.name)) continue;
      change_.parts.push_back(
          {part.kind, part.name, Change::kRemoved, false, "is there no more", part.statement, ""});
    }
    pull_inputs_along();
    std::set<int> sources;
    for (size_t i = 0; i < new_.all().size(); ++i) {
      if (change_.parts[i].replayed) sources.merge(std::set<int>(new_.all()[i].sources));
    }
    change_.sources.assign(sources.begin(), sources.end());
    return std::move(change_);
  }

 private:
  PartChange compare(const Part& part) const {
    PartChange change{part.kind, part.name, Change::kNone,  false,
                      "",        "",        part.statement, part.node};
    const Part* old = old_.find(part.kind, part.name);
    if (!old) {
      change.change = Change::kAdded;
      change.because = "is new";
    } else {
      change.before = old->statement;
      const std::string upstream = changed_input(part);
      const bool equal = old->fingerprint == part.fingerprint;
      if (equal && upstream.empty()) return change;
      const bool own = old->statement != part.statement;
      change.change = own ? Change::kChanged : Change::kUpstream;
      const std::string model = changed_model(*old, part);
      change.because = own                 ? "its statement has changed"
                       : !upstream.empty() ? upstream
                       : !model.empty()    ? model
                                           : "this version of kappa plans it otherwise";
    }
    change.replayed = part.keeps_state;
    return change;
  }

  // What a part reads or writes itself that is not what it was: the first; empty: nothing.
  std::string changed_input(const Part& part) const {
    if (part.sink) {
      const std::string sink = changed_table(*part.sink);
      if (!sink.empty()) return absl::StrCat("writes ", sink);
    }
    for (int index : part.sources) {
      const std::string source = changed_table(index);
      if (!source.empty()) return absl::StrCat("reads ", source);
    }
    for (const PartChange& other : change_.parts) {
      const bool reads = other.kind == PartChange::Kind::kView && part.views.contains(other.name);
      if (reads && other.change != Change::kNone) {
        return absl::StrCat("reads ", other.name, ", which ",
                            other.change == Change::kAdded ? "is new" : "changes");
      }
    }
    return "";
  }

  // The first model that it calls and that is not what it was; empty: there is none.
  static std::string changed_model(const Part& old, const Part& part) {
    for (const auto& [name, digest] : part.models) {
      const auto found = old.models.find(name);
      if (found != old.models.end() && found->second != digest) {
        return absl::StrCat("calls the model ", name, ", which has changed");
      }
    }
    return "";
  }

  // Its name and what is different about it; empty: nothing.
  std::string changed_table(int index) const {
    const schemas::Source& table = after_.plan.sources[static_cast<size_t>(index)];
    const schemas::Source* old = find_source(before_.plan, table.name);
    if (!old) return absl::StrCat(table.name, ", which is new");
    if (schemas::describe(*old) != schemas::describe(table)) {
      return absl::StrCat(table.name, ", which is declared otherwise");
    }
    if (table.format == schemas::Format::kProtobuf && before_.protos != after_.protos) {
      return absl::StrCat(table.name, ", whose .proto files have changed");
    }
    return "";
  }

  static const schemas::Source* find_source(const Plan& plan, const std::string& name) {
    const auto found =
        std::find_if(plan.sources.begin(), plan.sources.end(),
                     [&](const schemas::Source& source) { return source.name == name; });
    return found == plan.sources.end() ? nullptr : &*found;
  }

  // Whatever a replayed part reads is replayed with it: last views first, for their inputs too.
  void pull_inputs_along() {
    const std::vector<Part>& parts = new_.all();
    for (size_t i = parts.size(); i-- > 0;) {
      if (!change_.parts[i].replayed) continue;
      for (size_t j = 0; j < i; ++j) {
        PartChange& input = change_.parts[j];
        const bool reads =
            input.kind == PartChange::Kind::kView && parts[i].views.contains(input.name);
        if (!reads || input.replayed) continue;
        input.replayed = true;
        if (input.change == Change::kNone) {
          input.because = absl::StrCat("is read by ", parts[i].name, ", which is replayed");
        }
      }
    }
  }

  const Logic& before_;
  const Logic& after_;
  Parts old_;
  Parts new_;
  LogicChange change_;
};

}  // namespace

bool LogicChange::none() const {
  return std::all_of(parts.begin(), parts.end(),
                     [](const PartChange& part) { return part.change == Change::kNone; });
}

std::vector<bool> kept_nodes(const operators::Plan& after, const LogicChange& change) {
  std::vector<bool> kept(after.nodes.size(), true);
  for (const PartChange& part : change.parts) {
    if (part.replayed && part.node != operators::kNoNode) kept[part.node] = false;
  }
  // Inputs come before their users.
  for (size_t n = kept.size(); n-- > 0;) {
    if (kept[n]) continue;
    for (NodeId input : after.nodes[n].inputs) kept[input] = false;
  }
  return kept;
}

LogicChange compare(const Logic& before, const Logic& after) {
  return Comparison(before, after).run();
}

}  // namespace kappa::replay
