// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursion.h: which functions may be active more than once, as far as one module can tell.  Changes no IR.

#ifndef NG_PASS_RECURSION_H
#define NG_PASS_RECURSION_H

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Module.h"

namespace ng {

enum class Recursion {
  None,    // at most once on a thread's stack
  Unknown, // a call leads out of the module's sight, and may lead back
  Certain, // the function reaches itself
};

// Costs a walk over the module when it is first asked.
class RecursionInfo {
public:
  using GetTLI = llvm::function_ref<const llvm::TargetLibraryInfo &(llvm::Function &)>;
  RecursionInfo(llvm::Module &M, GetTLI TLI) : M(M), TLI(TLI) {}
  Recursion of(const llvm::Function &F);

private:
  void findOut();

  llvm::Module &M;
  GetTLI TLI;
  bool IsKnown = false;
  llvm::DenseMap<const llvm::Function *, Recursion> Known;
};

} // namespace ng

#endif
