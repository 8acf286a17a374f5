#include "engine/cli/answer_notes.h"

#include "absl/strings/str_cat.h"
#include "engine/cli/place_text.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

void tell_waiting(const runtime::WaitingRows& waiting, EventTime watermark) {
  const uint64_t rows = waiting.waiting.rows;
  if (rows == 0) return;
  note(absl::StrCat("kappa: ", waiting.view, ": ", rows,
                    rows == 1 ? " row waits" : " rows wait, the first",
                    " until the watermark reaches ", watermark_text(waiting.waiting.until),
                    "; this answer's is ", watermark_text(watermark), "\n"));
}

void tell_lag(Connection& connection) {
  if (!connection.own()) return;
  int64_t lag = 0;
  for (const DeployedProduct& product : connection.own()->products()) {
    for (const auto& source : product.live()->pipeline->stats().sources) lag += source.lag_records;
  }
  if (lag == 0) return;
  note(absl::StrCat("kappa: ", lag, lag == 1 ? " record in the log is" : " records in the log are",
                    " not applied yet; kappa serve applies them\n"));
}

}  // namespace kappa::cli
