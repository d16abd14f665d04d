// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fetch.h: where blocks are read and then freed one by one, the line of a later one is fetched while this one is freed.
// Part of nextgen-batch.

#ifndef NG_PASS_FETCH_H
#define NG_PASS_FETCH_H

#include "llvm/IR/PassManager.h"

namespace ng {

class KeepOut;

// Rounds: how many rounds ahead in a loop; 0: not in loops.  Trees: in functions that free a node's children.  True
// where something was added.
bool fetchAhead(llvm::Function &F, llvm::FunctionAnalysisManager &FAM, const KeepOut &Rules, unsigned Rounds,
                bool Trees);

} // namespace ng

#endif
