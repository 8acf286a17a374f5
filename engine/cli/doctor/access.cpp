#include "engine/cli/doctor/access.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::cli::doctor {
namespace {

class AccessExam {
 public:
  AccessExam(log::AccessProbe* probe, Examined* examined) : probe_(*probe), examined_(*examined) {}

  void topic(const TopicNeed& need) {
    using Role = TopicNeed::Role;
    const std::string use = absl::StrCat("topic ", need.topic, ", ", role_text(need.role));
    const bool needed = need.role != Role::kDeadLetters && need.role != Role::kLate;
    const auto check = [&](const std::string& verb, const std::string& operation,
                           const absl::Status& why) {
      refused(why, {need.product, absl::StrCat(verb, " ", use),
                    absl::StrCat("--operation ", operation, " --topic ", need.topic), needed, why});
    };
    const bool reads = need.role == Role::kSource || need.role == Role::kOutboxPlace;
    const absl::Status read = reads ? probe_.read(need.topic) : absl::OkStatus();
    check("read", "Describe --operation Read", read);
    if (need.role == Role::kSource && !absl::IsNotFound(read)) return;
    const absl::Status written = need.role == Role::kSource ? read : probe_.write(need.topic);
    if (absl::IsNotFound(written)) return check("make", "Create", probe_.create(need.topic));
    check("write", "Describe --operation Write", written);
  }

  void transactions(const std::string& product) {
    const std::string id = absl::StrCat("kappa.", product);
    const absl::Status why = probe_.transactions(id);
    refused(why, {product, absl::StrCat("publish in transactions of the id ", id),
                  absl::StrCat("--operation Describe --operation Write --transactional-id ", id),
                  true, why});
  }

 private:
  void refused(const absl::Status& why, Refusal refusal) {
    if (absl::IsPermissionDenied(why)) examined_.refusals.push_back(std::move(refusal));
  }

  log::AccessProbe& probe_;
  Examined& examined_;
};

}  // namespace

absl::Status examine_access(const LogChoice& choice, Examined* examined) {
  KAPPA_ASSIGN_OR_RETURN(const auto probe, open_access_probe(choice));
  AccessExam exam(probe.get(), examined);
  std::set<std::string> products;
  for (const TopicNeed& need : examined->needs) {
    exam.topic(need);
    if (products.insert(need.product).second) exam.transactions(need.product);
  }
  return absl::OkStatus();
}

}  // namespace kappa::cli::doctor
