#include "engine/cli/import/byte_source.h"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr std::string_view kGzipMagic("\x1f\x8b", 2);
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);

// The file itself, read ahead into a buffer.
class PackedFile {
 public:
  PackedFile(std::string name, int descriptor, bool owned)
      : name_(std::move(name)), descriptor_(descriptor), owned_(owned), buffer_(kBufferBytes) {
    struct stat found {};
    if (fstat(descriptor_, &found) == 0 && S_ISREG(found.st_mode)) size_ = found.st_size;
  }
  PackedFile(const PackedFile&) = delete;
  PackedFile& operator=(const PackedFile&) = delete;
  ~PackedFile() {
    if (owned_) close(descriptor_);
  }

  // What is read and not taken yet; empty at the end, after fill().
  std::string_view rest() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void take(size_t bytes) { begin_ += bytes; }
  int64_t position() const { return read_ - static_cast<int64_t>(end_ - begin_); }
  std::optional<int64_t> size() const { return size_; }
  const std::string& name() const { return name_; }

  // Reads until `least` bytes are there or the file ends.
  absl::Status fill(size_t least = 1) {
    while (end_ - begin_ < least) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
      const ssize_t got = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        return absl::UnavailableError(
            absl::StrCat("cannot read ", name_, ": ", std::strerror(errno)));
      }
      if (got == 0) break;
      end_ += static_cast<size_t>(got);
      read_ += got;
    }
    return absl::OkStatus();
  }

  absl::Status damaged(const char* what) const {
    return absl::DataLossError(absl::StrCat(name_, ": ", what, " near byte ", position()));
  }

 private:
  const std::string name_;
  const int descriptor_;
  const bool owned_;
  std::optional<int64_t> size_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t read_ = 0;
};

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(std::unique_ptr<PackedFile> file) : file_(std::move(file)) {}

  absl::StatusOr<size_t> read(char* bytes, size_t size) override {
    KAPPA_RETURN_IF_ERROR(file_->fill());
    const size_t taken = std::min(size, file_->rest().size());
    std::memcpy(bytes, file_->rest().data(), taken);
    file_->take(taken);
    return taken;
  }
  int64_t position() const override { return file_->position(); }
  std::optional<int64_t> size() const override { return file_->size(); }

 protected:
  std::unique_ptr<PackedFile> file_;
};

class GzipSource final : public PlainSource {
 public:
  explicit GzipSource(std::unique_ptr<PackedFile> file) : PlainSource(std::move(file)) {
    constexpr int kGzipWindow = 15 + 16;
    ready_ = inflateInit2(&stream_, kGzipWindow) == Z_OK;
  }
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  absl::StatusOr<size_t> read(char* bytes, size_t size) override {
    if (!ready_) return absl::ResourceExhaustedError("no memory to unpack gzip");
    stream_.next_out = reinterpret_cast<Bytef*>(bytes);
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1 << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      KAPPA_RETURN_IF_ERROR(file_->fill());
      const std::string_view packed = file_->rest();
      if (packed.empty()) {
        if (in_member_) return file_->damaged("the gzip data is cut off");
        break;
      }
      in_member_ = true;
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
      stream_.avail_in = static_cast<uInt>(packed.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      file_->take(packed.size() - stream_.avail_in);
      if (result == Z_STREAM_END) {
        in_member_ = false;
        inflateReset(&stream_);
      } else if (result != Z_OK) {
        return file_->damaged("damaged gzip data");
      }
    }
    return wanted - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool in_member_ = false;
};

class ZstdSource final : public PlainSource {
 public:
  explicit ZstdSource(std::unique_ptr<PackedFile> file)
      : PlainSource(std::move(file)), stream_(ZSTD_createDStream(), ZSTD_freeDStream) {}

  absl::StatusOr<size_t> read(char* bytes, size_t size) override {
    if (!stream_) return absl::ResourceExhaustedError("no memory to unpack zstd");
    ZSTD_outBuffer out{bytes, size, 0};
    while (out.pos == 0) {
      KAPPA_RETURN_IF_ERROR(file_->fill());
      const std::string_view packed = file_->rest();
      if (packed.empty() && !in_frame_) break;
      ZSTD_inBuffer in{packed.data(), packed.size(), 0};
      const size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
      file_->take(in.pos);
      if (ZSTD_isError(result) != 0) return file_->damaged("damaged zstd data");
      in_frame_ = result != 0;
      if (packed.empty() && in_frame_ && out.pos == 0) {
        return file_->damaged("the zstd data is cut off");
      }
    }
    return out.pos;
  }

 private:
  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  bool in_frame_ = false;
};

absl::StatusOr<std::unique_ptr<PackedFile>> open_file(const std::string& path) {
  if (path == "-") return std::make_unique<PackedFile>("standard input", STDIN_FILENO, false);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const std::string why = absl::StrCat("cannot read ", path, ": ", std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(why) : absl::PermissionDeniedError(why);
  }
  return std::make_unique<PackedFile>(path, descriptor, true);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::open(const std::string& path) {
  KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<PackedFile> file, open_file(path));
  KAPPA_RETURN_IF_ERROR(file->fill(kZstdMagic.size()));
  std::unique_ptr<ByteSource> source;
  if (file->rest().starts_with(kGzipMagic)) {
    source = std::make_unique<GzipSource>(std::move(file));
  } else if (file->rest().starts_with(kZstdMagic)) {
    source = std::make_unique<ZstdSource>(std::move(file));
  } else {
    source = std::make_unique<PlainSource>(std::move(file));
  }
  return source;
}

}  // namespace kappa::cli
