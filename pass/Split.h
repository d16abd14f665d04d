// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Split.h: nextgen-split, which asks for a large block as soon as its size is known.
//
// USAGE  opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-split<likely=90>' -S x.ll
//
// Runs at OptimizerEarly.  It adds requests and changes no allocation: malloc, where it stands, claims what the room
// has found, faulted in and zeroed meanwhile.  For a buffer that realloc lets grow in a loop it asks for the size at
// its end.

#ifndef NG_PASS_SPLIT_H
#define NG_PASS_SPLIT_H

#include "llvm/IR/PassManager.h"
#include "llvm/Support/Error.h"

namespace ng {

struct SplitOptions {
  bool Enabled = true;
  unsigned MinBytes = 256u << 10; // what a constant size must be; a variable one is compared where the program runs
  unsigned Likely = 50;           // per cent: how often the allocation must follow where the request stands
  unsigned MinWork = 200;         // instructions between the two; a call or a loop counts as enough
  bool Grow = true;               // realloc in loops

  static llvm::Expected<SplitOptions> parse(llvm::StringRef Params);
};

class SplitPass : public llvm::PassInfoMixin<SplitPass> {
public:
  explicit SplitPass(SplitOptions Opts = {}) : Opts(Opts) {}
  static llvm::StringRef name() { return "ng::SplitPass"; }
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
  void printPipeline(llvm::raw_ostream &OS, llvm::function_ref<llvm::StringRef(llvm::StringRef)> MapName);

private:
  SplitOptions Opts;
};

} // namespace ng

#endif
