// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Batch.h: nextgen-batch, which finds allocations that can share one check of the magazine, and has what is read and
// freed fetched ahead (Fetch.h).
//
// USAGE  opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-batch<max-blocks=4>,nextgen-lower' -S x.ll
//
// Runs right before nextgen-lower.  It marks the calls that belong together and leaves them as they are; nextgen-lower
// decides whether they go in line, and then takes all their blocks where the first of them stood.

#ifndef NG_PASS_BATCH_H
#define NG_PASS_BATCH_H

#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace ng {

struct BatchOptions {
  unsigned MaxBlocks = 8; // of one check; each is held in a register until its call's place; under 2: no batches
  unsigned Ahead = 8;     // rounds of a loop by which what it reads and frees is fetched; 0: not
  bool Trees = true;      // the same for the other children, where a function frees those of a node

  static llvm::Expected<BatchOptions> parse(llvm::StringRef Params);
};

// A call's place in a batch: the Index-th of Count calls, of the batch with that number in its function.
struct BatchMark {
  unsigned Number, Index, Count;
};
std::optional<BatchMark> batchMark(const llvm::CallBase &Call);

class BatchPass : public llvm::PassInfoMixin<BatchPass> {
public:
  explicit BatchPass(BatchOptions Opts = {}) : Opts(Opts) {}
  static llvm::StringRef name() { return "ng::BatchPass"; }
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
  void printPipeline(llvm::raw_ostream &OS, llvm::function_ref<llvm::StringRef(llvm::StringRef)> MapName);

private:
  BatchOptions Opts;
};

} // namespace ng

#endif
