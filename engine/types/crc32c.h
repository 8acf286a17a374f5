#pragma once

#include <cstddef>
#include <cstdint>

namespace kappa {

// CRC-32C (Castagnoli), as Kafka, RocksDB and iSCSI use it; hardware where there is any.
// Continues from `crc`, so crc32c(b, crc32c(a)) is that of a then b.
uint32_t crc32c(const void* data, size_t size, uint32_t crc = 0);

// The same without special instructions: what crc32c() falls back to.
uint32_t crc32c_portable(const void* data, size_t size, uint32_t crc = 0);

}  // namespace kappa
