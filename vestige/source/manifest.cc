#include "vestige/source/manifest.h"

#include <algorithm>
#include <filesystem>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/base/number.h"
#include "vestige/base/time.h"
#include "vestige/record/policy.h"
#include "vestige/record/value.h"

namespace vestige {
namespace {

bool only_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

using Fields = std::vector<std::pair<std::string, std::string_view>>;

Result<Fields> fields_of(std::string_view object) {
  Fields out;
  json::Reader reader(object);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    std::string name = TRY(reader.key());
    out.emplace_back(std::move(name), TRY(reader.value()).text);
  }
  TRY(reader.end());
  return out;
}

Result<std::vector<std::string_view>> items_of(std::string_view array) {
  std::vector<std::string_view> out;
  json::Reader reader(array);
  TRY(reader.open('['));
  while (TRY(reader.more('[')) == 'y') out.push_back(TRY(reader.value()).text);
  TRY(reader.end());
  return out;
}

// A member by its name: nothing is guessed for one that is missing.
class Members {
 public:
  static Result<Members> of(std::string_view object) {
    Members out;
    out.fields_ = TRY(fields_of(object));
    return out;
  }
  Result<std::string_view> token(std::string_view name) const {
    for (const auto& [own, value] : fields_)
      if (own == name) return value;
    return fail(Fault::corrupt, "{} is missing", name);
  }
  Result<std::string> text(std::string_view name) const { return json::unquote(TRY(token(name))); }
  template <class Number>
  Result<Number> number(std::string_view name) const {
    if (const auto out = whole_number<Number>(TRY(token(name))); out.has_value()) return *out;
    return fail(Fault::corrupt, "{} is no number", name);
  }
  Result<bool> yes(std::string_view name) const { return TRY(token(name)) == "true"; }
  Result<std::int64_t> time(std::string_view name) const {
    return parse_time(TRY(text(name)), Now(0));
  }

 private:
  Fields fields_;
};

std::string to_json(const Shape& shape) {
  std::string columns;
  for (const Column& column : shape.columns)
    columns += fmt::format(R"({}{{"id":{},"name":{},"key":{}}})", columns.empty() ? "" : ",",
                           column.id, text_json(column.name), column.key);
  return fmt::format(
      R"({{"id":{},"name":{},"at":"{}","since":{},"full":{},"row_ids":{},"columns":[{}]}})",
      shape.id, text_json(shape.name), format_time(shape.at), shape.since, shape.full,
      shape.row_ids, columns);
}

Result<Shape> shape_of(std::string_view object, std::int64_t table) {
  const Members members = TRY(Members::of(object));
  Shape shape;
  shape.table = table;
  shape.id = TRY(members.number<std::int64_t>("id"));
  shape.name = TRY(members.text("name"));
  shape.at = TRY(members.time("at"));
  shape.since = TRY(members.number<std::int64_t>("since"));
  shape.full = TRY(members.yes("full"));
  shape.row_ids = TRY(members.yes("row_ids"));
  for (const std::string_view one : TRY(items_of(TRY(members.token("columns"))))) {
    const Members column = TRY(Members::of(one));
    Column own;
    own.id = TRY(column.number<std::int64_t>("id"));
    own.name = TRY(column.text("name"));
    own.key = TRY(column.number<int>("key"));
    shape.columns.push_back(std::move(own));
  }
  return shape;
}

std::string to_json(const ArchivedTable& one) {
  std::string shapes;
  for (const Shape& shape : one.shapes) shapes += (shapes.empty() ? "" : ",") + to_json(shape);
  return fmt::format(
      R"({{"id":{},"name":{},"changes":{},"tracked_at":"{}","untracked_at":{},"policy":{},"shape":{},"shapes":[{}]}})",
      one.table.id, text_json(one.table.name), one.changes, format_time(one.table.tracked_at),
      one.table.untracked_at.has_value() ? text_json(format_time(*one.table.untracked_at)) : "null",
      vestige::to_json(one.table.policy), one.table.shape.id, shapes);
}

Result<ArchivedTable> table_of(std::string_view object) {
  const Members members = TRY(Members::of(object));
  ArchivedTable out;
  out.table.id = TRY(members.number<std::int64_t>("id"));
  out.table.name = TRY(members.text("name"));
  out.changes = TRY(members.number<std::uint64_t>("changes"));
  out.table.tracked_at = TRY(members.time("tracked_at"));
  if (TRY(members.token("untracked_at")) != "null")
    out.table.untracked_at = TRY(members.time("untracked_at"));
  out.table.policy = TRY(policy_from_json(TRY(members.token("policy"))));
  const auto current = TRY(members.number<std::int64_t>("shape"));
  for (const std::string_view one : TRY(items_of(TRY(members.token("shapes"))))) {
    out.shapes.push_back(TRY(shape_of(one, out.table.id)));
    if (out.shapes.back().id == current) out.table.shape = out.shapes.back();
  }
  return out;
}

// The last member is the hash of all bytes before it.
Result<void> check_hash(std::string_view text) {
  constexpr std::size_t kTail = std::string_view(",\"sha256\":\"\"}\n").size() + 64;
  const std::string_view said = text.substr(0, text.size() - std::min(text.size(), kTail));
  const std::string tail = fmt::format(R"(,"sha256":"{}"}})", to_hex(view(sha256(said)))) + "\n";
  if (text.substr(said.size()) != tail)
    return fail(Fault::corrupt, "it does not end with the hash of what it says");
  return {};
}

Result<Manifest> read(std::string_view text) {
  TRY(check_hash(text));
  text.remove_suffix(1);
  const Members members = TRY(Members::of(text));
  if (TRY(members.token("v")) != "1")
    return fail(Fault::corrupt, "it has a version that this vestige does not know");
  Manifest out;
  out.origin = TRY(members.text("origin"));
  out.from = TRY(members.number<std::uint64_t>("from"));
  out.upto = TRY(members.number<std::uint64_t>("upto"));
  out.first_id = TRY(members.number<std::int64_t>("first_id"));
  out.last_id = TRY(members.number<std::int64_t>("last_id"));
  out.first_at = TRY(members.time("first_at"));
  out.last_at = TRY(members.time("last_at"));
  // A part of which nothing expired does not have it.
  if (members.token("expired").has_value())
    out.expired = TRY(members.number<std::uint64_t>("expired"));
  out.tokens = TRY(members.text("values")) == "json";
  for (const std::string_view one : TRY(items_of(TRY(members.token("tables")))))
    out.tables.push_back(TRY(table_of(one)));
  for (const std::string_view one : TRY(items_of(TRY(members.token("files"))))) {
    const Members file = TRY(Members::of(one));
    ArchivedFile own;
    own.path = TRY(file.text("path"));
    own.bytes = TRY(file.number<std::uint64_t>("bytes"));
    own.sha256 = TRY(file.text("sha256"));
    out.files.push_back(std::move(own));
  }
  return out;
}

// "entries.ndjson.zst" is called so, or has a number behind its stem.
bool is_called(std::string_view path, std::string_view usual) {
  const std::size_t stem = usual.find('.') + 1;
  const std::string_view end = usual.substr(stem);
  if (path == usual) return true;
  if (path.size() <= usual.size() + 1 || !path.starts_with(usual.substr(0, stem)) ||
      !path.ends_with(end))
    return false;
  const std::string_view number = path.substr(stem, path.size() - usual.size() - 1);
  return path[stem + number.size()] == '.' && only_digits(number);
}

std::string file_of(const std::vector<ArchivedFile>& files, std::string_view usual) {
  for (const ArchivedFile& one : files)
    if (is_called(one.path, usual)) return one.path;
  return std::string(usual);
}

// "000000000000-000000170000": such a name has nothing but a part.
bool names_part(std::string_view name) {
  const std::size_t middle = name.find('-');
  const auto digits = [](std::string_view text) { return text.size() >= 12 && only_digits(text); };
  return middle != std::string_view::npos && digits(name.substr(0, middle)) &&
         digits(name.substr(middle + 1));
}

}  // namespace

std::string Manifest::entries_file() const { return file_of(files, kEntriesFile); }
std::string Manifest::changes_file() const { return file_of(files, kChangesFile); }

void Manifest::cover(const Entry& entry, bool first) {
  first_id = first ? entry.id : std::min(first_id, entry.id);
  last_id = first ? entry.id : std::max(last_id, entry.id);
  first_at = first ? entry.at : std::min(first_at, entry.at);
  last_at = first ? entry.at : std::max(last_at, entry.at);
}

bool is_under_way(std::string_view folder) {
  return folder.starts_with('.') && names_part(folder.substr(1));
}

std::string part_name(std::uint64_t from, std::uint64_t upto) {
  return fmt::format("{:012}-{:012}", from, upto);
}

std::string to_json(const Manifest& manifest) {
  std::string out = fmt::format(
      R"({{"v":1,"origin":{},"from":{},"upto":{},"changes":{},"first_id":{},"last_id":{},"first_at":"{}",)"
      R"("last_at":"{}",{}"values":"{}","tables":[)",
      text_json(manifest.origin), manifest.from, manifest.upto, manifest.upto - manifest.from,
      manifest.first_id, manifest.last_id, format_time(manifest.first_at),
      format_time(manifest.last_at),
      manifest.expired == 0 ? "" : fmt::format(R"("expired":{},)", manifest.expired),
      manifest.tokens ? "json" : "sqlite");
  for (const ArchivedTable& one : manifest.tables)
    out += (&one == manifest.tables.data() ? "" : ",") + to_json(one);
  out += R"(],"files":[)";
  for (const ArchivedFile& one : manifest.files)
    out += fmt::format(R"({}{{"path":{},"bytes":{},"sha256":"{}"}})",
                       &one == manifest.files.data() ? "" : ",", text_json(one.path), one.bytes,
                       one.sha256);
  out += "]";
  return out + fmt::format(R"(,"sha256":"{}"}})", to_hex(view(sha256(out)))) + "\n";
}

Result<Manifest> manifest_from_json(std::string_view text) {
  auto out = read(text);
  if (out.has_value()) return out;
  return fail(Fault::corrupt, "read a manifest: {}", out.error().message);
}

namespace {

// A table of thousands of columns and shapes has room in it.
constexpr std::uint64_t kLargestManifest = std::uint64_t{1} << 28;
constexpr std::uint64_t kLargestNote = std::uint64_t{1} << 20;

Result<ArchivePart> part_in(const std::string& folder, const std::string& name) {
  const std::string file = folder + "/" + std::string(kManifestFile);
  const auto bytes = regular_bytes(file, kLargestManifest);
  if (!bytes.has_value() && bytes.error().fault == Fault::missing)
    return fail(Fault::corrupt, "read {}: it is not there", file);
  ArchivePart part;
  part.folder = folder;
  part.name = name;
  part.sha256 = to_hex(view(sha256(TRY(bytes))));
  auto manifest = manifest_from_json(*bytes);
  if (!manifest.has_value())
    return fail(Fault::corrupt, "read {}: {}", file, manifest.error().message);
  part.manifest = *std::move(manifest);
  if (part_name(part.manifest.from, part.manifest.upto) != name)
    return fail(Fault::corrupt, "read {}: it is of the range {}", file,
                part_name(part.manifest.from, part.manifest.upto));
  return part;
}

}  // namespace

Result<std::string> note_of(const ArchivePart& part) {
  return regular_bytes(part.folder + "/" + std::string(kCheckpointFile), kLargestNote);
}

RecordedPart recorded(const ArchivePart& part) {
  return {part.manifest.from, part.manifest.upto, part.sha256};
}

Result<FileDigest> listed_digest(const Manifest& manifest, std::string_view path) {
  for (const ArchivedFile& one : manifest.files) {
    if (one.path != path) continue;
    const std::string hash = TRY(json::from_hex(one.sha256));
    FileDigest out{one.bytes, {}};
    if (hash.size() != out.sha256.size()) break;
    std::copy(hash.begin(), hash.end(), out.sha256.begin());
    return out;
  }
  return fail(Fault::corrupt, "read a manifest: it does not say what {} is", path);
}

Result<std::vector<ArchivePart>> archive_parts(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error) return fail(Fault::missing, "read the archive {}: {}", directory, error.message());
  if (fs::exists(fs::path(directory) / kManifestFile, error))
    return hinted(fail(Fault::invalid, "read the archive {}: it is a part of one", directory),
                  "name the directory that it stands in");
  std::vector<ArchivePart> out;
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (!names_part(name)) continue;
    if (entry.symlink_status().type() != fs::file_type::directory)
      return fail(Fault::corrupt, "read {}: it is no directory", entry.path().string());
    out.push_back(TRY(part_in(entry.path().string(), name)));
  }
  std::sort(out.begin(), out.end(), [](const ArchivePart& left, const ArchivePart& right) {
    return left.manifest.from < right.manifest.from;
  });
  return out;
}

}  // namespace vestige
