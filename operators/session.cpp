#include "operators/session.h"

#include <algorithm>
#include <numeric>

#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/time.h"
#include "operators/late_row.h"
#include "operators/windows.h"

namespace kappa::operators {
namespace {

constexpr int64_t kNotAside = kEndOfTime.us;
// A session that has no row in the table yet has its number among these, with this bit.
constexpr state::RowId kFresh = state::RowId{1} << 31;

std::vector<Type> group_types(const AggregateNode& op, const Schema& input) {
  std::vector<Type> types;
  for (int group : op.groups) types.push_back(input[static_cast<size_t>(group)].type);
  return types;
}

ColumnRef times_column(std::span<const int64_t> times) {
  Column column(Type::timestamptz(), times.size());
  std::copy(times.begin(), times.end(), column.values<int64_t>().begin());
  return std::make_shared<const Column>(std::move(column));
}

}  // namespace

struct Session::Turn {
  const Batch& input;
  const OperatorContext& context;
  Emission* emission;  // null: nobody takes anything
  Emission* on_rows;   // of changes
  std::span<const int64_t> times;
  std::vector<uint32_t> groups = {};  // by input row
  // Rows that have been given their sessions, ascending; of the table or fresh.
  std::vector<uint32_t> rows = {};
  std::vector<state::RowId> sessions = {};
  std::vector<int64_t> numbers = {};  // if rows are numbered
  std::vector<uint32_t> fresh = {};   // by number: the row that begins it
  int64_t fresh_closes_us = std::numeric_limits<int64_t>::max();

  std::string_view tie(uint32_t i) const {
    return input.ties.empty() ? std::string_view() : input.ties[i].view();
  }
  void give(uint32_t row, const OpenSession& session) {
    rows.push_back(row);
    sessions.push_back(session.row);
    if (session.number > 0) numbers.push_back(session.number);
  }
};

Session::Session(const Plan& plan, NodeId node, bool emits)
    : node_(plan.node(node)),
      op_(std::get<AggregateNode>(node_.op)),
      input_schema_(plan.node(node_.inputs[0]).schema),
      gap_us_(op_.window->size_us),
      emits_(emits),
      timer_owner_(TimerOwner::of(plan, node)),
      accumulators_(op_.calls, input_schema_, AccumulatorSet::Rows::kMerged),
      open_({operator_id(plan, node), 255}, group_types(op_, input_schema_)) {
  std::vector<Type> key = group_types(op_, input_schema_);
  key.push_back(Type::timestamptz());
  key.push_back(Type::timestamptz());
  std::vector<Type> values = accumulators_.field_types();
  const size_t own = values.size();
  values.push_back(Type::timestamptz());
  values.push_back(Type::timestamptz());
  if (accumulators_.numbers_rows()) values.push_back(Type::bigint());
  const state::RowLayout layout(key, values);
  accumulators_.bind(layout);
  last_ = layout.values()[own];
  origin_ = layout.values()[own + 1];
  if (accumulators_.numbers_rows()) number_ = layout.values()[own + 2];
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0}, layout);
  sides_.emplace(op_, input_schema_, operator_id(plan, node), accumulators_, *table_);
  timed_ = (op_.emit == Emit::kFinal && emits) || op_.retention_us || sides_->any();
}

std::vector<state::Table*> Session::tables() {
  std::vector<state::Table*> tables = sides_->tables();
  tables.insert(tables.begin(), table_.get());
  return tables;
}

// ---- times ----------------------------------------------------------------------------------

int64_t& Session::last_of(state::RowId row) {
  return state::Table::get<int64_t>(table_->row(row), last_);
}

int64_t& Session::origin_of(state::RowId row) {
  return state::Table::get<int64_t>(table_->row(row), origin_);
}

int64_t Session::number_of(state::RowId row) {
  return number_ ? state::Table::get<int64_t>(table_->row(row), *number_) : 0;
}

int64_t Session::end_of(const std::byte* row) const {
  return saturating_add(state::Table::get<int64_t>(row, last_), gap_us_);
}

int64_t Session::closes_at_last(int64_t last_us) const {
  return closes_at(*op_.window, saturating_add(last_us, gap_us_));
}

int64_t Session::expires_at_last(int64_t last_us) const {
  return expires_at(*op_.window, saturating_add(last_us, gap_us_), *op_.retention_us);
}

// ---- rows -----------------------------------------------------------------------------------

void Session::process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) {
  std::optional<Emission> emission;
  if (emits_) emission.emplace(node_.schema, context.arena);
  Emission* emitted = emission ? &*emission : nullptr;
  Turn turn{input, context, emitted, op_.emit == Emit::kChanges ? emitted : nullptr, {}};
  if (!input.empty()) {
    turn.times = input.columns[static_cast<size_t>(op_.window->event_time)]->values<int64_t>();
    std::vector<ColumnRef> key;
    for (int group : op_.groups) key.push_back(input.columns[static_cast<size_t>(group)]);
    std::vector<uint64_t> hashes = input.key_hashes;  // the exchange has hashed the group already
    if (hashes.empty()) hash_columns(key, input.rows, &hashes);
    open_.find_groups(key, hashes, &turn.groups);
  }
  for (uint32_t i = 0; i < input.rows; ++i) {
    const int64_t watermark_us = context.watermark[input.places[i].track_index()];
    if (timers_due(turn, watermark_us)) fire_until(turn, watermark_us);
    take(turn, i, watermark_us);
  }
  apply(turn);
  if (timers_due(turn, context.watermark.back())) fire_until(turn, context.watermark.back());
  for (const uint32_t group : emptied_) open_.forget(group);
  emptied_.clear();
  if (emission && !emission->empty()) out->push_back(emission->finish(node_.changelog));
}

// Gives a row its session.
void Session::take(Turn& turn, uint32_t i, int64_t watermark_us) {
  const int64_t time = turn.times[i];
  GroupSessions& group = open_.group(turn.groups[i]);
  const int64_t ends_us = saturating_add(watermark_us, -held_back_us(*op_.window));
  group.close_before(saturating_add(ends_us, 1 - gap_us_));  // all that end until then
  const auto [first, end] = group.around(time, gap_us_);
  if (first == end && closes_at_last(time) <= watermark_us) {
    turn.context.side.push_back(late_row(input_schema_, turn.input, i, node_.id));
    if (group.empty()) emptied_.push_back(turn.groups[i]);
    return;
  }
  if (turn.on_rows) retract(turn, i, first, end);
  if (first == end) {
    begin_session(turn, i, first);
  } else if (end - first == 1 && time >= first->start) {
    first->last = std::max(first->last, time);
    if (number_) group.number(first, group.last_number() + 1);
    turn.give(i, *first);
  } else {
    join(turn, i, first, end);
  }
  if (!turn.on_rows) return;
  turn.on_rows->add(*this, table_->row(apply(turn)), turn.input.places[i], 1, turn.tie(i));
}

void Session::retract(Turn& turn, uint32_t i, Sessions first, Sessions end) {
  for (auto session = first; session != end; ++session) {
    turn.on_rows->add(*this, table_->row(session->row), turn.input.places[i], -1, turn.tie(i));
  }
}

void Session::begin_session(Turn& turn, uint32_t i, Sessions at) {
  const int64_t time = turn.times[i];
  const auto number = static_cast<state::RowId>(turn.fresh.size());
  turn.fresh.push_back(i);
  turn.fresh_closes_us = std::min(turn.fresh_closes_us, closes_at_last(time));
  GroupSessions& group = open_.group(turn.groups[i]);
  const OpenSession session{time, time, time, kFresh | number,
                            number_ ? group.last_number() + 1 : 0};
  turn.give(i, session);
  group.insert(at, session);
}

// The row leads a session back in time, or makes one of several.
void Session::join(Turn& turn, uint32_t i, Sessions first, Sessions end) {
  apply(turn);  // from now on all of them are in the table
  const int64_t time = turn.times[i];
  const uint32_t group = turn.groups[i];
  OpenSession joined = *first;
  if (time < joined.start) {
    joined.start = time;
    joined.row = move_row(first->row, time, kNotAside);
    if (timed_) closing_[closes_at_last(joined.last)].push_back({joined.row, group});
  }
  table_->touch(joined.row);
  for (auto other = first + 1; other != end; ++other) absorb(group, &joined, *other);
  joined.last = std::max(joined.last, time);
  last_of(joined.row) = joined.last;
  origin_of(joined.row) = joined.origin;
  *first = joined;
  GroupSessions& sessions = open_.group(group);
  if (number_) sessions.number(first, sessions.last_number() + 1);
  turn.give(i, *first);
  sessions.erase(first + 1, end);
}

// Takes over a later session.
void Session::absorb(uint32_t group, OpenSession* joined, const OpenSession& other) {
  accumulators_.merge(joined->row, other.row, *table_);
  if (sides_->any()) {
    joined->origin =
        sides_->merge({{group, joined->origin}, joined->row}, {{group, other.origin}, other.row})
            .second;
  }
  table_->erase(other.row);
  joined->last = other.last;
}

// A row's values under another key of its group. A closed session that has the key steps aside.
state::RowId Session::move_row(state::RowId from, int64_t start_us, int64_t aside_us) {
  Arena arena;
  std::vector<ColumnRef> key;
  for (size_t g = 0; g < op_.groups.size(); ++g) {
    const state::RowField& field = table_->layout().key()[g];
    Column column(field.type);
    state::Table::append_to(table_->row(from), field, column, arena);
    key.push_back(std::make_shared<const Column>(std::move(column)));
  }
  key.push_back(times_column({&start_us, 1}));
  key.push_back(times_column({&aside_us, 1}));
  std::vector<uint64_t> hashes;
  hash_columns(key, 1, &hashes);
  state::RowId to = state::kNoRow;
  table_->find(key, hashes, {&to, 1});
  if (to != state::kNoRow) {
    const state::RowId aside = move_row(to, start_us, end_of(table_->row(to)));
    if (op_.retention_us) expiring_[expires_at_last(last_of(aside))].push_back(aside);
  }
  table_->find_or_insert(key, hashes, {&to, 1}, nullptr);
  accumulators_.copy(to, from, *table_);
  last_of(to) = last_of(from);
  origin_of(to) = origin_of(from);
  if (number_) state::Table::get<int64_t>(table_->row(to), *number_) = number_of(from);
  table_->erase(from);
  return to;
}

state::RowId Session::apply(Turn& turn) {
  if (turn.rows.empty()) return state::kNoRow;
  insert_fresh(turn);
  for (size_t i = 0; i < turn.rows.size(); ++i) {
    table_->touch(turn.sessions[i]);
    int64_t& last = last_of(turn.sessions[i]);
    last = std::max(last, turn.times[turn.rows[i]]);
    if (number_) {
      state::Table::get<int64_t>(table_->row(turn.sessions[i]), *number_) = turn.numbers[i];
    }
  }
  const size_t begin = turn.rows.front();
  const size_t end = turn.rows.back() + 1;
  if (end - begin == turn.rows.size()) {
    accumulators_.apply(turn.input, begin, end, turn.sessions, *table_, turn.numbers);
  } else {
    const Batch rows = gather(turn.input, turn.rows);
    accumulators_.apply(rows, 0, rows.rows, turn.sessions, *table_, turn.numbers);
  }
  if (sides_->any()) add_to_sides(turn);
  const state::RowId last = turn.sessions.back();
  turn.rows.clear();
  turn.sessions.clear();
  turn.numbers.clear();
  return last;
}

// Gives the sessions that have begun their rows in the table.
void Session::insert_fresh(Turn& turn) {
  if (turn.fresh.empty()) return;
  std::vector<ColumnRef> key;
  for (int group : op_.groups) {
    key.push_back(std::make_shared<const Column>(
        turn.input.columns[static_cast<size_t>(group)]->gather(turn.fresh)));
  }
  std::vector<int64_t> starts;
  for (const uint32_t i : turn.fresh) starts.push_back(turn.times[i]);
  key.push_back(times_column(starts));
  key.push_back(times_column(std::vector<int64_t>(starts.size(), kNotAside)));
  std::vector<uint64_t> hashes;
  hash_columns(key, starts.size(), &hashes);
  std::vector<state::RowId> rows(starts.size());
  std::vector<uint32_t> created;
  table_->find_or_insert(key, hashes, rows, &created);
  // A session that a row of this time could meet is open, and would have taken it.
  KAPPA_INVARIANT(created.size() == starts.size(), "a session begins where none is");
  for (size_t n = 0; n < rows.size(); ++n) {
    accumulators_.start(table_->row(rows[n]));
    last_of(rows[n]) = starts[n];
    origin_of(rows[n]) = starts[n];
    const uint32_t group = turn.groups[turn.fresh[n]];
    const auto session = open_.group(group).find(starts[n]);
    // It may be closed by now, and its place taken.
    const auto number = static_cast<state::RowId>(n) | kFresh;
    if (session != open_.group(group).end() && session->row == number) session->row = rows[n];
    if (timed_) closing_[closes_at_last(starts[n])].push_back({rows[n], group});
  }
  for (state::RowId& session : turn.sessions) {
    if ((session & kFresh) != 0) session = rows[session & ~kFresh];
  }
  turn.fresh.clear();
  turn.fresh_closes_us = std::numeric_limits<int64_t>::max();
}

void Session::add_to_sides(const Turn& turn) {
  std::vector<SessionName> names;
  for (size_t i = 0; i < turn.rows.size(); ++i) {
    names.emplace_back(turn.groups[turn.rows[i]], origin_of(turn.sessions[i]));
  }
  sides_->add({turn.input, turn.rows, names, turn.sessions});
}

// ---- timers ---------------------------------------------------------------------------------

bool Session::timers_due(const Turn& turn, int64_t watermark_us) const {
  if (!timed_) return false;
  return (!turn.fresh.empty() && turn.fresh_closes_us <= watermark_us) ||
         (!closing_.empty() && closing_.begin()->first <= watermark_us) ||
         (!expiring_.empty() && expiring_.begin()->first <= watermark_us);
}

void Session::fire_until(Turn& turn, int64_t until_us) {
  apply(turn);
  while (timers_due(turn, until_us)) {
    const bool closes = !closing_.empty() &&
                        (expiring_.empty() || closing_.begin()->first <= expiring_.begin()->first);
    if (closes) {
      close_sessions(turn, closing_.begin()->first);
    } else {
      expire_sessions(turn, expiring_.begin()->first);
    }
  }
}

void Session::close_sessions(Turn& turn, int64_t due_us) {
  const std::vector<Closing> waiting = std::move(closing_.begin()->second);
  closing_.erase(closing_.begin());
  std::vector<state::RowId> closed;
  for (const Closing& entry : waiting) {
    GroupSessions& group = open_.group(entry.group);
    const auto session = group.find_row(entry.row);
    if (session == group.end()) continue;  // another one has taken it over
    const int64_t closes_us = closes_at_last(session->last);
    if (closes_us > due_us) {
      closing_[closes_us].push_back(entry);
      continue;
    }
    if (op_.retention_us) expiring_[expires_at_last(session->last)].push_back(entry.row);
    sides_->erase({entry.group, session->origin});
    group.erase(session, session + 1);
    if (group.empty()) emptied_.push_back(entry.group);
    closed.push_back(entry.row);
  }
  if (!turn.emission || op_.emit != Emit::kFinal) return;
  const RowPlace place = timer_place(turn.context.watermark, due_us);
  for (const TimerRow& row : timer_rows(*table_, closed, [](const std::byte*) { return true; })) {
    turn.emission->add(*this, table_->row(row.id), place, 1,
                       timer_tie(timer_owner_, due_us, row.key));
  }
}

void Session::expire_sessions(Turn& turn, int64_t due_us) {
  const std::vector<state::RowId> waiting = std::move(expiring_.begin()->second);
  expiring_.erase(expiring_.begin());
  const auto expires = [&](const std::byte* row) {
    return expires_at_last(state::Table::get<int64_t>(row, last_)) == due_us;
  };
  const RowPlace place = timer_place(turn.context.watermark, due_us);
  for (const TimerRow& row : timer_rows(*table_, waiting, expires)) {
    if (turn.emission && node_.changelog) {
      turn.emission->add(*this, table_->row(row.id), place, -1,
                         timer_tie(timer_owner_, due_us, row.key));
    }
    table_->erase(row.id);
  }
}

void Session::restored(int64_t watermark_us) {
  constexpr size_t kRowsAtOnce = 4096;
  const auto& fields = table_->layout().key();
  const size_t groups = op_.groups.size();
  state::RowId id = 0;
  while (id < table_->row_ids_end()) {
    std::vector<state::RowId> ids;
    std::vector<const std::byte*> rows;
    for (; id < table_->row_ids_end() && ids.size() < kRowsAtOnce; ++id) {
      if (!table_->live(id)) continue;
      if (closes_at_last(last_of(id)) > watermark_us) {
        ids.push_back(id);
        rows.push_back(table_->row(id));
      } else if (op_.retention_us) {
        expiring_[expires_at_last(last_of(id))].push_back(id);
      }
    }
    Arena arena;
    std::vector<ColumnRef> key;
    for (size_t g = 0; g < groups; ++g) {
      Column column(fields[g].type);
      state::Table::append_all(rows, fields[g], column, arena);
      key.push_back(std::make_shared<const Column>(std::move(column)));
    }
    std::vector<uint64_t> hashes;
    hash_columns(key, rows.size(), &hashes);
    std::vector<uint32_t> numbers;
    open_.find_groups(key, hashes, &numbers);
    for (size_t i = 0; i < ids.size(); ++i) {
      const OpenSession session{state::Table::get<int64_t>(rows[i], fields[groups]),
                                last_of(ids[i]), origin_of(ids[i]), ids[i], number_of(ids[i])};
      GroupSessions& group = open_.group(numbers[i]);
      group.insert(group.around(session.start, 0).first, session);
      if (timed_) closing_[closes_at_last(session.last)].push_back({ids[i], numbers[i]});
    }
  }
  sides_->restored(open_);
}

// ---- results --------------------------------------------------------------------------------

bool Session::visible(const std::byte* row, int64_t watermark_us) const {
  const int64_t last = state::Table::get<int64_t>(row, last_);
  if (op_.emit == Emit::kFinal && closes_at_last(last) > watermark_us) return false;
  return !op_.retention_us || expires_at_last(last) > watermark_us;
}

std::optional<int64_t> Session::waits_for(const std::byte* row, int64_t watermark_us) const {
  const int64_t closes_us = closes_at_last(state::Table::get<int64_t>(row, last_));
  return closes_us > watermark_us ? std::optional(closes_us) : std::nullopt;
}

void Session::append_column(int column, std::span<const std::byte* const> rows, Column& out,
                            Arena& arena) const {
  const auto index = static_cast<size_t>(column);
  const size_t groups = op_.groups.size();
  if (index <= groups) {
    state::Table::append_all(rows, table_->layout().key()[index], out, arena);
  } else if (index == groups + 1) {
    for (const std::byte* row : rows) {
      out.resize(out.rows() + 1);
      out.values<int64_t>().back() = end_of(row);
    }
  } else {
    for (const std::byte* row : rows) {
      accumulators_.append_result(index - groups - 2, row, out, arena);
    }
  }
}

std::vector<int> Session::key_columns() const {
  std::vector<int> columns(op_.groups.size() + 2);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

const std::byte* Session::find(const Row& key, std::optional<state::Cut> cut) const {
  const auto end_us = std::get_if<int64_t>(&key.back().data);
  if (!end_us) return nullptr;
  Row stored = key;
  for (const int64_t aside : {kNotAside, *end_us}) {
    stored.back() = Value::timestamptz(aside);
    const std::byte* row = nullptr;
    if (cut) {
      row = table_->find_image(stored, *cut);
    } else if (const state::RowId id = table_->find_one(stored); id != state::kNoRow) {
      row = table_->row(id);
    }
    if (row && end_of(row) == *end_us) return row;
  }
  return nullptr;
}

}  // namespace kappa::operators
