#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "operators/accumulator_passes.h"
#include "operators/plan.h"
#include "state/row_layout.h"
#include "state/table.h"

namespace kappa::operators {

// The aggregates of one AggregateNode as fields of its table's rows: which fields there are, how a
// row of input changes them, and what a result is made of. Immutable.
//
// Calls share what they have in common: sum(x) and avg(x) over one filter are one sum and one
// count. Sums of integers and decimals are kept in 128 bits. A sum that leaves them (which takes
// more than 10^19 rows of the largest bigint) sticks at "overflowed" and its result is NULL.
class AccumulatorSet {
 public:
  // How rows come to their groups.
  enum class Rows : uint8_t {
    kAppended,
    kRetracted,  // too: every group counts its rows, so that it goes when its last row goes
    kMerged,     // groups become one: arg_min and arg_max keep which row came first, see apply()
  };
  AccumulatorSet(const std::vector<AggregateCall>& calls, const Schema& input, Rows rows);

  // Types of the value fields of the table, in order.
  const std::vector<Type>& field_types() const { return field_types_; }
  // Binds the fields to a layout made with field_types().
  void bind(const state::RowLayout& layout);

  // Starts rows that find_or_insert() made: minimum, maximum and the like begin as null.
  void start(std::byte* row) const;
  // Sets every field back to what it is in a new row.
  void reset(state::RowId id, state::Table& table) const;
  // Applies rows [begin, end) of the input: ids[i - begin] is the state row of input row i,
  // touched. Signs as in the batch. If numbers_rows(), numbers[i - begin] is a number of row i that
  // ascends in the order of the rows of all groups that it may yet become one with; else none.
  void apply(const Batch& input, size_t begin, size_t end, std::span<const state::RowId> ids,
             state::Table& table, std::span<const int64_t> numbers = {}) const;
  bool numbers_rows() const;

  // The fields of a call whose result is made of what is kept beside the group's row, and for that
  // to write. The first holds the result, or is what it is made of.
  std::span<const state::RowField> side_fields(size_t call) const;

  // Adds what row `from` has of the same table to row `to`, which is touched: the rows of `from`
  // have later event times than those of `to`. Of rows that are merged. Fields of what is kept
  // beside the rows stay as they are.
  void merge(state::RowId to, state::RowId from, state::Table& table) const;
  // Sets all fields of row `to`, which is touched, to those of row `from`.
  void copy(state::RowId to, state::RowId from, state::Table& table) const;
  // The rows in a group; only if they may be retracted.
  int64_t group_rows(const std::byte* row) const;

  // Appends a call's result for a state row (or its old image) to a column of the call's type.
  void append_result(size_t call, const std::byte* row, Column& column, Arena& arena) const;

 private:
  // One running value of a group, in fields of its row: most in one, some in up to three.
  struct Accumulator {
    enum class Kind : uint8_t {
      kCount,
      kSumInteger,
      kSumDouble,
      kMin,
      kMax,
      kSquaresLow,   // see SumOfSquares
      kSquaresHigh,  //
      kMoments,      // count, mean, squares
      kPicked,       // by, value, and if it is numbered the row's number
      kDecayedSum,   // sum, latest event time (null: no row yet)
      kSide,         // what is kept beside the group's row decides
    };
    Kind kind;
    AggregateCall of;  // the first call that it is for: its argument, filter and the like
    std::vector<Type> types;
    std::array<state::RowField, 3> fields = {};

    const state::RowField& field() const { return fields[0]; }
    bool is_numbered() const { return kind == Kind::kPicked && types.size() == 3; }
    std::span<const state::RowField> used_fields() const { return {fields.data(), types.size()}; }
  };
  struct Result {
    AggregateCall call;
    Type argument;
    size_t value = 0;  // accumulators
    size_t count = 0;
    size_t squares = 0;  // the low half; the high one follows
  };

  size_t accumulator(Accumulator::Kind kind, const AggregateCall& of, std::vector<Type> types);
  void add_to_passes(size_t accumulator);
  void note_null_fields(const Accumulator& accumulator);
  void add_result(const AggregateCall& call, Type argument, Type by);
  static void merge_one(const Accumulator& accumulator, state::RowId to, state::RowId from,
                        state::Table& table);
  static bool takes_over(const Accumulator& accumulator, const std::byte* into,
                         const std::byte* other);
  static void merge_moments_of(const Accumulator& accumulator, std::byte* into,
                               const std::byte* other);
  static void merge_decayed(const Accumulator& accumulator, std::byte* into,
                            const std::byte* other);
  static void apply_one(const Accumulator& accumulator, const Batch& input,
                        const AccumulatorRows& rows);
  std::optional<double> deviation_of(const Result& result, const std::byte* row) const;
  void append_sum_of(const Result& result, const std::byte* row, Column& column) const;

  Rows rows_;
  std::vector<Accumulator> accumulators_;
  std::vector<Result> results_;
  std::vector<Type> field_types_;
  std::vector<state::RowField> null_fields_;  // of a row that starts
  // How rows are applied: what one pass over them takes together, and accumulators of which each
  // needs a pass of its own.
  std::vector<CountedRows> counts_;
  std::vector<NumberFields> numbers_;
  std::vector<size_t> alone_;
};

}  // namespace kappa::operators
