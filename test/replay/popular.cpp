#include "test/replay/popular.h"

#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"

namespace kappa::replay {

const std::string kPopularTable = R"(
CREATE FOREIGN TABLE popular (slot bigint, hits bigint, last bigint, PRIMARY KEY (slot))
SERVER log OPTIONS (topic 'popular', format 'json', mode 'upsert');
)";

std::string Popular::sql(const std::string& rest_of_shop) const {
  const std::string filter = absl::StrCat(" WHERE last % 7 >= ", from);
  return absl::StrCat(rest_of_shop, kPopularTable, "CREATE MATERIALIZED VIEW slots AS SELECT n % ",
                      slots, " AS slot, count(*) AS hits, max(n) AS last FROM hits GROUP BY n % ",
                      slots,
                      ";\nCREATE MATERIALIZED VIEW chosen AS SELECT slot, hits, last FROM slots",
                      filter_in_view ? filter : "", ";\nINSERT INTO popular SELECT slot, hits * ",
                      factor, ", last FROM chosen", filter_in_view ? "" : filter, ";\n");
}

std::map<std::string, std::string> Popular::contents(int hits) const {
  std::map<int, std::pair<int, int>> all;  // by slot: how many, the last one
  for (int hit = 0; hit < hits; ++hit) {
    ++all[hit % slots].first;
    all[hit % slots].second = hit;
  }
  std::map<std::string, std::string> contents;
  for (const auto& [slot, seen] : all) {
    const auto& [count, last] = seen;
    if (last % 7 < from) continue;
    contents[absl::StrCat("{\"slot\":", slot, "}")] =
        absl::StrCat("{\"slot\":", slot, ",\"hits\":", count * factor, ",\"last\":", last, "}");
  }
  return contents;
}

std::map<std::string, std::string> contents_of(const Shop::Published& published, size_t first) {
  std::map<std::string, std::string> contents;
  for (size_t i = first; i < published.popular.size(); ++i) {
    const auto& [key, payload] = published.popular[i];
    if (payload) {
      contents[key] = *payload;
    } else {
      contents.erase(key);
    }
  }
  return contents;
}

void wait_for_contents(const ShopProduct& product,
                       const std::map<std::string, std::string>& contents) {
  test::wait_for([&] { return contents_of(product.shop.published()) == contents; });
}

}  // namespace kappa::replay
