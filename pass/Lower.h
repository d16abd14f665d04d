// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lower.h: nextgen-lower, which puts the fast path of malloc, free, new and delete in line.
//
// USAGE  opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-lower<max-class=15;growth=0>' -S x.ll
//
// Runs last (OptimizerLast and the end of a full LTO link), after LLVM's own passes have had the plain calls: dead
// allocations are gone, contents and noalias facts were used.  First decides for every site of the module, then
// rewrites; running it twice changes nothing more.

#ifndef NG_PASS_LOWER_H
#define NG_PASS_LOWER_H

#include "llvm/IR/PassManager.h"
#include "llvm/Support/Error.h"

namespace ng {

struct LowerOptions {
  unsigned MaxClass = 39; // the largest size class that is lowered
  unsigned MaxZero = 128; // the most bytes that an inlined calloc zeroes
  unsigned Growth = 4;    // per cent that the text may grow, best sites first; 0: no limit
  bool Cold = false;      // cold code, rare blocks and -Os too

  static llvm::Expected<LowerOptions> parse(llvm::StringRef Params);
};

class LowerPass : public llvm::PassInfoMixin<LowerPass> {
public:
  explicit LowerPass(LowerOptions Opts = {}) : Opts(Opts) {}
  static llvm::StringRef name() { return "ng::LowerPass"; }
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
  void printPipeline(llvm::raw_ostream &OS, llvm::function_ref<llvm::StringRef(llvm::StringRef)> MapName);

private:
  LowerOptions Opts;
};

} // namespace ng

#endif
