#pragma once

#include <memory>
#include <vector>

#include "schemas/decoder.h"

namespace kappa::schemas {

// The decoder of a source of mode 'upsert': records with a payload are what `payloads` makes of
// them; one without deletes the row of its key, and becomes a row of sign -1 in which only the
// primary key's columns have values. Those are read from the record's key, as output tables write
// it: the bytes of a single text column, else a JSON object of the key columns by their names on
// the wire. A key that does not fit is malformed. `source`, `wanted`: as given to make_decoder().
std::unique_ptr<Decoder> make_upsert_decoder(const Source& source, std::vector<int> wanted,
                                             std::unique_ptr<Decoder> payloads);

}  // namespace kappa::schemas
