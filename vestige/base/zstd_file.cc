#include "vestige/base/zstd_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>

#include "vestige/base/file.h"

namespace vestige {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 17;

// Not more than it had when it was opened: what grows meanwhile is another file.
Result<FileDigest> digest_of_opened(const RegularFile& opened, const std::string& path) {
  Sha256 hash;
  FileDigest out;
  std::string piece(kPiece, '\0');
  while (out.bytes < opened.bytes) {
    const std::size_t wanted = std::min<std::uint64_t>(kPiece, opened.bytes - out.bytes);
    const std::size_t count = std::fread(piece.data(), 1, wanted, opened.file.get());
    if (count == 0) break;
    hash.update(std::string_view(piece.data(), count));
    out.bytes += count;
  }
  if (std::ferror(opened.file.get()) != 0) return file_refused("read", path);
  out.sha256 = hash.finish();
  return out;
}

}  // namespace

void ZstdWriter::Free::operator()(ZSTD_CCtx_s* context) const noexcept {
  (void)ZSTD_freeCCtx(context);
}
void ZstdLines::Free::operator()(ZSTD_DCtx_s* context) const noexcept {
  (void)ZSTD_freeDCtx(context);
}

Result<ZstdWriter> ZstdWriter::make(const std::string& path, int level) {
  ZstdWriter out;
  out.path_ = path;
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) return file_refused("make", path);
  out.file_.reset(::fdopen(descriptor, "wb"));
  out.context_.reset(ZSTD_createCCtx());
  if (out.file_ == nullptr || out.context_ == nullptr) return file_refused("make", path);
  (void)ZSTD_CCtx_setParameter(out.context_.get(), ZSTD_c_compressionLevel, level);
  (void)ZSTD_CCtx_setParameter(out.context_.get(), ZSTD_c_checksumFlag, 1);
  out.packed_.resize(ZSTD_CStreamOutSize());
  return out;
}

Result<void> ZstdWriter::pack(std::string_view bytes, bool last) {
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  std::size_t left = 1;
  while (last ? left != 0 : in.pos < in.size) {
    ZSTD_outBuffer out = {packed_.data(), packed_.size(), 0};
    left = ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0)
      return fail(Fault::internal, "pack {}: {}", path_, ZSTD_getErrorName(left));
    const std::string_view packed(packed_.data(), out.pos);
    if (std::fwrite(packed.data(), 1, packed.size(), file_.get()) != packed.size())
      return file_refused("write", path_);
    hash_.update(packed);
    bytes_ += packed.size();
  }
  return {};
}

Result<void> ZstdWriter::line(std::string_view line) {
  TRY(pack(line, false));
  return pack("\n", false);
}

Result<FileDigest> ZstdWriter::finish() {
  TRY(pack("", true));
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0)
    return file_refused("write", path_);
  file_.reset();
  return FileDigest{bytes_, hash_.finish()};
}

Result<ZstdLines> ZstdLines::open(const std::string& path) {
  return over(path, std::move(TRY(open_regular(path, Links::followed)).file));
}

ZstdLines ZstdLines::over(const std::string& path, std::unique_ptr<std::FILE, CloseFile> file) {
  ZstdLines out;
  out.path_ = path;
  out.file_ = std::move(file);
  out.context_.reset(ZSTD_createDCtx());
  out.in_.reserve(kPiece);
  return out;
}

Result<ZstdLines> ZstdLines::open(const std::string& path, const FileDigest& known) {
  RegularFile opened = TRY(open_regular(path));
  if (opened.bytes != known.bytes || TRY(digest_of_opened(opened, path)) != known ||
      std::fseek(opened.file.get(), 0, SEEK_SET) != 0)
    return fail(Fault::corrupt, "read {}: its bytes are not those that the manifest names", path);
  return over(path, std::move(opened.file));
}

// False at the end.
Result<bool> ZstdLines::fill() {
  out_.erase(0, given_);
  given_ = 0;
  while (true) {
    if (taken_ == in_.size()) {
      in_.resize(kPiece);
      in_.resize(std::fread(in_.data(), 1, kPiece, file_.get()));
      taken_ = 0;
      if (std::ferror(file_.get()) != 0) return file_refused("read", path_);
      if (in_.empty()) {
        if (!whole_) return fail(Fault::corrupt, "unpack {}: it is cut off", path_);
        return false;
      }
    }
    const std::size_t before = out_.size();
    out_.resize(before + kPiece);
    ZSTD_inBuffer in = {in_.data(), in_.size(), taken_};
    ZSTD_outBuffer out = {out_.data(), out_.size(), before};
    const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
    taken_ = in.pos;
    out_.resize(out.pos);
    if (ZSTD_isError(left) != 0)
      return fail(Fault::corrupt, "unpack {}: {}", path_, ZSTD_getErrorName(left));
    whole_ = left == 0;
    if (out_.size() > before) return true;
  }
}

Result<std::optional<std::string>> ZstdLines::next() {
  std::size_t looked = given_;
  while (true) {
    const std::size_t end = out_.find('\n', looked);
    if (end != std::string::npos) {
      std::string line = out_.substr(given_, end - given_);
      given_ = end + 1;
      return std::optional<std::string>(std::move(line));
    }
    const std::size_t open = out_.size() - given_;
    if (open > longest_)
      return fail(Fault::corrupt, "unpack {}: it has a line of more than {} bytes", path_,
                  longest_);
    if (!TRY(fill())) break;
    looked = open;
  }
  if (given_ != out_.size())
    return fail(Fault::corrupt, "unpack {}: its last line is not ended", path_);
  return std::optional<std::string>();
}

Result<FileDigest> digest_of(const std::string& path) {
  return digest_of_opened(TRY(open_regular(path)), path);
}

}  // namespace vestige
