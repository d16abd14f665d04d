// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Summary.h: what a function of the module will allocate each time it is called.  Changes no IR.

#ifndef NG_PASS_SUMMARY_H
#define NG_PASS_SUMMARY_H

#include "AllocSites.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/PassManager.h"

namespace ng {

// Blocks of each size class that one call very likely takes and leaves to its caller, what it calls included.
struct Summary {
  llvm::SmallMapVector<uint32_t, uint64_t, 4> Blocks;
  bool Frees = false; // it also frees blocks: what it takes in the end is not known
};

// Bottom-up over the call graph, each function when it is first asked for; a function that reaches itself takes
// nothing.
class Summaries {
public:
  // Likely: per cent of a function's calls in which a block of it must run to count.
  Summaries(llvm::FunctionAnalysisManager &FAM, const KeepOut &Rules, unsigned Likely)
      : FAM(FAM), Rules(Rules), Likely(Likely) {}

  const Summary &of(llvm::Function &F);
  // The function of this module that a call surely runs; null for others.
  static llvm::Function *calleeOf(const llvm::CallBase &Call);
  // Whether F allocates, itself or by what it calls: costs a walk over its instructions, no analysis.
  bool allocates(llvm::Function &F);

private:
  void add(llvm::Function &F, Summary &S);

  llvm::FunctionAnalysisManager &FAM;
  const KeepOut &Rules;
  unsigned Likely;
  llvm::DenseMap<const llvm::Function *, std::unique_ptr<Summary>> Known;
  llvm::DenseMap<const llvm::Function *, bool> Allocating;
};

// Whether a call of F frees the block that Block allocates there.
bool isFreedIn(const llvm::Function &F, const llvm::CallBase &Block, const llvm::TargetLibraryInfo &TLI);

} // namespace ng

#endif
