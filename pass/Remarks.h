// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Remarks.h: how a decision is told: -Rpass=nextgen what was done, -Rpass-missed=nextgen what was not, and why.

#ifndef NG_PASS_REMARKS_H
#define NG_PASS_REMARKS_H

#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/IR/InstrTypes.h"

namespace ng {

// "<callee>: <what>", at the call.  Name is one word, for tools that count.
void remarkDone(llvm::OptimizationRemarkEmitter &ORE, const char *Pass, llvm::StringRef Name,
                const llvm::CallBase &Call, const llvm::Twine &What);
// The same of a whole function.
void remarkDone(llvm::OptimizationRemarkEmitter &ORE, const char *Pass, llvm::StringRef Name, const llvm::Function &F,
                const llvm::Twine &What);
void remarkMissed(llvm::OptimizationRemarkEmitter &ORE, const char *Pass, llvm::StringRef Name,
                  const llvm::CallBase &Call, const llvm::Twine &Why);

} // namespace ng

#endif
