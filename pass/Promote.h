// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Promote.h: nextgen-promote, which takes allocations away: small private blocks move to the stack, a buffer that every
// round of a loop allocates and frees is allocated once.
//
// USAGE  opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-promote<max-bytes=128;no-loops>' -S x.ll
//
// Runs at OptimizerEarly, before nextgen-hoist: what is promoted need not be asked for.

#ifndef NG_PASS_PROMOTE_H
#define NG_PASS_PROMOTE_H

#include "llvm/IR/PassManager.h"
#include "llvm/Support/Error.h"

namespace ng {

struct PromoteOptions {
  unsigned MaxBytes = 1024;  // the largest block that moves to the stack
  unsigned MaxFrame = 4096;  // what one function's frame may grow by
  unsigned MaxUnknown = 512; // the same where a call may lead to the function again, out of the module's sight
  bool Stack = true;
  bool Loops = true;

  static llvm::Expected<PromoteOptions> parse(llvm::StringRef Params);
};

class PromotePass : public llvm::PassInfoMixin<PromotePass> {
public:
  explicit PromotePass(PromoteOptions Opts = {}) : Opts(Opts) {}
  static llvm::StringRef name() { return "ng::PromotePass"; }
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
  void printPipeline(llvm::raw_ostream &OS, llvm::function_ref<llvm::StringRef(llvm::StringRef)> MapName);

private:
  PromoteOptions Opts;
};

} // namespace ng

#endif
